// The preparation of a run: the plan, the checks before an upgrade, the estimate.
import { requireBriefLock } from '../model/bounds.ts';
import type { Estimate, Plan } from '../model/report.ts';
import { revisionOf } from '../revisions/chain.ts';
import type { Script } from '../revisions/revision.ts';
import { lacksDowngrade, requireRunnable } from '../revisions/runnable.ts';
import type { Session } from '../session/session.ts';
import { refusedBy, runChecks } from './checks.ts';
import { estimateCost } from './estimate.ts';
import { makePlan } from './plan.ts';

/**
 * Plans, and runs the checks before an upgrade of every pending revision.
 *
 * @throws UnknownRevision, InvalidInput for the target; RevisionInvalid if a file that the run needs cannot be run; the
 *   refusals of the checks
 */
export async function preparePlan(
  session: Session,
  direction: Plan['direction'],
  target: string,
): Promise<Plan> {
  const { database, bounds, listener } = session;
  const plan = await makePlan(session, database, direction, target);
  const { from, to, pending, edited } = plan;
  for (const revision of edited) listener({ type: 'edited', revision });
  listener({ type: 'planned', from, to, pending });
  const revisions = pending.map((id) => revisionOf(database.chain, id));
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
    const validation = await runChecks(session, checking, { timeoutMs: bounds.transactionMs, listener });
    if (!validation.passed) throw refusedBy(validation, [...upgrade.refuses.values()]);
  }
  return plan;
}

/** Tells which files lose the BEGIN and COMMIT that enclose them. */
export function tellUnwrapped({ listener }: Session, scripts: readonly Script[]): void {
  for (const { unwrapped } of scripts) if (unwrapped) listener({ type: 'unwrapped', at: unwrapped });
}

/**
 * The estimated cost of the scripts as one run.
 *
 * @param binding whether a lock that would be held too long is refused; otherwise it is only reported
 * @throws LockTooLong
 */
export async function prepareEstimate(
  session: Session,
  scripts: readonly Script[],
  binding: boolean,
): Promise<Estimate> {
  const { bounds, listener } = session;
  const { maxLockMs } = bounds;
  const estimate = await estimateCost(session, scripts);
  listener({ type: 'estimated', estimate });
  if (binding) requireBriefLock(estimate, maxLockMs);
  if (estimate.durationMs > maxLockMs) listener({ type: 'exceeding', estimate, maxLockMs });
  return estimate;
}
