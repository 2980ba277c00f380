// Summarize: the output of an execution that succeeded, a short summary first.
import { stateHandler } from './runtime/handler.ts';
import { outputOf } from './summary.ts';

export const handler = stateHandler({ step: 'Summarize' }, async (state, { logger }) => {
  const output = outputOf(state);
  logger.info(output.summary.message, { summary: output.summary });
  return output;
});
