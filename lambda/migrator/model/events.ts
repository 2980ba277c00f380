// The events of a run: one typed stream, from which the log and the terminal make their lines.
import { formatLocation, type Location } from './location.ts';
import type {
  Blocker,
  CheckReport,
  Direction,
  Estimate,
  Notice,
  Outcome,
  RevisionId,
  StepReport,
} from './report.ts';

/** The severity of a notice that is the result of a step: `RAISE INFO 'All rows copied'`. */
export const RESULT = 'INFO';

export type ProgressEvent =
  | { readonly type: 'connected'; readonly server: string; readonly database: string; readonly user: string }
  | {
      readonly type: 'planned';
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly pending: readonly RevisionId[];
    }
  /** How long the run is expected to take. */
  | { readonly type: 'estimated'; readonly estimate: Estimate }
  /** The run is expected to exceed the limit for a lock, and is not refused: it is a dry run, or locks no table. */
  | { readonly type: 'exceeding'; readonly estimate: Estimate; readonly maxLockMs: number }
  /** The upgrade.sql of an applied revision has changed since. */
  | { readonly type: 'edited'; readonly revision: RevisionId }
  /** A file of a pending revision is enclosed by BEGIN and COMMIT, which are not sent. */
  | { readonly type: 'unwrapped'; readonly at: Location }
  /** The downgrade of a pending revision takes nothing back, although its upgrade holds something. */
  | {
      readonly type: 'without downgrade';
      readonly direction: 'upgrade' | 'downgrade';
      readonly revision: RevisionId;
    }
  /** Another session holds a lock that this run needs; repeated while it waits. */
  | {
      readonly type: 'waiting';
      readonly lock: 'advisory' | 'table';
      readonly waitedMs: number;
      readonly blockers: readonly Blocker[];
    }
  /** A lock was not granted in time: everything is rolled back, and tried again after the pause. */
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

/** Event → the event as one line of plain text, as the functions log it. */
const LINES: { readonly [Type in ProgressEvent['type']]: (event: EventOf<Type>) => string } = {
  connected: ({ database, user, server }) => `Connected to ${database} as ${user}, PostgreSQL ${server}`,
  planned: describePlan,
  estimated: ({ estimate }) => `Estimated: ${describeCost(estimate)}`,
  exceeding: ({ estimate, maxLockMs }) => describeExcess(estimate, maxLockMs),
  edited: ({ revision }) =>
    `Revision ${revision} was edited after it was applied: its upgrade.sql has changed`,
  unwrapped: ({ at }) =>
    `${formatLocation(at)}: BEGIN and COMMIT are left out, because all revisions of a run share one transaction`,
  'without downgrade': ({ revision, direction }) =>
    `Downgrade of ${revision}: none. Its downgrade.sql holds no SQL${direction === 'upgrade' ? '' : ': nothing but the version changes'}`,
  waiting: ({ lock, waitedMs, blockers }) =>
    `Waiting ${seconds(waitedMs)} for the ${lock} lock, held by ${describeBlockers(blockers)}`,
  retrying: ({ attempt, reason, pauseMs }) =>
    `Attempt ${attempt} rolled back (${reason}), next attempt in ${pauseMs} ms`,
  'revision started': (event) =>
    event.direction === 'stamp' ? describeMove(event) : `${describeMove(event)}: ${withoutMove(event.title)}`,
  'step started': (event) => `${stepName(event)}: ${event.title}`,
  notice: ({ notice }) => `${notice.severity}: ${notice.message}`,
  'step completed': ({ step }) => describeCompletedStep(step),
  'revision completed': (event) => `${describeMove(event)} completed in ${seconds(event.durationMs)}`,
  'check completed': ({ check: { passed, id, title, violations } }) =>
    passed ? `✓ ${id} ${title}` : `✗ ${id} ${title} (${describeViolations(violations)})`,
  committed: ({ direction, from, to, outcome, durationMs }) =>
    outcome === 'rehearsed'
      ? `Dry run: ${direction} ${from} -> ${to} succeeds in ${seconds(durationMs)}; rolled back, nothing was changed`
      : `${COMMITTED[direction]} ${from === to ? to : `${from} -> ${to}`} in ${seconds(durationMs)}`,
  'rolled back': ({ from, reason }) => `Rolled back, still at ${from}: ${reason}`,
};

type EventOf<Type extends ProgressEvent['type']> = Extract<ProgressEvent, { type: Type }>;

/** The event as one line of plain text. */
export function describeEvent(event: ProgressEvent): string {
  const describe = LINES[event.type] as (event: ProgressEvent) => string;
  return describe(event);
}

/** `At 001, target 003: 002, 003 to run`. A stamp runs nothing, and moves all the same. */
function describePlan({ from, to, pending }: EventOf<'planned'>): string {
  // Only a downgrade has work to do on the revision that the database is at.
  const work = pending.includes(from) ? 'take back' : 'run';
  if (pending.length > 0) return `At ${from}, target ${to}: ${pending.join(', ')} to ${work}`;
  return from === to ? `Already at ${to}, nothing to do` : `At ${from}, target ${to}: no revision to run`;
}

/** `0.06s in all, public.orders and 10 more tables locked for 0.05s`. */
function describeCost({ durationMs, lockMs, tables }: Estimate): string {
  const [first, ...others] = tables.filter((table) => table.lockMs > 0);
  if (first === undefined) return `${seconds(durationMs)} in all, no existing table locked`;
  const more = others.length === 0 ? '' : ` and ${others.length} more table${others.length === 1 ? '' : 's'}`;
  return `${seconds(durationMs)} in all, ${first.relation}${more} locked for ${seconds(lockMs)}`;
}

function describeExcess({ durationMs, lockMs, tables }: Estimate, maxLockMs: number): string {
  return lockMs > maxLockMs
    ? `${tables[0]?.relation} would be locked for about ${seconds(lockMs)}, longer than the limit of ${seconds(maxLockMs)}`
    : `The run would take about ${seconds(durationMs)}, longer than the limit of ${seconds(maxLockMs)} for a lock`;
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

/** `Upgrade 001 -> 002`, `Finalize 002`. */
function describeMove({
  direction,
  revision,
  from,
  to,
}: Pick<EventOf<'revision started'>, 'direction' | 'revision' | 'from' | 'to'>): string {
  return direction === 'finalize' ? `Finalize ${revision}` : `${MOVE[direction]} ${from} -> ${to}`;
}

/** A title such as `Rollback: Add orders` without the words that the line has already. */
function withoutMove(title: string): string {
  return title.replace(/^(Rollback|Finalize): /, '');
}

/** `Step 2/8 done in 0.05s: All rows copied`. */
function describeCompletedStep(step: StepReport): string {
  const results = step.notices.filter(({ severity }) => severity === RESULT).map(({ message }) => message);
  return [`${stepName(step)} done in ${seconds(step.durationMs)}`, ...results].join(': ');
}

/** `Step 2/8`, `Downgrade step 2/8`. */
export function stepName({ direction, number, of }: Pick<StepReport, 'direction' | 'number' | 'of'>): string {
  return `${STEP[direction]} ${number}/${of}`;
}

/** `1 row violates it`. */
export function describeViolations(violations: number): string {
  return violations === 1 ? '1 row violates it' : `${violations} rows violate it`;
}

const MOVE: Readonly<Record<Direction, string>> = {
  upgrade: 'Upgrade',
  downgrade: 'Downgrade',
  finalize: 'Finalize',
  stamp: 'Stamp',
};

const STEP: Readonly<Record<Direction, string>> = {
  upgrade: 'Step',
  downgrade: 'Downgrade step',
  finalize: 'Finalize step',
  stamp: 'Stamp step',
};

const COMMITTED: Readonly<Record<Direction, string>> = {
  upgrade: 'Upgraded',
  downgrade: 'Downgraded',
  finalize: 'Finalized',
  stamp: 'Stamped',
};

/** A duration in ms as `0.05s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`;
}
