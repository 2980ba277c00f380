// One execution of the state machine, run here: which states it visited, how long each took, and how it ended.
import { setTimeout } from 'node:timers/promises';
import type { ExecutionState } from '../../lambda/state.ts';
import { ACCOUNT, REGION } from './aws/account.ts';
import type { DeployedFunction, Deployment } from './deployment.ts';
import { invoke, type LogListener } from './invoke.ts';
import type { TaskState } from './machine/definition.ts';
import type { HistoryEvent } from './machine/history.ts';
import { type Pause, runMachine } from './machine/machine.ts';
import type { Measured } from './worker.ts';

/** A state that was entered, and its result. */
export interface VisitedState {
  readonly name: string;
  readonly type: string;
  readonly durationMs: number;
  /** How often it was retried. */
  readonly retries: number;
  /** Name of the error that it caught or ended with. */
  readonly error?: string;
  /** Its waits and the waits before its retries: at most so long in AWS, and here, in s. */
  readonly waited?: { readonly inAws: number; readonly here: number };
}

export interface Execution {
  readonly name: string;
  readonly arn: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';
  readonly error?: string;
  readonly cause?: string;
  readonly states: readonly VisitedState[];
  /** The document as the last state left it, even if the execution failed. */
  readonly state: Partial<ExecutionState>;
  /** Function → the most that its invocations needed. */
  readonly functions: Readonly<Record<string, Measured>>;
  /** How many events Step Functions would have recorded; with 25,000, it ends the execution. */
  readonly events: number;
  readonly durationMs: number;
}

/** An event of a running execution. */
export type ExecutionEvent =
  | { readonly type: 'entered'; readonly state: string; readonly kind: string }
  | { readonly type: 'left'; readonly state: VisitedState }
  | { readonly type: 'log'; readonly state: string; readonly line: Record<string, unknown> | string };

export interface ExecutionOptions {
  readonly name: string;
  readonly input: unknown;
  readonly deployment: Deployment;
  /** Replaces variables in the environment of every function. */
  readonly environment: Readonly<Record<string, string>>;
  readonly listener?: (event: ExecutionEvent) => void;
}

/** The ARN under which the definition runs here. */
export const STATE_MACHINE_ARN = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:backstop`;

/** The longest wait here, in s: nothing in the local AWS takes as long as in AWS. Time limits are not shortened. */
const LONGEST_PAUSE: Readonly<Record<Pause, number>> = { Wait: 0.2, Retry: 0.1 };

/**
 * Runs the definition from start to end. Does not throw for an error of the execution.
 *
 * @throws Error ValidationException if the input is larger than Step Functions accepts
 */
export async function execute(options: ExecutionOptions): Promise<Execution> {
  const { name, input, deployment, listener = () => {} } = options;
  const arn = `arn:aws:states:${REGION}:${ACCOUNT}:execution:backstop:${name}`;
  const functions: Record<string, Measured> = {};
  const started = performance.now();
  const record = new Recorder(listener);
  requireFunctions(deployment);
  await runMachine(deployment.definition, input, {
    execution: { Id: arn, Name: name },
    stateMachineArn: STATE_MACHINE_ARN,
    invoke: (state, payload) => call(state, payload, options, functions),
    pause: async (kind, inAws) => {
      const here = Math.min(inAws, LONGEST_PAUSE[kind]);
      record.pause(kind, inAws, here);
      await setTimeout(here * 1000);
    },
    listener: (event) => record.add(event),
  });
  return { name, arn, ...record.ending(), functions, durationMs: performance.now() - started };
}

/** A Task whose function is not there must not look like a function that fails. */
function requireFunctions({ definition, functions }: Deployment): void {
  for (const [name, state] of Object.entries(definition.States)) {
    if (state.Type === 'Task' && !functions.has(state.Resource))
      throw new Error(`state ${name} invokes a function that the template does not have`);
  }
}

async function call(
  state: string,
  payload: unknown,
  { deployment, environment, listener }: ExecutionOptions,
  functions: Record<string, Measured>,
): Promise<unknown> {
  const { Resource } = deployment.definition.States[state] as TaskState;
  const deployed = deployment.functions.get(Resource) as DeployedFunction;
  const log: LogListener = (line) => listener?.({ type: 'log', state, line });
  const measured = (measurement: Measured) => {
    functions[deployed.name] = most(functions[deployed.name], measurement);
  };
  // Whose access key it is tells the local AWS which role asks.
  const own = { ...environment, AWS_ACCESS_KEY_ID: deployed.role.name };
  return invoke(deployed, payload, own, log, measured);
}

function most(a: Measured | undefined, b: Measured): Measured {
  return {
    loadMs: Math.max(a?.loadMs ?? 0, b.loadMs),
    peakMemoryMb: Math.max(a?.peakMemoryMb ?? 0, b.peakMemoryMb),
  };
}

/** Folds the history into the states that were visited and the ending. */
class Recorder {
  readonly #listener: (event: ExecutionEvent) => void;
  readonly #states: VisitedState[] = [];
  #state: Partial<ExecutionState> = {};
  #name = '';
  #kind = '';
  #entered = 0;
  #retries = 0;
  #waited: VisitedState['waited'];
  #error: string | undefined;
  #last: HistoryEvent | undefined;

  constructor(listener: (event: ExecutionEvent) => void) {
    this.#listener = listener;
  }

  add(event: HistoryEvent): void {
    const { type, error } = event;
    this.#last = event;
    const [, kind = '', change] = /^(\w+)State(Entered|Exited)$/.exec(type) ?? [];
    if (change === 'Entered') this.#enter(kind, event);
    if (change === 'Exited') {
      this.#state = event.output as Partial<ExecutionState>;
      this.#leave(event);
    }
    if (type.startsWith('LambdaFunction')) this.#error = error;
    // A Fail is entered only: its exit is the end of the execution.
    if (type === 'ExecutionFailed' && this.#kind === 'Fail') {
      this.#error = error;
      this.#leave(event);
    }
  }

  /** @param inAws the longest wait in AWS, in s; `here` is the wait here */
  pause(kind: Pause, inAws: number, here: number): void {
    if (kind === 'Retry') this.#retries++;
    const { inAws: before = 0, here: beforeHere = 0 } = this.#waited ?? {};
    this.#waited = { inAws: before + inAws, here: beforeHere + here };
  }

  ending(): Pick<Execution, 'status' | 'error' | 'cause' | 'states' | 'state' | 'events'> {
    const { id: events = 0, type = '', error = '', cause = '' } = this.#last ?? {};
    const found = { states: this.#states, state: this.#state, events };
    if (type === 'ExecutionSucceeded') return { status: 'SUCCEEDED', ...found };
    if (type === 'ExecutionTimedOut') return { status: 'TIMED_OUT', error: 'States.Timeout', ...found };
    return { status: 'FAILED', error, cause, ...found };
  }

  #enter(kind: string, { state = '', timestamp }: HistoryEvent): void {
    this.#name = state;
    this.#kind = kind;
    this.#entered = timestamp;
    this.#retries = 0;
    this.#waited = undefined;
    this.#error = undefined;
    this.#listener({ type: 'entered', state, kind });
  }

  #leave({ timestamp }: HistoryEvent): void {
    const state: VisitedState = {
      name: this.#name,
      type: this.#kind,
      durationMs: timestamp - this.#entered,
      retries: this.#retries,
      ...(this.#error !== undefined && { error: this.#error }),
      ...(this.#waited && { waited: this.#waited }),
    };
    this.#states.push(state);
    this.#listener({ type: 'left', state });
  }
}
