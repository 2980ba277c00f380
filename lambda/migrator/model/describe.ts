// The words for the events of a run, the same in the log and at the terminal.
import { describeOmitted } from './bounded.ts';
import { describeChanges } from './differences.ts';
import { type ProgressEvent, RESULT } from './events.ts';
import { formatLocation } from './location.ts';
import { describeLosses } from './losing.ts';
import { withEscapes } from './printable.ts';
import type { Blocker, Direction, Estimate, Plan, RevisionId, StepReport } from './report.ts';

/** Event → the event as one line of plain text, as the functions log it. */
const LINES: { readonly [Type in ProgressEvent['type']]: (event: EventOf<Type>) => string } = {
  connected: ({ database, user, server }) => `Connected to ${database} as ${user}, PostgreSQL ${server}`,
  planned: describePlan,
  estimated: ({ estimate }) => `Estimated: ${describeCost(estimate)}`,
  exceeding: ({ estimate, maxLockMs }) => describeExcess(estimate, maxLockMs),
  edited: ({ revision }) =>
    `Revision ${revision} was edited after it was applied: its upgrade.sql has changed`,
  gone: ({ revisions }) => `${someOf(revisions)} applied here, without a folder now`,
  reordered: ({ revisions }) =>
    `${someOf(revisions)} applied before revisions that the chain has below: its order has changed`,
  unwrapped: ({ at }) =>
    `${formatLocation(at)}: BEGIN and COMMIT are left out, because all revisions of a run share one transaction`,
  'without downgrade': ({ revision, direction }) =>
    `Downgrade of ${revision}: none. Its downgrade.sql holds no SQL${direction === 'upgrade' ? '' : ': nothing but the version changes'}`,
  'unknown table': ({ revision, tables }) =>
    `The header of ${revision} names ${firstOf(tables)}, but there is no such table`,
  drifted: ({ drift }) => `The schema has changed since the last run: ${describeChanges(drift)}`,
  losing: ({ losses }) => `The upgrade takes away for good: ${describeLosses({ losses }).join('; ')}`,
  unforeseen: ({ locks }) =>
    `The run locked ${firstOf(locks.map(({ relation, mode }) => `${relation} in ${mode}`))}, which its statements do not show: name it in "Locks:"`,
  waiting: ({ lock, waitedMs, blockers }) =>
    `Waiting ${seconds(waitedMs)} for the ${lock} lock, held by ${describeBlockers(blockers)}`,
  retrying: ({ attempt, reason, pauseMs }) =>
    `Attempt ${attempt} rolled back (${reason}), next attempt in ${pauseMs} ms`,
  'revision started': (event) =>
    event.direction === 'stamp' ? describeMove(event) : `${describeMove(event)}: ${withoutMove(event.title)}`,
  'step started': (event) => `${stepName(event)}: ${event.title}`,
  notice: ({ notice }) => `${notice.severity}: ${notice.message}`,
  'notices omitted': ({ count }) => describeOmitted(count),
  'step completed': ({ step }) => describeCompletedStep(step),
  'revision completed': (event) => `${describeMove(event)} completed in ${seconds(event.durationMs)}`,
  'not tried': ({ revisions }) =>
    `Not tried: ${revisions.join(', ')}, because the transaction before must be committed first`,
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
function describePlan({ from, to, pending, transactions }: EventOf<'planned'>): string {
  // Only a downgrade has work to do on the revision that the database is at.
  const work = pending.includes(from) ? 'take back' : 'run';
  if (pending.length > 0) {
    return `At ${from}, target ${to}: ${pending.join(', ')} to ${work}${describeTransactions(transactions)}`;
  }
  return from === to ? `Already at ${to}, nothing to do` : `At ${from}, target ${to}: no revision to run`;
}

/** ` in 2 transactions: 001, 002 | 003`; nothing if there is only one. */
export function describeTransactions(transactions: Plan['transactions'] = []): string {
  if (transactions.length < 2) return '';
  return ` in ${transactions.length} transactions: ${transactions.map((ids) => ids.join(', ')).join(' | ')}`;
}

/** How many revisions a line names. */
const REVISIONS_NAMED = 5;

/** `Revision 002 was`, `Revisions 002, 003 were`. */
export function someOf(revisions: readonly RevisionId[]): string {
  const named = revisions.slice(0, REVISIONS_NAMED).join(', ');
  const more = revisions.length - REVISIONS_NAMED;
  if (revisions.length === 1) return `Revision ${named} was`;
  return `Revisions ${named}${more > 0 ? ` and ${more} more` : ''} were`;
}

/** `0.06s in all, public.orders and 10 more tables locked for 0.05s`. */
function describeCost({ durationMs, lockMs, tables, omitted }: Estimate): string {
  const [first, ...others] = tables.filter((table) => table.lockMs > 0);
  if (first === undefined) return `${seconds(durationMs)} in all, no existing table locked`;
  const count = others.length + (omitted?.tables ?? 0);
  const more = count === 0 ? '' : ` and ${count} more table${count === 1 ? '' : 's'}`;
  return `${seconds(durationMs)} in all, ${first.relation}${more} locked for ${seconds(lockMs)}`;
}

function describeExcess({ durationMs, lockMs, tables }: Estimate, maxLockMs: number): string {
  return lockMs > maxLockMs
    ? `${tables[0]?.relation} would be locked for about ${seconds(lockMs)}, longer than the limit of ${seconds(maxLockMs)}`
    : `The run would take about ${seconds(durationMs)}, longer than the limit of ${seconds(maxLockMs)} for a lock`;
}

/** The first three, and how many more there are. */
function firstOf(names: readonly string[]): string {
  const rest = names.length - 3;
  return names.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** `pid 42 (alice, psql, idle in transaction) since …: UPDATE, holds public.orders`, or `prepared transaction 'name' of alice`. */
export function describeBlockers(blockers: readonly Blocker[]): string {
  if (blockers.length === 0) return 'a session that has ended since';
  return blockers
    .map((blocker) => {
      const { command, relation } = blocker;
      const work = [command, relation && `holds ${relation}`].filter(Boolean).join(', ');
      return [nameOf(blocker), work].filter(Boolean).join(': ');
    })
    .join('; ');
}

function nameOf({ pid, user, application, state, since, gid }: Blocker): string {
  const name =
    typeof gid === 'string'
      ? `prepared transaction ${quoted(gid)} of ${user}`
      : `pid ${pid} (${[user, application, state].filter(Boolean).join(', ')})`;
  return since ? `${name} since ${since}` : name;
}

/** The statement that ends the blocker. */
export function endOf(blocker: Blocker | undefined): string {
  const { gid, pid = 'pid' } = blocker ?? {};
  return typeof gid === 'string'
    ? `ROLLBACK PREPARED ${quoted(gid)};`
    : `SELECT pg_terminate_backend(${pid});`;
}

/** As a literal of SQL, without a character that a terminal obeys. */
function quoted(text: string): string {
  const literal = text.replaceAll("'", "''");
  const escaped = withEscapes(literal.replaceAll('\\', '\\\\'));
  return escaped === literal ? `'${literal}'` : `E'${escaped}'`;
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

/** In one line. */
const RESULTS_SHOWN = 10;

/** `Step 2/8 done in 0.05s: All rows copied`. */
function describeCompletedStep(step: StepReport): string {
  return [`${stepName(step)} done in ${seconds(step.durationMs)}`, ...resultsOf(step)].join(': ');
}

/** The results of a step; of many the first, the last, and how many there are between. */
export function resultsOf({ notices, omitted }: StepReport): string[] {
  const results = notices.filter(({ severity }) => severity === RESULT).map(({ message }) => message);
  if (results.length <= RESULTS_SHOWN) return results;
  const between = results.length - 2 + (omitted?.notices ?? 0);
  return [results[0] as string, describeOmitted(between), results.at(-1) as string];
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
