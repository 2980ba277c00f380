// Downgrade: steps back to where this execution found the database, or to where it was asked to go.

import { downgrade } from './migrator/migrator.ts';
import { BackstopError } from './migrator/model/errors.ts';
import type { RunReport } from './migrator/model/report.ts';
import { isDrill } from './runtime/drill.ts';
import { stateHandler, type Tools } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import { committedMigration, type ExecutionState } from './state.ts';

export const handler = stateHandler({ step: 'Downgrade', measure: measureRun }, async (state, tools) => {
  // A downgrade that was asked for is rolled back like any other run when it fails: its own error says so.
  return state.request.action === 'downgrade'
    ? downgrade(migratorOptions(state, tools), state.plan?.to ?? state.request.target)
    : stepBack(state, tools);
});

async function stepBack(state: ExecutionState, tools: Tools): Promise<RunReport> {
  try {
    if (isDrill(state, 'downgrade-failure')) throw new Error('drill: the downgrade fails');
    const withRows = (committedMigration(state)?.retired.length ?? 0) > 0;
    const options = { withRows, lossless: true };
    return await downgrade(migratorOptions(state, tools), state.plan?.from ?? '', options);
  } catch (cause) {
    throw new BackstopError(
      'DowngradeFailed',
      {
        message: `Checks did not hold at ${state.plan?.to}, and the downgrade to ${state.plan?.from} failed`,
        detail: cause instanceof Error ? cause.message.replaceAll('\n', ' ') : String(cause),
        hint: `Downgrade by hand, or restore: ${state.snapshot?.restoreCommand}`,
      },
      { cause },
    );
  }
}
