// Preflight: connects, and finds out what there is to do; refuses early what can be known by then.
import { requireBriefLock } from './migrator/estimate.ts';
import { plan } from './migrator/migrator.ts';
import { requireAtTarget } from './migrator/plan.ts';
import { stateHandler } from './runtime/handler.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

export const handler = stateHandler({ step: 'Preflight' }, async (state, tools) => {
  const { action, target, maxLock } = state.request;
  const found = await plan(
    migratorOptions(state, tools),
    action === 'downgrade' ? 'downgrade' : 'upgrade',
    target,
  );
  if (action === 'status' || action === 'finalize') requireAtTarget(found);
  // Migrate would refuse it, too, but only once the snapshot is taken.
  if (action === 'upgrade' && found.estimate) requireBriefLock(found.estimate, maxLock * 1000);
  return found;
});
