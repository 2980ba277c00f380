// The plain words of a run, for every database that asks for no other voice.

import { countOf } from '../../../lambda/migrator/model/bounded.ts';
import { describeEvent, seconds, stepName } from '../../../lambda/migrator/model/describe.ts';
import type { ProgressEvent } from '../../../lambda/migrator/model/events.ts';
import { describeLosses } from '../../../lambda/migrator/model/losing.ts';
import { describeSchema } from '../../../lambda/migrator/model/lost.ts';
import type { RunReport, StepReport } from '../../../lambda/migrator/model/report.ts';
import type { Database } from '../../../lambda/migrator/revisions/databases.ts';
import { describeEffort, describeStepEffort, TABLES_NAMED } from '../effort.ts';
import { describeRehearsal } from '../rehearsal.ts';
import type { Paint, Verdict, Voice } from './voice.ts';

export function plainVoice(database: Database, paint: Paint): Voice {
  return {
    event: (event) => eventLines(event, paint),
    outcome: (report) => outcomeLines(report, database),
    validated: verdictLines,
    error: (error) => error,
    rollback: (at) => ['', `Rolled back: the database is still at ${at}.`],
    loggedStep,
    remark: (text) => `  ${text}`,
    verdict: verdictLines,
  };
}

function eventLines(event: ProgressEvent, paint: Paint): string[] {
  switch (event.type) {
    case 'planned':
      // If no revision is pending, the outcome says so.
      return event.pending.length === 0 ? [] : [describeEvent(event)];
    case 'estimated':
      return [describeEvent(event)];
    case 'revision started':
      return event.direction === 'stamp' ? [] : [describeEvent(event)];
    case 'step started':
    case 'step completed':
      return [`  ${describeEvent(event)}`];
    case 'notice': {
      const line = `    ${describeEvent(event)}`;
      return [event.notice.severity === 'WARNING' ? paint.warning(line) : paint.faint(line)];
    }
    case 'notices omitted':
      return [paint.faint(`    ${describeEvent(event)}`)];
    case 'edited':
    case 'gone':
    case 'reordered':
    case 'unknown table':
    case 'unforeseen':
    case 'losing':
    case 'drifted':
    case 'unwrapped':
    case 'without downgrade':
    case 'exceeding':
    case 'waiting':
    case 'retrying':
    case 'not tried':
      return [paint.warning(`WARNING: ${describeEvent(event)}`)];
    case 'committed':
      // The result of a dry run is printed last, below its cost.
      return event.outcome === 'rehearsed' ? [] : [paint.good(describeEvent(event))];
    // The error is printed at the end, and the completed work in the line on COMMIT.
    case 'rolled back':
    case 'connected':
    case 'check completed':
    case 'revision completed':
      return [];
  }
}

function outcomeLines(report: RunReport, database: Database): string[] {
  const { outcome, direction, to } = report;
  if (outcome === 'rehearsed') {
    return [
      ...describeEffort(report, TABLES_NAMED),
      ...takenAway(report),
      ...describeRehearsal(report),
      describeEvent({ ...report, type: 'committed' }),
    ];
  }
  if (outcome === 'nothing to do') {
    return [
      direction === 'finalize'
        ? `Nothing is retired at ${to}, nothing to do`
        : `Already at ${to}, nothing to do`,
    ];
  }
  return changes(report, database);
}

/** The changed tables, as the run measured them: a line for each kind of change. */
function changes(report: RunReport, database: Database): string[] {
  const { created, revisions } = report;
  // A table that the same run made and retired counts as created, in the schema where it is now.
  const madeAndRetired = created.filter((table) => table.startsWith('retired_'));
  const made = created.filter((table) => !madeAndRetired.includes(table) && table !== VERSION_TABLE);
  const schemas = database.chain.revisions
    .filter(({ id, finalize }) => finalize !== undefined && revisions.includes(id))
    .map(({ id }) => `retired_${id}`);
  const retiredCount = countOf(report, 'retired') + madeAndRetired.length;
  const madeCount = made.length + (report.omitted?.created ?? 0);
  const [restored, dropped] = [countOf(report, 'restored'), countOf(report, 'dropped')];
  return [
    ...(madeCount > 0 ? [`${tables(madeCount)} created`] : []),
    ...(retiredCount > 0
      ? [
          `${[`${tables(retiredCount)} retired`, ...namesOf(schemas)].join(' to ')}; ${finalizes(retiredCount, database)}`,
        ]
      : []),
    ...(restored > 0 ? [`${tables(restored)} restored with every row`] : []),
    ...(dropped > 0 ? [`${tables(dropped)} dropped`] : []),
    ...takenAway(report),
    ...(report.direction === 'downgrade' ? [describeSchema(report)] : []),
  ];
}

/** The rows and columns that were there before. */
function takenAway(report: RunReport): string[] {
  return report.losses ? [`Lost or overwritten: ${describeLosses(report).join('; ')}`] : [];
}

/** Backstop's own, which the first run creates. */
const VERSION_TABLE = 'public.alembic_version';

const tables = (count: number): string => (count === 1 ? '1 table' : `${count} tables`);

const namesOf = (schemas: readonly string[]): string[] => (schemas.length > 0 ? [schemas.join(', ')] : []);

/** The command names its database if there are others, because it might otherwise choose another one. */
function finalizes(count: number, { definition, others = [] }: Database): string {
  const command = `npx backstop finalize${others.length > 0 ? ` --database ${definition.name}` : ''}`;
  return `${command} drops ${count === 1 ? 'it' : 'them'}`;
}

function loggedStep(step: StepReport): string[] {
  const { revision, title, durationMs } = step;
  return [
    `  ${stepName(step)} of ${revision}: ${seconds(durationMs)} (${title})`,
    `    ${describeStepEffort(step)}`,
  ];
}

function verdictLines({ passed, failed, durationMs }: Verdict): string[] {
  const all = passed + failed;
  const checks = all === 1 ? '1 check' : `${all} checks`;
  const verdict = failed === 0 ? `${checks} passed` : `${failed} of ${checks} failed`;
  return [`${verdict} in ${seconds(durationMs)}`];
}
