// The frame of every function: do the work, log the error that ends it, tell what was measured.
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type { ExecutionState } from '../state.ts';
import { type Known, loggerFor } from './logger.ts';
import { emitMetrics, type Measures, type Step } from './metrics.ts';

/** What a function's work may use besides its input. */
export interface Tools {
  readonly logger: Logger;
  /** Until AWS ends the function, in ms. */
  remainingMs(): number;
}

export type Handler<Input, Output> = (input: Input, context: Context) => Promise<Output>;

/** What is measured of a function. */
export interface Measured<Output> {
  readonly step: Step;
  /**
   * What its answer tells, beside the time that it took.
   * @default - nothing
   */
  readonly measure?: (answer: Output) => Measures;
}

export interface Frame<Input, Output> extends Measured<Output> {
  /** Where in the input the execution's state stands. */
  readonly stateOf: (input: Input) => Known;
}

/** Makes a Lambda handler. */
export function makeHandler<Input, Output>(
  frame: Frame<Input, Output>,
  work: (input: Input, tools: Tools) => Promise<Output>,
): Handler<Input, Output> {
  return async (input, context) => {
    const state = frame.stateOf(input);
    const logger = loggerFor(state);
    logger.addContext(context);
    const started = performance.now();
    const tools = { logger, remainingMs: () => context.getRemainingTimeInMillis() };
    let answer: Output | undefined;
    try {
      answer = await logErrors(logger, () => work(input, tools));
      return answer;
    } finally {
      tellMeasures(frame, state, performance.now() - started, answer);
    }
  };
}

/** @param answer undefined where the function failed */
function tellMeasures<Output>(
  { step, measure }: Measured<Output>,
  state: Known,
  Duration: number,
  answer: Output | undefined,
): void {
  // Before Resolve input has answered, with the document, nobody knows the database.
  const { request = state.request } = (answer ?? {}) as Partial<ExecutionState>;
  emitMetrics({ dimensions: { database: request?.database ?? 'unknown', step }, state }, () => ({
    Duration,
    ...(answer !== undefined && measure?.(answer)),
  }));
}

/** Does the work, and logs the error that it rejects with. */
export async function logErrors<Output>(logger: Logger, work: () => Promise<Output>): Promise<Output> {
  try {
    return await work();
  } catch (error) {
    const ending = error instanceof Error ? error : new Error(String(error));
    logger.error(ending.message, { error: ending });
    throw shortened(ending);
  }
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
  measured: Measured<Output>,
  work: (state: ExecutionState, tools: Tools) => Promise<Output>,
): Handler<ExecutionState, Output> {
  return makeHandler({ ...measured, stateOf: (state) => state }, work);
}
