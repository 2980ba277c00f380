// The local state machine: runs a definition as Step Functions does, with its errors, its sizes and its history.
import { choose } from './choice.ts';
import {
  checkDefinition,
  type FailState,
  type PassState,
  type State,
  type StateMachineDefinition,
  type TaskState,
} from './definition.ts';
import {
  findCatcher,
  functionError,
  Retries,
  RuntimeError,
  StateError,
  timeoutError,
  tooLarge,
} from './errors.ts';
import { detailsOf, History, type HistoryEvent } from './history.ts';
import { placeResult, type Scope } from './paths.ts';
import { evaluate, fillTemplate } from './templates.ts';

/** The state machine waits in a Wait, and before a retry. */
export type Pause = 'Wait' | 'Retry';

export interface MachineOptions {
  /** The context object, beside the input and the start of the execution. */
  readonly execution: { readonly Id: string; readonly Name: string };
  readonly stateMachineArn: string;
  /**
   * Calls the function of a Task.
   *
   * @throws Error whose name and message are the error and its cause
   */
  readonly invoke: (state: string, payload: unknown) => Promise<unknown>;
  /** Waits for so long, or less before a retry whose jitter strategy is FULL. */
  readonly pause: (kind: Pause, seconds: number) => Promise<void>;
  readonly listener: (event: HistoryEvent) => void;
}

/** In bytes of UTF-8: no input, output or payload may be larger. */
const LARGEST_DATA = 262_144;

/**
 * Runs an execution to its end. The end is the last event that the listener gets: ExecutionSucceeded, ExecutionFailed or
 * ExecutionTimedOut.
 *
 * @throws Error ValidationException, as StartExecution, if the input is too large: there is no execution then
 * @throws Error if the definition has a part that is not known here
 */
export async function runMachine(
  definition: StateMachineDefinition,
  input: unknown,
  options: MachineOptions,
): Promise<void> {
  checkDefinition(definition);
  if (isTooLarge(input)) throw invalidInput();
  await new Run(definition, input, options).finish();
}

function isTooLarge(data: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(data) ?? '') > LARGEST_DATA;
}

function invalidInput(): Error {
  const message = `1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to ${LARGEST_DATA}`;
  return Object.assign(new Error(message), { name: 'ValidationException' });
}

/** The result of a state: the document from here on, and the next state, unless this is the end. */
interface Outcome {
  readonly output: unknown;
  readonly next: string | undefined;
}

class Run {
  readonly #definition: StateMachineDefinition;
  readonly #options: MachineOptions;
  readonly #history: History;
  readonly #input: unknown;
  readonly #context: object;
  #isOver = false;

  constructor(definition: StateMachineDefinition, input: unknown, options: MachineOptions) {
    const { execution, stateMachineArn, listener } = options;
    this.#definition = definition;
    this.#options = options;
    this.#input = input;
    this.#context = {
      Execution: { ...execution, Input: input, StartTime: new Date().toISOString() },
      StateMachine: { Id: stateMachineArn },
    };
    this.#history = new History((event) => {
      // A Task may still answer after the execution has timed out: then nothing follows.
      if (this.#isOver) throw new ExecutionTimedOut();
      listener(event);
    });
  }

  async finish(): Promise<void> {
    const { TimeoutSeconds } = this.#definition;
    try {
      await within(TimeoutSeconds, this.#walk(), () => new ExecutionTimedOut());
    } catch (error) {
      if (error instanceof ExecutionTimedOut) this.#history.end('ExecutionTimedOut', {});
      else if (error instanceof StateError) this.#history.end('ExecutionFailed', detailsOf(error));
      else throw error;
    } finally {
      this.#isOver = true;
    }
  }

  async #walk(): Promise<void> {
    this.#history.add('ExecutionStarted');
    let output = this.#input;
    for (let next: string | undefined = this.#definition.StartAt; next !== undefined; ) {
      ({ output, next } = await this.#enter(next, output));
    }
    this.#history.add('ExecutionSucceeded', { output });
  }

  async #enter(name: string, input: unknown): Promise<Outcome> {
    const state = this.#definition.States[name];
    if (!state) throw new Error(`The definition has no state "${name}".`);
    this.#history.add(`${state.Type}StateEntered`, { state: name });
    const entered = this.#history.length;
    try {
      const outcome = await this.#run(name, state, { input, context: this.#context });
      // No Catch helps: the answer was small enough, and the document is not.
      if (isTooLarge(outcome.output)) throw tooLarge(name);
      this.#history.add(`${state.Type}StateExited`, { state: name, output: outcome.output });
      return outcome;
    } catch (error) {
      throw error instanceof RuntimeError ? error.in(name, entered) : error;
    }
  }

  async #run(name: string, state: State, scope: Scope): Promise<Outcome> {
    const { input } = scope;
    switch (state.Type) {
      case 'Pass':
        return { output: pass(state, scope), next: state.Next };
      case 'Wait':
        await this.#options.pause('Wait', state.Seconds);
        return { output: input, next: state.Next };
      case 'Choice':
        return { output: input, next: choose(state, scope) };
      case 'Succeed':
        return { output: input, next: undefined };
      case 'Fail':
        throw failure(state, scope);
      case 'Task':
        return this.#runTask(name, state, scope);
    }
  }

  async #runTask(name: string, task: TaskState, scope: Scope): Promise<Outcome> {
    const payload = task.Parameters ? fillTemplate(task.Parameters, scope) : scope.input;
    if (isTooLarge(payload)) throw tooLarge(name);
    const retries = new Retries(task.Retry ?? []);
    while (true) {
      try {
        const answer = await this.#call(name, task, payload);
        return { output: placeResult(task.ResultPath, scope.input, answer), next: task.Next };
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        const seconds = retries.next(error.name);
        if (seconds === undefined) return caught(task, scope.input, error);
        await this.#options.pause('Retry', seconds);
      }
    }
  }

  /** Calls the function once. */
  async #call(state: string, { Resource, TimeoutSeconds }: TaskState, payload: unknown): Promise<unknown> {
    this.#history.add('LambdaFunctionScheduled', { state });
    this.#history.add('LambdaFunctionStarted', { state });
    let answer: unknown;
    try {
      answer = (await within(TimeoutSeconds, this.#options.invoke(state, payload), timeoutError)) ?? null;
      if (isTooLarge(answer)) throw tooLarge(Resource);
    } catch (thrown) {
      const error = functionError(thrown);
      const type = error.name === 'States.Timeout' ? 'LambdaFunctionTimedOut' : 'LambdaFunctionFailed';
      this.#history.add(type, { state, ...detailsOf(error) });
      throw error;
    }
    this.#history.add('LambdaFunctionSucceeded', { state });
    return answer;
  }
}

class ExecutionTimedOut extends Error {}

function pass({ Parameters, Result, ResultPath }: PassState, scope: Scope): unknown {
  const template = Parameters ? fillTemplate(Parameters, scope) : scope.input;
  return placeResult(ResultPath, scope.input, Result === undefined ? template : Result);
}

/** Goes on where the error leads, or throws it. */
function caught({ Catch = [] }: TaskState, input: unknown, error: StateError): Outcome {
  const catcher = findCatcher(Catch, error.name);
  if (!catcher) throw error;
  const output = { Error: error.name, Cause: error.message };
  return { output: placeResult(catcher.ResultPath, input, output), next: catcher.Next };
}

function failure(
  { Error: name = '', ErrorPath, Cause = '', CausePath }: FailState,
  scope: Scope,
): StateError {
  return new StateError(
    ErrorPath ? readText(ErrorPath, scope) : name,
    CausePath ? readText(CausePath, scope) : Cause,
  );
}

function readText(expression: string, scope: Scope): string {
  const value = evaluate(expression, scope);
  if (typeof value !== 'string') throw new RuntimeError(`'${expression}' is not a string.`);
  return value;
}

/** Rejects with the error if the work takes longer. The work itself goes on, as a function does in Lambda. */
async function within<T>(seconds: number | undefined, work: Promise<T>, late: () => Error): Promise<T> {
  if (seconds === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
