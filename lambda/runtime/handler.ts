// The frame of every function: log the beginning, do the work, log the error that ends it.
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type { ExecutionState } from '../state.ts';
import { loggerFor } from './logger.ts';

/** What a function's work may use besides its input. */
export interface Tools {
  readonly logger: Logger;
  /** Until AWS ends the function, in ms. */
  remainingMs(): number;
}

export type Handler<Input, Output> = (input: Input, context: Context) => Promise<Output>;

/**
 * Makes a Lambda handler.
 *
 * @param stateOf where in the input the execution's state stands
 */
export function makeHandler<Input, Output>(
  stateOf: (input: Input) => Pick<ExecutionState, 'execution'> & Partial<ExecutionState>,
  work: (input: Input, tools: Tools) => Promise<Output>,
): Handler<Input, Output> {
  return async (input, context) => {
    const logger = loggerFor(stateOf(input));
    logger.addContext(context);
    try {
      return await work(input, { logger, remainingMs: () => context.getRemainingTimeInMillis() });
    } catch (error) {
      const ending = error instanceof Error ? error : new Error(String(error));
      logger.error(ending.message, { error: ending });
      throw shortened(ending);
    }
  };
}

/** Step Functions keeps 32 KiB of what Lambda says of an error, and reads it as JSON: it must be cut here, not there. */
const LONGEST_MESSAGE = 8_000;

function shortened(error: Error): Error {
  if (error.message.length > LONGEST_MESSAGE) {
    error.message = `${error.message.slice(0, LONGEST_MESSAGE)}… (the log has all of it)`;
    error.stack = `${error.name}: ${error.message}`;
  }
  return error;
}

/** A handler whose input is the whole state of the execution. */
export function stateHandler<Output>(
  work: (state: ExecutionState, tools: Tools) => Promise<Output>,
): Handler<ExecutionState, Output> {
  return makeHandler((state) => state, work);
}
