// Preflight: connects, and finds out what there is to do; refuses early what can be known by then.
import { plan } from './migrator/migrator.ts';
import { requireAtTarget } from './migrator/plan.ts';
import { stateHandler } from './runtime/handler.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

export const handler = stateHandler(async (state, tools) => {
  const { action, target } = state.request;
  const found = await plan(
    migratorOptions(state, tools),
    action === 'downgrade' ? 'downgrade' : 'upgrade',
    target,
  );
  if (action === 'status' || action === 'finalize') requireAtTarget(found);
  return found;
});
