// Migrate: everything that is pending, in one transaction.
import { upgrade } from './migrator/migrator.ts';
import { isDrill } from './runtime/drill.ts';
import { stateHandler } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

/** Preflight's estimate binds. Migrate estimates again after the snapshot: it refuses only if it has clearly grown. */
const LOCK_ESTIMATE_MARGIN = 2;

export const handler = stateHandler(
  { step: 'Migrate', needs: ['plan'], measure: measureRun },
  async (state, tools) => {
    const options = migratorOptions(state, tools);
    const bounds = { ...options.bounds, maxLockMs: options.bounds.maxLockMs * LOCK_ESTIMATE_MARGIN };
    const { allowLoss, drift } = state.request;
    const report = await upgrade({ ...options, bounds }, state.plan.to, {
      allowLoss,
      strict: drift === 'refuse',
      planned: state.plan,
    });
    // The drill for a lost answer: committed, and the function never says so.
    if (isDrill(state, 'migrate-lost')) process.exit(1);
    return report;
  },
);
