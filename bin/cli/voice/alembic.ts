// The words of Alembic and of the execution contract, line by line as both print them.

import { describeEvent, resultsOf, seconds } from '../../../lambda/migrator/model/describe.ts';
import type { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import type { ProgressEvent } from '../../../lambda/migrator/model/events.ts';
import {
  BASE,
  type Direction,
  type Notice,
  type RevisionId,
  type RunReport,
  type StepReport,
} from '../../../lambda/migrator/model/report.ts';
import type { Chain } from '../../../lambda/migrator/revisions/chain.ts';
import type { Database } from '../../../lambda/migrator/revisions/databases.ts';
import { describeEffort, describeStepEffort, TABLES_NAMED } from '../effort.ts';
import { describeRehearsal } from '../rehearsal.ts';
import type { ErrorWords, Paint, Verdict, Voice } from './voice.ts';

const alembic = (text: string): string => `INFO  [alembic.runtime.migration] ${text}`;
const migration = (revision: RevisionId, text: string): string => `INFO  [migration.${revision}] ${text}`;
const backstop = (text: string): string => `INFO  [backstop] ${text}`;

/** @param tick the sign before a check that holds */
export function alembicVoice({ chain }: Database, paint: Paint, tick: string): Voice {
  return {
    event: (event) => eventLines(event, chain, paint),
    outcome: outcomeLines,
    // The contract prints nothing after the run.
    validated: () => [],
    error: errorWords,
    rollback: () => ['', 'ROLLBACK (automatic)'],
    loggedStep: (step) => [
      migration(step.revision, `${stepOf(step, chain)}: ${seconds(step.durationMs)} (${step.title})`),
      `  ${describeStepEffort(step)}`,
    ],
    remark: backstop,
    verdict: (verdict) => verdictLines(verdict, paint, tick),
  };
}

function eventLines(event: ProgressEvent, chain: Chain, paint: Paint): string[] {
  switch (event.type) {
    case 'planned':
      return [alembic('Context impl PostgresqlImpl.'), alembic('Will assume transactional DDL.')];
    case 'revision started':
      return [alembic(event.direction === 'stamp' ? move(event) : `${move(event)}, ${event.title}`)];
    case 'step started':
      return [migration(event.revision, `${stepOf(event, chain)}: ${event.title}...`)];
    case 'step completed':
      return [migration(event.step.revision, completedStep(event.step, chain))];
    case 'revision completed':
      return completedRevision(event, paint);
    case 'notice':
      return [noticeLine(event.notice, paint)];
    case 'estimated':
      return [backstop(describeEvent(event))];
    case 'notices omitted':
      return [paint.faint(describeEvent(event))];
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
      return [paint.warning(`WARN  [backstop] ${describeEvent(event)}`)];
    // The error itself is printed at the end; the contract has no line for the others.
    case 'rolled back':
    case 'connected':
    case 'check completed':
    case 'committed':
      return [];
  }
}

/** `Running upgrade 005 -> 002`: Alembic writes nothing for base. */
function move({
  direction,
  revision,
  from,
  to,
}: {
  readonly direction: Direction;
  readonly revision: RevisionId;
  readonly from: RevisionId;
  readonly to: RevisionId;
}): string {
  if (direction === 'finalize') return `Running finalize ${revision}`;
  const verb = direction === 'stamp' ? 'stamp_revision' : direction;
  return `Running ${verb} ${orNothing(from)} -> ${orNothing(to)}`;
}

const orNothing = (revision: RevisionId): string => (revision === BASE ? '' : revision);

const STEP: Readonly<Record<Direction, string>> = {
  upgrade: 'Step',
  downgrade: 'Rollback Step',
  finalize: 'Finalize Step',
  stamp: 'Stamp Step',
};

/** `Step 1/10`, of as many steps as the contract of the revision counts. */
function stepOf(
  { direction, revision, number, of }: Pick<StepReport, 'direction' | 'revision' | 'number' | 'of'>,
  { revisions }: Chain,
): string {
  // A run of the past may be of a revision that no folder describes any more.
  const counted = revisions.find(({ id }) => id === revision)?.countedSteps;
  return `${STEP[direction]} ${number}/${direction === 'upgrade' ? (counted ?? of) : of}`;
}

function completedStep(step: StepReport, chain: Chain): string {
  return [`${stepOf(step, chain)}: Complete`, ...resultsOf(step)].join(' - ');
}

const COMPLETED: Readonly<Record<Exclude<Direction, 'stamp'>, (revision: RevisionId) => string>> = {
  upgrade: (revision) => `Migration ${revision}`,
  downgrade: (revision) => `Migration ${revision} rollback`,
  finalize: (revision) => `Finalize ${revision}`,
};

function completedRevision(
  event: Extract<ProgressEvent, { type: 'revision completed' }>,
  paint: Paint,
): string[] {
  const { direction, revision, durationMs } = event;
  if (direction === 'stamp') return [];
  const completed = `${COMPLETED[direction](revision)} completed successfully in ${seconds(durationMs)}`;
  return [paint.good(migration(revision, completed)), alembic(move(event))];
}

/** `NOTICE:  9 tables dropped`: so the contract calls it, although they are retired, and every row is kept. */
function noticeLine({ severity, message }: Notice, paint: Paint): string {
  const contract = message.replace(/^(\d+ tables?) retired to retired_\S+$/, '$1 dropped');
  return (severity === 'WARNING' ? paint.warning : paint.faint)(`${severity}:  ${contract}`);
}

/** The words of E4 of the contract are here; the revision raises the words of E1 to E3. */
function errorWords({ name, summary, detail, hint }: BackstopError): ErrorWords {
  const [bound] = /\d+(?= s\b)/.exec(summary) ?? [];
  if (name !== 'MigrationTimeout' || bound === undefined) return { summary, detail, hint };
  return {
    summary: `Migration timeout exceeded (${bound} seconds)`,
    detail: `${detail} Consider running on smaller dataset or optimizing index creation`,
    hint,
  };
}

function outcomeLines(report: RunReport): string[] {
  const { outcome, direction, to, revisions } = report;
  switch (outcome) {
    case 'nothing to do':
      return nothingToDo(direction, to);
    case 'rehearsed':
      return [
        ...describeEffort(report, TABLES_NAMED),
        ...describeRehearsal(report),
        describeEvent({ ...report, type: 'committed' }),
      ].map(backstop);
    case 'upgraded':
      return retiredLines(report);
    case 'finalized':
      return [backstop(`Finalized ${revisions.join(', ')}`)];
    default:
      return [];
  }
}

/** The contract says "dropped" above, which is true only if the same run finalizes the tables. */
function retiredLines({ retired, created }: RunReport): string[] {
  // A table that the same run made and retired counts as created, in the schema where it is now.
  const kept = retired.length > 0 || created.some((table) => table.startsWith('retired_'));
  return kept
    ? [
        backstop(
          'The dropped tables are retired with every row; to drop them for good: npx backstop finalize',
        ),
      ]
    : [];
}

function nothingToDo(direction: Direction, to: RevisionId): string[] {
  if (direction === 'finalize') return [backstop(`Nothing is retired at ${to}, nothing to do`)];
  return [
    // The contract prints this line although nothing runs; the next one says so.
    ...(direction === 'upgrade' ? [alembic(`Running upgrade  -> ${orNothing(to)}`)] : []),
    backstop(`Already at ${to}, nothing to do`),
  ];
}

/** As pytest ends, which the contract checks with. */
function verdictLines({ phase, passed, failed, durationMs }: Verdict, paint: Paint, tick: string): string[] {
  const counts = [...(failed > 0 ? [`${failed} failed`] : []), `${passed} passed`].join(', ');
  return [
    ...(phase === 'before-upgrade' && failed === 0
      ? [paint.good(`${tick} All pre-migration checks passed (${passed}/${passed})`)]
      : []),
    `${counts} in ${seconds(durationMs)}`,
  ];
}
