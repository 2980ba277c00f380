// The history of an execution: its events as Step Functions records them, and their limit.
import { StateError } from './errors.ts';

export interface HistoryEvent {
  /** From 1 on. */
  readonly id: number;
  /** As in GetExecutionHistory, e.g. `TaskStateEntered`. */
  readonly type: string;
  /** Epoch in ms. */
  readonly timestamp: number;
  /** Absent in the events of the execution itself. */
  readonly state?: string;
  /** The document after a state, or after an execution that succeeds. */
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

export type EventDetails = Omit<HistoryEvent, 'id' | 'type' | 'timestamp'>;

/** An execution has no more events than this. */
export const LARGEST_HISTORY = 25_000;

/** Counts the events, and hands each to a listener. */
export class History {
  readonly #listener: (event: HistoryEvent) => void;
  #length = 0;

  constructor(listener: (event: HistoryEvent) => void) {
    this.#listener = listener;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws StateError States.Runtime if only the event that ends the execution has room */
  add(type: string, details: EventDetails = {}): void {
    if (this.#length === LARGEST_HISTORY - 1 && type !== 'ExecutionSucceeded') throw full();
    this.#append(type, details);
  }

  /** The event that ends an execution without success: there is always room for it. */
  end(type: 'ExecutionFailed' | 'ExecutionTimedOut', details: EventDetails): void {
    this.#append(type, details);
  }

  #append(type: string, details: EventDetails): void {
    this.#length++;
    this.#listener({ id: this.#length, type, timestamp: Date.now(), ...details });
  }
}

function full(): StateError {
  return new StateError(
    'States.Runtime',
    `The execution reached the maximum number of history events (${LARGEST_HISTORY}).`,
  );
}

/** The error and the cause of an event. */
export function detailsOf({ name, message }: StateError): { error: string; cause: string } {
  return { error: name, cause: message };
}
