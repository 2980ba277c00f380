// Reconcile: the answer of Migrate was lost, so the database is asked for the outcome.
import { reconcile } from './migrator/inspect.ts';
import { BackstopError } from './migrator/model/errors.ts';
import type { Plan, RevisionId, RunReport } from './migrator/model/report.ts';
import { stateHandler } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import type { Reconciliation, StateWith } from './state.ts';

/** The measures of the migration whose answer was lost. */
const measure = ({ migration }: Reconciliation) => (migration ? measureRun(migration) : {});

export const handler = stateHandler(
  { step: 'Reconcile', needs: ['plan', 'snapshot'], measure },
  async (state, tools) => {
    const { revision, upgrade } = await reconcile(migratorOptions(state, tools));
    requireWhole(state.plan, revision, upgrade);
    return judge(state, revision, upgrade);
  },
);

/** Throws PartlyApplied if only some of the transactions of this execution are committed. */
function requireWhole({ from, to }: Plan, revision: RevisionId, migration: RunReport | undefined): void {
  if (revision === from || revision === to || migration?.to !== revision) return;
  throw new BackstopError('PartlyApplied', {
    message: `The answer of Migrate was lost; the database is at ${revision}, on the way from ${from} to ${to}`,
    detail: `Committed: ${migration.revisions.join(', ')}.`,
  });
}

function judge(
  { plan, snapshot }: StateWith<'plan' | 'snapshot'>,
  revision: RevisionId,
  migration: RunReport | undefined,
): Reconciliation {
  const message = `The answer of Migrate was lost; the database is at ${revision}`;
  switch (revision) {
    case plan.to:
      return { revision, verdict: 'committed', message: `${message}.`, migration };
    case plan.from:
      return {
        revision,
        verdict: 'rolled back',
        message: `${message}, unchanged.\nHINT:  Start a new execution.`,
      };
    default:
      return {
        revision,
        verdict: 'elsewhere',
        message:
          `${message}, neither ${plan.from} nor ${plan.to}: another run moved it.\n` +
          'HINT:  Look into backstop.history for that run, then start an execution with the action status. ' +
          snapshot.restore,
      };
  }
}
