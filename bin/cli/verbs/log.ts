// `log`: the runs that the history of a database remembers.
import { log } from '../../../lambda/migrator/inspect.ts';
import { withGap } from '../../../lambda/migrator/model/bounded.ts';
import { describeEvent, seconds } from '../../../lambda/migrator/model/describe.ts';
import type { LoggedRun } from '../../../lambda/migrator/model/history-entry.ts';
import { printable } from '../../../lambda/migrator/model/printable.ts';
import { selectDatabase } from '../databases.ts';
import { describeEffort } from '../effort.ts';
import { wholeNumber } from '../options.ts';
import type { Call, Verb } from '../verb.ts';
import type { Voice } from '../voice/voice.ts';
import { voiceOf } from '../voice.ts';

export const logVerb: Verb = {
  name: 'log',
  description: 'List the runs on the database, failed ones included, the newest first.',
  options: [
    { flags: '-n, --limit <count>', description: 'how many runs', fallback: '20' },
    {
      flags: '-v, --verbose',
      description: 'show the time, the locks and the writes of each step, or why the run failed',
    },
  ],
  example: 'npx backstop log --limit 1 --verbose',
  async run(call: Call<{ readonly limit: string; readonly verbose?: boolean }>) {
    const options = selectDatabase(call);
    const voice = voiceOf(options.database, call.terminal);
    const runs = await log(options, wholeNumber('--limit', call.options.limit));
    return {
      lines: runs.flatMap((run) => [
        describeRun(run),
        ...(call.options.verbose ? describeDetails(run, voice) : []),
      ]),
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

/** The steps of a run and what they cost; the reason if it failed. */
function describeDetails({ report, durationMs }: LoggedRun, { loggedStep, remark }: Voice): string[] {
  if (!('steps' in report)) {
    const { message, detail, hint } = report;
    return [
      `  ${message}`,
      ...(detail ? `  DETAIL:  ${detail}`.split('\n') : []),
      ...(hint ? `  HINT:  ${hint}`.split('\n') : []),
    ];
  }
  const { estimate } = report;
  return [
    ...withGap(
      report.steps.map((step) => loggedStep(step).map(printable).join('\n')),
      report.omitted?.steps ?? 0,
    ).flatMap((lines) => lines.split('\n')),
    ...(estimate ? [remark(describeEvent({ type: 'estimated', estimate }))] : []),
    ...describeEffort(report).map(remark),
    remark(`Total: ${seconds(durationMs)}`),
  ];
}
