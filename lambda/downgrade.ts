// Downgrade: steps back to the revision that this execution found, or to the revision that its input names.
import { reconcile } from './migrator/inspect.ts';
import { downgrade } from './migrator/migrator.ts';
import type { RunReport } from './migrator/model/report.ts';
import { isDrill } from './runtime/drill.ts';
import { orEndAs, stateHandler, type Tools } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import { committedMigration, isPartlyApplied, type StateWith } from './state.ts';

export const handler = stateHandler(
  { step: 'Downgrade', needs: ['plan', 'snapshot'], measure: measureRun },
  // If a downgrade that was asked for fails, it is rolled back like any other run: its own error says so.
  async (state, tools) =>
    state.request.action === 'downgrade'
      ? downgrade(migratorOptions(state, tools), state.plan.to)
      : stepBack(state, tools),
);

function stepBack(state: StateWith<'plan' | 'snapshot'>, tools: Tools): Promise<RunReport> {
  const { from, to } = state.plan;
  const why = isPartlyApplied(state)
    ? `The upgrade to ${to} was not completed`
    : `Checks did not hold at ${to}`;
  const text = {
    message: `${why}, and the downgrade to ${from} failed`,
    hint: `Downgrade by hand. ${state.snapshot.restore}`,
  };
  return orEndAs('DowngradeFailed', text, async () => {
    if (isDrill(state, 'downgrade-failure')) throw new Error('drill: the downgrade fails');
    const options = migratorOptions(state, tools);
    const run = isPartlyApplied(state) ? (await reconcile(options)).upgrade : committedMigration(state);
    return downgrade(options, from, { withRows: (run?.retired.length ?? 0) > 0, lossless: true });
  });
}
