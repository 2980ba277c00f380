// Errors of a state, and the Retry and the Catch that they match.
import type { Catcher, Retrier } from './definition.ts';

/** In characters: Step Functions keeps no more of a cause. */
const LONGEST_CAUSE = 32_768;

/** An error as a state reports it: its name and its cause. */
export class StateError extends Error {
  constructor(name: string, cause: string) {
    super(cause.slice(0, LONGEST_CAUSE));
    this.name = name;
  }
}

const RUNTIME = 'States.Runtime';
const TOO_LARGE = 'States.DataLimitExceeded';
const TIMEOUT = 'States.Timeout';

/** A path, a template or a rule does not fit the document. */
export class RuntimeError extends StateError {
  constructor(why: string) {
    super(RUNTIME, why);
  }

  /** @param event the number of the event by which the state was entered */
  in(state: string, event: number): StateError {
    const where = `An error occurred while executing the state '${state}' (entered at the event id #${event}).`;
    return new StateError(RUNTIME, `${where} ${this.message}`);
  }
}

/** @param producer the ARN of the function, or the name of the state, whose data is too large */
export function tooLarge(producer: string): StateError {
  return new StateError(
    TOO_LARGE,
    `The state/task '${producer}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}

/** Step Functions gives it no cause. */
export function timeoutError(): StateError {
  return new StateError(TIMEOUT, '');
}

/** The error of a function: its name, and its message as the cause. */
export function functionError(error: unknown): StateError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return name === TIMEOUT ? timeoutError() : new StateError(name, message);
}

/** The retries of a Task since it was entered. */
export class Retries {
  readonly #retriers: readonly Retrier[];
  readonly #attempts = new Map<Retrier, number>();

  constructor(retriers: readonly Retrier[]) {
    this.#retriers = retriers;
  }

  /**
   * How long to wait before the next retry, in seconds; undefined if there is none. Only the first retrier that names the
   * error counts. With the jitter strategy FULL, AWS draws a time from zero to this.
   */
  next(error: string): number | undefined {
    const retrier = this.#retriers.find(({ ErrorEquals }) => matches(ErrorEquals, error));
    if (!retrier) return undefined;
    const { IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3, MaxDelaySeconds = Infinity } = retrier;
    const attempt = this.#attempts.get(retrier) ?? 0;
    if (attempt >= MaxAttempts) return undefined;
    this.#attempts.set(retrier, attempt + 1);
    return Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds);
  }
}

/** The first catcher that names the error. */
export function findCatcher(catchers: readonly Catcher[], error: string): Catcher | undefined {
  return catchers.find(({ ErrorEquals }) => matches(ErrorEquals, error));
}

/** No wildcard means them. Only the second can be caught, by its name, and only if a function's answer is too large. */
const TERMINAL = [RUNTIME, TOO_LARGE];

function matches(names: readonly string[], error: string): boolean {
  if (error === RUNTIME) return false;
  if (names.includes(error)) return true;
  if (TERMINAL.includes(error)) return false;
  return names.includes('States.ALL') || (names.includes('States.TaskFailed') && error !== TIMEOUT);
}
