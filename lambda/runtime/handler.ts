// The frame of every function: do the work, log the error that ends it, report the measures.
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { bounded } from '../migrator/model/bounded.ts';
import { BackstopError, type EndingName, type ErrorText, formatError } from '../migrator/model/errors.ts';
import { formatLocation } from '../migrator/model/location.ts';
import { printableDeep, printableLines } from '../migrator/model/printable.ts';
import type { ExecutionState, Section, StateWith } from '../state.ts';
import { type Known, loggerFor } from './logger.ts';
import { emitMetrics, type Measures, type Step } from './metrics.ts';

/** The tools of a function's work, besides its input. */
export interface Tools {
  readonly logger: Logger;
  /** Until AWS ends the function, in ms. */
  remainingMs(): number;
}

export type Handler<Input, Output> = (input: Input, context: Context) => Promise<Output>;

/** The measures of a function. */
export interface Measured<Output> {
  readonly step: Step;
  /**
   * The measures in its answer, besides its time.
   * @default - nothing
   */
  readonly measure?: (answer: Output) => Measures;
}

export interface Frame<Input, Output> extends Measured<Output> {
  /** Finds the execution's state in the input. */
  readonly stateOf: (input: Input) => Known;
  /**
   * Sections that must be in the state before the work begins.
   * @default - none
   */
  readonly needs?: readonly Section[];
}

/** Makes a Lambda handler, which throws ConfigurationError if a section is missing. */
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
      answer = await logErrors(logger, async () => {
        requireSections(state, frame);
        return work(input, tools);
      });
      return isDocument(answer) ? printableDeep(bounded(answer, LARGEST_SECTION)) : answer;
    } finally {
      tellMeasures(frame, state, performance.now() - started, answer);
    }
  };
}

/** In bytes. An execution may have seven sections that list steps, tables and checks, and its document holds 256 KiB. */
const LARGEST_SECTION = 30_000;

function isDocument<Output>(answer: Output): answer is Output & object {
  return typeof answer === 'object' && answer !== null;
}

/** A missing section is an error of the state machine, and nothing has been done yet. */
function requireSections(
  state: Known,
  { step, needs = [] }: Pick<Frame<never, never>, 'step' | 'needs'>,
): void {
  const missing = needs.find((section) => state[section] === undefined);
  if (missing === undefined) return;
  throw new BackstopError('ConfigurationError', {
    message: `${step} was called without the section "${missing}" of the document`,
    detail: `The document has: ${Object.keys(state).join(', ')}.`,
    hint: 'The state machine does not fit its functions: deploy the stack again, then start a new execution.',
  });
}

/** @param answer undefined if the function failed */
function tellMeasures<Output>(
  { step, measure }: Measured<Output>,
  state: Known,
  Duration: number,
  answer: Output | undefined,
): void {
  // Before Resolve input has answered, with the document, the database is unknown.
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
    const ending = safe(error instanceof Error ? error : new Error(String(error)));
    logger.error(ending.message, { error: ending });
    throw shortened(ending);
  }
}

/** The lines of an ending are safe already; any other error may quote anything. */
function safe(error: Error): Error {
  if (error instanceof BackstopError) return error;
  error.message = printableLines(error.message);
  if (error.stack !== undefined) error.stack = printableLines(error.stack);
  return error;
}

/**
 * Step Functions keeps 32,768 characters of Lambda's error, and reads them as JSON: it must be cut here, not there. In JSON
 * a quotation mark has two characters.
 */
const LONGEST_MESSAGE = 8_000;

function shortened(error: Error): Error {
  if (error.message.length > LONGEST_MESSAGE) {
    error.message = `${error.message.slice(0, LONGEST_MESSAGE)}… (the log has all of it)`;
  }
  // Lambda sends it, too, and it repeats the message; the log has it.
  error.stack = error.name;
  return error;
}

/** A handler whose input is the state of the execution, with the sections that it needs. */
export function stateHandler<Output, const S extends Section = never>(
  measured: Measured<Output> & { readonly needs?: readonly S[] },
  work: (state: StateWith<S>, tools: Tools) => Promise<Output>,
): Handler<StateWith<S>, Output> {
  return makeHandler({ ...measured, stateOf: (state) => state }, work);
}

/** The words of an ending; the error that led to it follows the detail. */
export type FailureText = Omit<ErrorText, 'detail'> & { readonly detail?: string };

/**
 * Does the work. Whatever it throws becomes this ending, with the message of the error as its detail; an error that
 * `except` accepts stays as it is.
 */
export async function orEndAs<T>(
  name: EndingName,
  text: FailureText | ((cause: unknown) => FailureText),
  work: () => Promise<T>,
  except: (error: unknown) => boolean = () => false,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (except(cause)) throw cause;
    const { detail, ...words } = typeof text === 'function' ? text(cause) : text;
    const lines = [detail, inOneLine(cause)].filter(Boolean).join(' ');
    throw new BackstopError(name, { ...words, detail: lines }, { cause });
  }
}

/**
 * The lines of an error as one line. An ending has its place there, without the line of SQL and the caret; any other
 * error, such as AccessDeniedException of AWS, has its name.
 */
function inOneLine(error: unknown): string {
  if (!(error instanceof BackstopError)) return joined(String(error).replace(/^Error: /, ''));
  const text = formatError({ message: error.summary, detail: error.detail, hint: error.hint });
  const place = error.location ? ` (${formatLocation(error.location)})` : '';
  return `${joined(text)}${place}`;
}

function joined(lines: string): string {
  return lines.replaceAll('\n', ' ');
}
