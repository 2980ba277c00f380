// Preflight: connects and makes the plan; refuses a run early if it cannot succeed.

import { plan } from './migrator/inspect.ts';
import { requireBriefLock } from './migrator/model/bounds.ts';
import { requireNoDrift } from './migrator/model/drifted.ts';
import { BackstopError } from './migrator/model/errors.ts';
import { requireLeave } from './migrator/model/losing.ts';
import { requirePlanned } from './migrator/model/planned.ts';
import type { Plan } from './migrator/model/report.ts';
import { stateHandler } from './runtime/handler.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

export const handler = stateHandler({ step: 'Preflight' }, async (state, tools) => {
  const { action, target, maxLock, allowLoss, drift, plan: checksum } = state.request;
  const found = await plan(
    migratorOptions(state, tools),
    action === 'downgrade' ? 'downgrade' : 'upgrade',
    target,
  );
  if (action === 'status' || action === 'finalize') requireAtTarget(found);
  if (checksum !== undefined) requirePlanned(found, { checksum });
  if (drift === 'refuse' && action !== 'plan' && action !== 'status') requireNoDrift(found);
  // Migrate would refuse it, too, but only once the snapshot is taken.
  if (action === 'upgrade' && found.estimate) requireBriefLock(found.estimate, maxLock * 1000);
  if (action === 'upgrade' && !allowLoss) requireLeave(found, 'Nothing was changed.');
  return found;
});

/** Throws NotAtTarget if the plan still has something to do. */
function requireAtTarget({ from, to, pending }: Plan): void {
  if (pending.length === 0) return;
  throw new BackstopError('NotAtTarget', {
    message: `The database is at ${from}, not at ${to}`,
    detail: `Pending: ${pending.join(', ')}.`,
    hint: 'Start an execution with {"action":"upgrade"}.',
  });
}
