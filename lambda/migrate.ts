// Migrate: everything that is pending, in one transaction.
import { upgrade } from './migrator/migrator.ts';
import { isDrill } from './runtime/drill.ts';
import { stateHandler } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

/**
 * The estimate of Preflight binds. This one is made anew, and no two are equal: only what has grown in earnest since is
 * refused, because by now there is a snapshot.
 */
const LOCK_ESTIMATE_MARGIN = 2;

export const handler = stateHandler({ step: 'Migrate', measure: measureRun }, async (state, tools) => {
  const options = migratorOptions(state, tools);
  const bounds = { ...options.bounds, maxLockMs: options.bounds.maxLockMs * LOCK_ESTIMATE_MARGIN };
  const report = await upgrade({ ...options, bounds }, state.plan?.to ?? state.request.target);
  // The drill for an answer that is lost: committed, and nobody hears of it.
  if (isDrill(state, 'migrate-lost')) process.exit(1);
  return report;
});
