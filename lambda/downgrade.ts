// Downgrade: steps back to the revision that this execution found, or to the revision that its input names.
import { reconcile } from './migrator/inspect.ts';
import { downgrade } from './migrator/migrator.ts';
import { BackstopError, isEnding } from './migrator/model/errors.ts';
import type { RunReport } from './migrator/model/report.ts';
import { isDrill } from './runtime/drill.ts';
import { type FailureText, orEndAs, stateHandler, type Tools } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import { committedMigration, isPartlyApplied, type StateWith } from './state.ts';

export const handler = stateHandler(
  { step: 'Downgrade', needs: ['plan', 'snapshot'], measure: measureRun },
  // If a downgrade that was asked for fails, it is rolled back like any other run: its own error says so.
  async (state, tools) =>
    state.request.action === 'downgrade'
      ? downgrade(migratorOptions(state, tools), state.plan.to, { planned: state.plan })
      : stepBack(state, tools),
);

function stepBack(state: StateWith<'plan' | 'snapshot'>, tools: Tools): Promise<RunReport> {
  const { from } = state.plan;
  return orEndAs(
    'DowngradeFailed',
    (cause) => failedText(state, cause),
    async () => {
      if (isDrill(state, 'downgrade-failure')) throw new Error('drill: the downgrade fails');
      const options = migratorOptions(state, tools);
      const run = isPartlyApplied(state) ? (await reconcile(options)).upgrade : committedMigration(state);
      return downgrade(options, from, { withRows: (run?.retired.length ?? 0) > 0, lossless: true });
    },
  );
}

/** The state of the database first, then the reason, then the remedies in the order of how little they lose. */
function failedText(state: StateWith<'plan' | 'snapshot'>, cause: unknown): FailureText {
  const { from, to } = state.plan;
  const why = isPartlyApplied(state)
    ? `The upgrade to ${to} was not completed`
    : `Checks did not hold at ${to}`;
  return {
    message: `The downgrade to ${from} failed, ${endOf(cause)}`,
    detail: `${why}.`,
    hint: [
      `Correct the cause, then start an execution with {"action":"downgrade","target":"${from}"}; or correct the data, then one with {"action":"status"}.`,
      state.snapshot.restore,
    ],
  };
}

function endOf(cause: unknown): string {
  if (isEnding(cause, 'PartlyApplied')) return 'and some of its transactions are committed';
  return cause instanceof BackstopError && cause.name !== 'OutcomeUnknown'
    ? 'and was rolled back, which loses nothing: the database is as before it'
    : 'and it is not known whether it was committed';
}
