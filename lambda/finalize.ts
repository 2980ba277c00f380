// Finalize: validation has passed, so what the upgrade retired is dropped for good.

import { finalize } from './migrator/migrator.ts';
import { BackstopError, isEnding } from './migrator/model/errors.ts';
import { isDrill } from './runtime/drill.ts';
import { stateHandler } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

export const handler = stateHandler({ step: 'Finalize', measure: measureRun }, async (state, tools) => {
  try {
    if (isDrill(state, 'finalize-failure')) throw new Error('drill: the finalize fails');
    const { appliedBy } = state.request;
    return await finalize(migratorOptions(state, tools), state.plan?.to, { ...(appliedBy && { appliedBy }) });
  } catch (cause) {
    if (isEnding(cause, 'NotAtTarget')) throw cause;
    throw new BackstopError(
      'FinalizeFailed',
      {
        message:
          'The database is at the target and valid, but finalize failed: retired tables may still be there',
        detail: cause instanceof Error ? cause.message.replaceAll('\n', ' ') : String(cause),
        hint: 'Correct the cause, then start an execution with {"action":"finalize"}.',
      },
      { cause },
    );
  }
});
