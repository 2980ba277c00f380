// `log`: the runs that the history of a database remembers.

import { log } from '../../../lambda/migrator/inspect.ts';
import { describeEvent, STEP, seconds } from '../../../lambda/migrator/model/events.ts';
import type { LoggedRun, StepReport } from '../../../lambda/migrator/model/report.ts';
import { selectDatabase } from '../databases.ts';
import { describeEffort, describeStepEffort } from '../effort.ts';
import { backstop, migration } from '../logger.ts';
import { wholeNumber } from '../options.ts';
import type { Call, Verb } from '../verb.ts';

export const logVerb: Verb = {
  name: 'log',
  description: 'List the runs on the database, failed ones too, the newest first.',
  options: [
    { flags: '-n, --limit <count>', description: 'how many', fallback: '20' },
    {
      flags: '-v, --verbose',
      description: 'show what each step took, locked and wrote, or why the run failed',
    },
  ],
  example: 'npx backstop log --limit 1 --verbose',
  async run(call: Call<{ readonly limit: string; readonly verbose?: boolean }>) {
    const options = selectDatabase(call);
    const runs = await log(options, wholeNumber('--limit', call.options.limit));
    return {
      lines: runs.flatMap((run) => [describeRun(run), ...(call.options.verbose ? describeDetails(run) : [])]),
      json: { database: options.database.definition.name, runs },
    };
  },
};

function describeRun({
  startedAt,
  direction,
  from,
  to,
  outcome,
  durationMs,
  user,
  execution,
}: LoggedRun): string {
  const when = startedAt.toISOString().replace('T', ' ').slice(0, 19);
  const who = execution === null ? user : `${user}, ${execution}`;
  return `${when}Z  ${direction} ${from} -> ${to}: ${outcome} in ${seconds(durationMs)} (${who})`;
}

/** The breakdown of the quickstart, and what the run cost; of a failed run its reason. */
function describeDetails({ report, durationMs }: LoggedRun): string[] {
  if (!('steps' in report)) {
    const { message, detail, hint } = report;
    return [
      `  ${message}`,
      ...(detail ? [`  DETAIL:  ${detail}`] : []),
      ...(hint ? [`  HINT:  ${hint}`] : []),
    ];
  }
  const { estimate } = report;
  return [
    ...report.steps.flatMap((step) => [describeStep(step), describeStepEffort(step)]),
    ...(estimate ? [backstop(describeEvent({ type: 'estimated', estimate }))] : []),
    ...describeEffort(report),
    backstop(`Total: ${seconds(durationMs)}`),
  ];
}

function describeStep({ direction, revision, number, of, title, durationMs }: StepReport): string {
  return migration(revision, `${STEP[direction]} ${number}/${of}: ${seconds(durationMs)} (${title})`);
}
