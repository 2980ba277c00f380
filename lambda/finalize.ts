// Finalize: validation has passed, so the retired tables are dropped for good.
import { finalize } from './migrator/migrator.ts';
import { isEnding } from './migrator/model/errors.ts';
import { isDrill } from './runtime/drill.ts';
import { orEndAs, stateHandler } from './runtime/handler.ts';
import { measureRun } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

const FAILED = {
  message: 'The database is at the target and valid, but finalize failed: retired tables may still be there',
  hint: 'Correct the cause, then start an execution with {"action":"finalize"}.',
};

export const handler = stateHandler(
  { step: 'Finalize', needs: ['plan'], measure: measureRun },
  async (state, tools) => {
    const { appliedBy } = state.request;
    const run = async () => {
      if (isDrill(state, 'finalize-failure')) throw new Error('drill: the finalize fails');
      return finalize(migratorOptions(state, tools), state.plan.to, { ...(appliedBy && { appliedBy }) });
    };
    return orEndAs('FinalizeFailed', FAILED, run, (error) => isEnding(error, 'NotAtTarget'));
  },
);
