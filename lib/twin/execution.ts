// One execution of the state machine, run here: which states it visited, how long each took, and how it ended.
import { StateMachine } from 'aws-local-stepfunctions';
import type { ExecutionState } from '../../lambda/state.ts';
import { ACCOUNT, REGION } from './aws/account.ts';
import { composable, isAdded } from './composing.ts';
import type { Deployment } from './deployment.ts';
import { invoke, type LogListener } from './invoke.ts';
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
}

export interface Execution {
  readonly name: string;
  readonly arn: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error?: string;
  readonly cause?: string;
  readonly states: readonly VisitedState[];
  /** The document as the last state left it, even if the execution failed. */
  readonly state: Partial<ExecutionState>;
  /** Function → the most that its invocations needed. */
  readonly functions: Readonly<Record<string, Measured>>;
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

/** Instead of the seconds in the definition, in ms: nothing here takes as long as in AWS. */
const WAIT_MS = 200;
const RETRY_MS = 100;

/** Runs the definition from start to end. Never throws for what the execution itself does wrong. */
export async function execute(options: ExecutionOptions): Promise<Execution> {
  const { name, input, deployment, listener = () => {} } = options;
  const { definition } = deployment;
  const arn = `arn:aws:states:${REGION}:${ACCOUNT}:execution:backstop:${name}`;
  const functions: Record<string, Measured> = {};
  const started = performance.now();
  const runnable = composable(definition);
  const running = new StateMachine(runnable, { validationOptions: { checkArn: false } }).run(input as never, {
    context: { Execution: { Id: arn, Name: name }, StateMachine: { Id: STATE_MACHINE_ARN } },
    overrides: {
      taskResourceLocalHandlers: taskHandlers(options, functions),
      waitTimeOverrides: forStates(definition, ({ Type }) => Type === 'Wait', WAIT_MS),
      retryIntervalOverrides: forStates(definition, (state) => 'Retry' in state, RETRY_MS),
    },
  });
  // Its message only repeats what the last event says.
  running.result.catch(() => {});
  const record = new Recorder(listener);
  for await (const event of running.eventLogs as AsyncIterable<MachineEvent>) {
    if (!isAdded(event.state?.name)) record.add(event);
    if (event.type !== 'StateExited' || !isTooLarge(event.state?.output)) continue;
    // No Catch helps: the answer was small enough, and the document is not.
    running.abort();
    record.add({
      ...event,
      type: 'ExecutionFailed',
      Error: TOO_LARGE,
      Cause: describeTooLarge(event.state?.name ?? ''),
    });
    break;
  }
  return { name, arn, ...record.ending(), functions, durationMs: performance.now() - started };
}

/** In bytes of UTF-8: no input, output or document of a state may be larger. */
const LARGEST_DATA = 262_144;
const TOO_LARGE = 'States.DataLimitExceeded';

function isTooLarge(data: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(data) ?? '') > LARGEST_DATA;
}

function describeTooLarge(state: string): string {
  return `The state/task '${state}' returned a result with a size exceeding the maximum number of bytes service limit.`;
}

function tooLarge(state: string): Error {
  return Object.assign(new Error(describeTooLarge(state)), { name: TOO_LARGE });
}

type Definition = Deployment['definition'];

function taskHandlers(
  { deployment, environment, listener }: ExecutionOptions,
  functions: Record<string, Measured>,
) {
  const tasks = Object.entries(deployment.definition.States).filter(([, { Type }]) => Type === 'Task');
  return Object.fromEntries(
    tasks.map(([state, task]) => {
      const deployed = deployment.functions.get((task as { Resource: string }).Resource);
      if (!deployed) throw new Error(`state ${state} invokes a function that the template does not have`);
      const log: LogListener = (line) => listener?.({ type: 'log', state, line });
      const measured = (measurement: Measured) => {
        functions[deployed.name] = most(functions[deployed.name], measurement);
      };
      return [
        state,
        async (payload: unknown) => {
          // Whose access key it is tells the local AWS which role asks.
          const own = { ...environment, AWS_ACCESS_KEY_ID: deployed.role.name };
          const answer = await invoke(deployed, payload, own, log, measured);
          if (isTooLarge(answer)) throw tooLarge(state);
          return answer as never;
        },
      ];
    }),
  );
}

function most(a: Measured | undefined, b: Measured): Measured {
  return {
    loadMs: Math.max(a?.loadMs ?? 0, b.loadMs),
    peakMemoryMb: Math.max(a?.peakMemoryMb ?? 0, b.peakMemoryMb),
  };
}

function forStates<T>(
  definition: Definition,
  which: (state: Definition['States'][string]) => boolean,
  value: T,
) {
  const names = Object.entries(definition.States).filter(([, state]) => which(state));
  return Object.fromEntries(names.map(([name]) => [name, value]));
}

/** The part of the interpreter's events that is read here. */
interface MachineEvent {
  readonly type: string;
  readonly timestamp: number;
  readonly state?: { readonly name: string; readonly type: string; readonly output?: unknown };
  readonly output?: unknown;
  readonly Error?: string;
  readonly Cause?: unknown;
}

/** Folds the interpreter's events into the states that were visited and the ending. */
class Recorder {
  readonly #listener: (event: ExecutionEvent) => void;
  readonly #states: VisitedState[] = [];
  #state: Partial<ExecutionState> = {};
  #entered = 0;
  #retries = 0;
  #error: string | undefined;
  #ending: Pick<Execution, 'status' | 'error' | 'cause'> = { status: 'ABORTED' };

  constructor(listener: (event: ExecutionEvent) => void) {
    this.#listener = listener;
  }

  add(event: MachineEvent): void {
    switch (event.type) {
      case 'StateEntered':
        this.#entered = event.timestamp;
        this.#retries = 0;
        this.#error = undefined;
        this.#listener({ type: 'entered', state: event.state?.name ?? '', kind: event.state?.type ?? '' });
        break;
      case 'StateRetried':
        this.#retries++;
        break;
      case 'StateFailed':
        this.#error = event.Error;
        if (event.state?.type === 'Fail') this.#leave(event);
        break;
      case 'StateExited':
        this.#state = event.state?.output as Partial<ExecutionState>;
        this.#leave(event);
        break;
      case 'ExecutionSucceeded':
        this.#ending = { status: 'SUCCEEDED' };
        break;
      case 'ExecutionFailed':
        this.#ending = { status: 'FAILED', error: event.Error ?? '', cause: String(event.Cause ?? '') };
        break;
      case 'ExecutionTimeout':
        this.#ending = { status: 'TIMED_OUT', error: 'States.Timeout' };
        break;
    }
  }

  ending() {
    return { ...this.#ending, states: this.#states, state: this.#state };
  }

  #leave({ state, timestamp }: MachineEvent): void {
    const visited: VisitedState = {
      name: state?.name ?? '',
      type: state?.type ?? '',
      durationMs: timestamp - this.#entered,
      retries: this.#retries,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
    this.#states.push(visited);
    this.#listener({ type: 'left', state: visited });
  }
}
