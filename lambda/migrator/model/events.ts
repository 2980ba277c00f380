// What a run tells while it runs: one typed stream that the log, the terminal and the report are made of.
import {
  BASE,
  type Blocker,
  type CheckReport,
  type Direction,
  type Estimate,
  type Notice,
  type Outcome,
  type RevisionId,
  type StepReport,
} from './report.ts';

/** The severity of a notice that says what a step came to: `RAISE INFO 'All validations passed'`. */
export const RESULT = 'INFO';

export type ProgressEvent =
  | { readonly type: 'connected'; readonly server: string; readonly database: string; readonly user: string }
  | {
      readonly type: 'planned';
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly pending: readonly RevisionId[];
    }
  /** What it is expected to cost. */
  | { readonly type: 'estimated'; readonly estimate: Estimate }
  /** It is expected to take longer than a table may be locked, and is not refused: only asked about, or not locking. */
  | { readonly type: 'exceeding'; readonly estimate: Estimate; readonly maxLockMs: number }
  /** An applied revision whose upgrade.sql is no longer the one that was applied. */
  | { readonly type: 'edited'; readonly revision: RevisionId }
  /** Somebody else holds a lock that this run needs; repeated while it waits. */
  | {
      readonly type: 'waiting';
      readonly lock: 'advisory' | 'table';
      readonly waitedMs: number;
      readonly blockers: readonly Blocker[];
    }
  /** A lock was not granted in time: all is rolled back and begun again after the pause. */
  | { readonly type: 'retrying'; readonly attempt: number; readonly pauseMs: number; readonly reason: string }
  | {
      readonly type: 'revision started';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly title: string;
    }
  | {
      readonly type: 'step started';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly number: number;
      readonly of: number;
      readonly title: string;
    }
  | { readonly type: 'notice'; readonly revision: RevisionId; readonly notice: Notice }
  | { readonly type: 'step completed'; readonly step: StepReport }
  | {
      readonly type: 'revision completed';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly durationMs: number;
    }
  | { readonly type: 'check completed'; readonly check: CheckReport }
  | {
      readonly type: 'committed';
      readonly direction: Direction;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly outcome: Outcome;
      readonly durationMs: number;
    }
  | {
      readonly type: 'rolled back';
      readonly direction: Direction;
      readonly from: RevisionId;
      readonly reason: string;
    };

export type Listener = (event: ProgressEvent) => void;

/** The event as one line of text, in the words of Alembic and of the execution contract. */
export function describeEvent(event: ProgressEvent): string {
  switch (event.type) {
    case 'connected':
      return `Connected to ${event.database} as ${event.user}, PostgreSQL ${event.server}`;
    case 'planned':
      return event.pending.length === 0
        ? `Already at ${event.to}, nothing to do`
        : `At ${event.from}, target ${event.to}: ${event.pending.join(', ')} to run`;
    case 'estimated':
      return `Estimated: ${describeCost(event.estimate)}`;
    case 'exceeding':
      return describeExcess(event.estimate, event.maxLockMs);
    case 'waiting':
      return `Waiting ${seconds(event.waitedMs)} for the ${event.lock} lock, held by ${describeBlockers(event.blockers)}`;
    case 'retrying':
      return `Attempt ${event.attempt} rolled back (${event.reason}), next in ${event.pauseMs} ms`;
    case 'edited':
      return `Revision ${event.revision} was edited: its upgrade.sql is not the one that was applied`;
    case 'revision started':
      return event.direction === 'stamp' ? describeMove(event) : `${describeMove(event)}, ${event.title}`;
    case 'step started':
      return `${STEP[event.direction]} ${event.number}/${event.of}: ${event.title}...`;
    case 'notice':
      return `${event.notice.severity}:  ${event.notice.message}`;
    case 'step completed':
      return [
        `${STEP[event.step.direction]} ${event.step.number}/${event.step.of}: Complete`,
        ...event.step.notices.filter(({ severity }) => severity === RESULT).map(({ message }) => message),
      ].join(' - ');
    case 'revision completed':
      return `${COMPLETED[event.direction](event.revision)} completed successfully in ${seconds(event.durationMs)}`;
    case 'check completed':
      return event.check.passed
        ? `✓ ${event.check.id} ${event.check.title}`
        : `✗ ${event.check.id} ${event.check.title} (${event.check.violations} rows violate it)`;
    case 'committed':
      return event.outcome === 'rehearsed'
        ? `Rolled back as asked: ${event.from} -> ${event.to} would have succeeded in ${seconds(event.durationMs)}`
        : `Committed: ${event.from} -> ${event.to} in ${seconds(event.durationMs)}`;
    case 'rolled back':
      return `Rolled back, still at ${event.from}: ${event.reason}`;
  }
}

/** `0.06s in all, public.code_chunks and 10 more tables locked for 0.05s`. */
function describeCost({ durationMs, lockMs, tables }: Estimate): string {
  const [first, ...others] = tables.filter((table) => table.lockMs > 0);
  if (first === undefined) return `${seconds(durationMs)} in all, no table locked that is there now`;
  const more = others.length === 0 ? '' : ` and ${others.length} more table${others.length === 1 ? '' : 's'}`;
  return `${seconds(durationMs)} in all, ${first.relation}${more} locked for ${seconds(lockMs)}`;
}

function describeExcess({ durationMs, lockMs, tables }: Estimate, maxLockMs: number): string {
  return lockMs > maxLockMs
    ? `${tables[0]?.relation} would be locked for about ${seconds(lockMs)}, longer than the ${seconds(maxLockMs)} that it may`
    : `It would take about ${seconds(durationMs)}, longer than the ${seconds(maxLockMs)} that a table may be locked`;
}

/** `pid 42 (alice, psql, idle in transaction): select …`, one for each blocker. */
export function describeBlockers(blockers: readonly Blocker[]): string {
  if (blockers.length === 0) return 'a session that has ended since';
  return blockers
    .map(
      ({ pid, user, application, state, query }) =>
        `pid ${pid} (${[user, application, state].filter(Boolean).join(', ')}): ${query}`,
    )
    .join('; ');
}

/** `Running upgrade 005 -> 002`, as Alembic writes it: base is nothing. */
export function describeMove({
  direction,
  revision,
  from,
  to,
}: Pick<
  Extract<ProgressEvent, { type: 'revision started' }>,
  'direction' | 'revision' | 'from' | 'to'
>): string {
  if (direction === 'finalize') return `Running finalize ${revision}`;
  const verb = direction === 'stamp' ? 'stamp_revision' : direction;
  return `Running ${verb} ${from === BASE ? '' : from} -> ${to === BASE ? '' : to}`;
}

const COMPLETED: Readonly<Record<Direction, (revision: RevisionId) => string>> = {
  upgrade: (revision) => `Migration ${revision}`,
  downgrade: (revision) => `Migration ${revision} rollback`,
  finalize: (revision) => `Finalize ${revision}`,
  stamp: (revision) => `Stamp ${revision}`,
};

/** What a step is called. */
export const STEP: Readonly<Record<Direction, string>> = {
  upgrade: 'Step',
  downgrade: 'Rollback Step',
  finalize: 'Finalize Step',
  stamp: 'Stamp Step',
};

/** `0.05s`, as Alembic and the contract write a duration. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`;
}
