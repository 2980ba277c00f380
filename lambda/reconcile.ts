// Reconcile: the answer of Migrate was lost, so the database is asked what is true.
import { currentRevision } from './migrator/migrator.ts';
import { stateHandler } from './runtime/handler.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import type { Reconciliation } from './state.ts';

export const handler = stateHandler(async (state, tools): Promise<Reconciliation> => {
  const revision = await currentRevision(migratorOptions(state, tools));
  const { from, to } = state.plan ?? {};
  if (revision === to) {
    return {
      revision,
      verdict: 'committed',
      message: `The answer of Migrate was lost; the database is at ${to}.`,
    };
  }
  const where = `The answer of Migrate was lost; the database is at ${revision}`;
  return revision === from
    ? { revision, verdict: 'rolled back', message: `${where}, unchanged.\nHINT:  Start a new execution.` }
    : {
        revision,
        verdict: 'elsewhere',
        message:
          `${where}, neither ${from} nor ${to}: somebody else moved it.\n` +
          'HINT:  Look into backstop.history for who it was, then start an execution with the action status. ' +
          `To go back to the snapshot: ${state.snapshot?.restoreCommand}`,
      };
});
