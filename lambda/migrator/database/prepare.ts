// The preparation of a run: the plan, the checks before an upgrade, the estimate.
import { requireBriefLock } from '../model/bounds.ts';
import { bothOf, workMs } from '../model/estimated.ts';
import { type Planned, requirePlanned } from '../model/planned.ts';
import type { Estimate, Plan, TableEstimate } from '../model/report.ts';
import { revisionOf } from '../revisions/chain.ts';
import { functionNamesIn } from '../revisions/effects.ts';
import type { Revision, Script } from '../revisions/revision.ts';
import { lacksDowngrade, requireRunnable } from '../revisions/runnable.ts';
import type { Queries } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import { isDenied } from '../session/sqlstate.ts';
import { refusedBy, runChecks } from './checks.ts';
import { findUnknown } from './declared.ts';
import { readDrift } from './drift.ts';
import { estimateCost } from './estimate.ts';
import { readForeseenLosses } from './foreseen-losses.ts';
import { makePlan } from './plan.ts';
import { requirePrivileges } from './privileges.ts';
import { requireNoStrangers } from './strangers.ts';
import { knownTables } from './trust.ts';

/**
 * Plans, and runs the checks before an upgrade of every pending revision.
 *
 * @param planned the plan that it must be; default: any
 * @throws UnknownRevision, InvalidInput for the target; RevisionOutOfOrder; PlanChanged; RevisionInvalid if a file that the run
 *   needs cannot be run; PrivilegeMissing; the refusals of the checks
 */
export async function preparePlan(
  session: Session,
  direction: Plan['direction'],
  target: string,
  planned?: Planned,
): Promise<Plan> {
  const { database, bounds, listener } = session;
  const found = await makePlan(session, database, direction, target).catch(async (error: unknown) => {
    // Even to read may be denied: the statement that allows it is a better answer.
    if (isDenied(error)) await requirePrivileges(session, { locks: [], retires: [] });
    throw error;
  });
  requirePlanned(found, planned);
  const plan = await withDrift(session, found);
  const { from, to, pending, edited, gone, reordered, transactions } = plan;
  const revisions = pending.map((id) => revisionOf(database.chain, id));
  await requirePrivilegesOf(session, revisions, direction);
  await requireNoStrangers(
    session,
    knownTables(database),
    revisions.map((revision) => revision[direction].searchPath),
    functionNamesIn(readableScripts(revisions.map((revision) => revision[direction]))),
  );
  if (plan.drift) listener({ type: 'drifted', drift: plan.drift });
  for (const revision of edited) listener({ type: 'edited', revision });
  if (gone) listener({ type: 'gone', revisions: gone });
  if (reordered) listener({ type: 'reordered', revisions: reordered });
  listener({ type: 'planned', from, to, pending, ...(transactions && { transactions }) });
  requireRunnable(revisions, direction);
  tellUnwrapped(
    session,
    revisions.map((revision) => revision[direction]),
  );
  for (const revision of revisions.filter(lacksDowngrade)) {
    listener({ type: 'without downgrade', direction, revision: revision.id });
  }
  if (direction === 'downgrade') return plan;
  for (const id of pending) {
    const { checks, upgrade } = revisionOf(database.chain, id);
    const checking = { revision: id, phase: 'before-upgrade', checks: checks['before-upgrade'] } as const;
    const validation = await runChecks(session, checking, {
      timeoutMs: bounds.transactionMs,
      listener,
      known: knownTables(database),
    });
    if (!validation.passed) throw refusedBy(validation, [...upgrade.refuses.values()]);
  }
  for (const unknown of await findUnknown(session, revisions))
    listener({ type: 'unknown table', ...unknown });
  const losses = await readForeseenLosses(
    session,
    revisions.map(({ upgrade }) => upgrade),
  );
  if (losses.length === 0) return plan;
  listener({ type: 'losing', losses });
  return { ...plan, losses };
}

/** The plan, with the drift of the schema. */
export async function withDrift(queries: Queries, plan: Plan): Promise<Plan> {
  const drift = await readDrift(queries);
  return drift ? { ...plan, drift } : plan;
}

/** Requires what these revisions need. Throws PrivilegeMissing. */
export async function requirePrivilegesOf(
  session: Session,
  revisions: readonly Revision[],
  direction: Plan['direction'],
): Promise<void> {
  if (revisions.length === 0) return;
  await requirePrivileges(session, {
    locks: revisions.flatMap((revision) => revision[direction].locks),
    retires: direction === 'upgrade' ? revisions.flatMap(({ retires }) => retires) : [],
    scripts: readableScripts(revisions.map((revision) => revision[direction])),
  });
}

/** None if one of them cannot be read: that is refused later, by its own name. */
function readableScripts(scripts: readonly Script[]): readonly Script[] {
  try {
    for (const script of scripts) void script.steps;
    return scripts;
  } catch {
    return [];
  }
}

/** Tells which files lose the BEGIN and COMMIT that enclose them. */
export function tellUnwrapped({ listener }: Session, scripts: readonly Script[]): void {
  for (const { unwrapped } of scripts) if (unwrapped) listener({ type: 'unwrapped', at: unwrapped });
}

/**
 * The estimated cost of a run.
 *
 * @param transactions the scripts of each transaction: it releases its locks
 * @param binding whether a lock that would be held too long is refused; otherwise it is only reported
 * @throws LockTooLong
 */
export async function prepareEstimate(
  session: Session,
  transactions: readonly (readonly Script[])[],
  binding: boolean,
): Promise<Estimate> {
  const { bounds, listener } = session;
  const { maxLockMs } = bounds;
  const estimates: Estimate[] = [];
  for (const scripts of transactions) estimates.push(await estimateCost(session, scripts));
  const estimate = inTurn(estimates);
  listener({ type: 'estimated', estimate });
  if (binding) requireBriefLock(estimate, maxLockMs);
  if (estimate.durationMs > maxLockMs) listener({ type: 'exceeding', estimate, maxLockMs });
  return estimate;
}

/** One transaction after the other: their times add up, and the longest lock counts. */
function inTurn(estimates: readonly Estimate[]): Estimate {
  const [only, ...others] = estimates;
  if (only !== undefined && others.length === 0) return only;
  return {
    durationMs: estimates.reduce((sum, { durationMs }) => sum + durationMs, 0),
    lockMs: Math.max(0, ...estimates.map(({ lockMs }) => lockMs)),
    tables: mergeTables(estimates.flatMap(({ tables }) => tables)),
  };
}

function mergeTables(all: readonly TableEstimate[]): TableEstimate[] {
  const tables = new Map<string, TableEstimate>();
  for (const table of all) {
    const known = tables.get(table.relation);
    tables.set(table.relation, known ? bothOf(known, table) : table);
  }
  return [...tables.values()].sort((a, b) => workMs(b) - workMs(a));
}
