// Reconcile: the answer of Migrate was lost, so the database is asked what is true.
import { reconcile } from './migrator/inspect.ts';
import { stateHandler } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import type { Reconciliation } from './state.ts';

/** Of the migration whose answer was lost, and its measures with it. */
const measure = ({ migration }: Reconciliation) => (migration ? measureRun(migration) : {});

export const handler = stateHandler(
  { step: 'Reconcile', measure },
  async (state, tools): Promise<Reconciliation> => {
    const { revision, upgrade: migration } = await reconcile(migratorOptions(state, tools));
    const { from, to } = state.plan ?? {};
    const message = `The answer of Migrate was lost; the database is at ${revision}`;
    if (revision === to) return { revision, verdict: 'committed', message: `${message}.`, migration };
    if (revision === from) {
      return {
        revision,
        verdict: 'rolled back',
        message: `${message}, unchanged.\nHINT:  Start a new execution.`,
      };
    }
    return {
      revision,
      verdict: 'elsewhere',
      message:
        `${message}, neither ${from} nor ${to}: somebody else moved it.\n` +
        'HINT:  Look into backstop.history for who it was, then start an execution with the action status. ' +
        `To go back to the snapshot: ${state.snapshot?.restoreCommand}`,
    };
  },
);
