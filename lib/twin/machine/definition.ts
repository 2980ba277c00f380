// The part of the Amazon States Language that the local state machine runs; a definition that uses more is refused.

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly ResultPath?: string | null;
  readonly Next: string;
}

/** One operator, and the path that it reads unless it combines other rules. */
export interface Rule {
  readonly Variable?: string;
  readonly And?: readonly Rule[];
  readonly Or?: readonly Rule[];
  readonly Not?: Rule;
  readonly StringEquals?: string;
  readonly BooleanEquals?: boolean;
  readonly NumericEquals?: number;
  readonly IsPresent?: boolean;
}

/** A state without an end has a Next. */
interface Step {
  readonly Comment?: string;
  readonly Next?: string;
  readonly End?: true;
}

export interface PassState extends Step {
  readonly Type: 'Pass';
  readonly Parameters?: object;
  readonly Result?: unknown;
  readonly ResultPath?: string | null;
}

export interface TaskState extends Step {
  readonly Type: 'Task';
  /** The ARN of a function. */
  readonly Resource: string;
  readonly Parameters?: object;
  readonly ResultPath?: string | null;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface WaitState extends Step {
  readonly Type: 'Wait';
  readonly Seconds: number;
}

export interface ChoiceState {
  readonly Type: 'Choice';
  readonly Comment?: string;
  readonly Choices: readonly (Rule & { readonly Next: string })[];
  readonly Default?: string;
}

export interface SucceedState {
  readonly Type: 'Succeed';
  readonly Comment?: string;
}

export interface FailState {
  readonly Type: 'Fail';
  readonly Comment?: string;
  readonly Error?: string;
  readonly ErrorPath?: string;
  readonly Cause?: string;
  readonly CausePath?: string;
}

export type State = PassState | TaskState | WaitState | ChoiceState | SucceedState | FailState;

export interface StateMachineDefinition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly TimeoutSeconds?: number;
  readonly Comment?: string;
  readonly QueryLanguage?: 'JSONPath';
}

const STEP = ['Type', 'Comment', 'Next', 'End'];
const FIELDS: Readonly<Record<State['Type'], readonly string[]>> = {
  Pass: [...STEP, 'Parameters', 'Result', 'ResultPath'],
  Task: [...STEP, 'Resource', 'Parameters', 'ResultPath', 'TimeoutSeconds', 'Retry', 'Catch'],
  Wait: [...STEP, 'Seconds'],
  Choice: ['Type', 'Comment', 'Choices', 'Default'],
  Succeed: ['Type', 'Comment'],
  Fail: ['Type', 'Comment', 'Error', 'ErrorPath', 'Cause', 'CausePath'],
};
const MACHINE = ['StartAt', 'States', 'TimeoutSeconds', 'Comment', 'QueryLanguage'];
const OPERATORS = ['And', 'Or', 'Not', 'StringEquals', 'BooleanEquals', 'NumericEquals', 'IsPresent'];
const RULE = ['Variable', 'Next', ...OPERATORS];

/** Step Functions refuses a Fail that calls another one. */
const IN_FAIL = [
  'States.Format',
  'States.JsonToString',
  'States.ArrayGetItem',
  'States.Base64Encode',
  'States.Base64Decode',
  'States.Hash',
  'States.UUID',
];

/** Throws an Error that names the first part of a definition that this machine, or Step Functions, does not accept. */
export function checkDefinition(definition: StateMachineDefinition): void {
  refuseOthers('The state machine', definition, MACHINE);
  if (definition.QueryLanguage && definition.QueryLanguage !== 'JSONPath')
    throw new Error(`The local state machine knows JSONPath only, and not ${definition.QueryLanguage}.`);
  for (const [name, state] of Object.entries(definition.States)) {
    refuseOthers(`The state "${name}" (${state.Type})`, state, FIELDS[state.Type] ?? []);
    if (state.Type === 'Choice') for (const rule of state.Choices) checkRule(name, rule);
    if (state.Type === 'Fail') checkFail(name, state);
  }
}

function refuseOthers(owner: string, object: object, known: readonly string[]): void {
  const other = Object.keys(object).find((field) => !known.includes(field));
  if (other) throw new Error(`${owner} has "${other}", which the local state machine does not know.`);
}

function checkRule(name: string, rule: Rule): void {
  refuseOthers(`A rule of the state "${name}"`, rule, RULE);
  for (const inner of [...(rule.And ?? []), ...(rule.Or ?? []), ...(rule.Not ? [rule.Not] : [])])
    checkRule(name, inner);
}

function checkFail(name: string, { ErrorPath, CausePath }: FailState): void {
  for (const path of [ErrorPath, CausePath]) {
    const [called] = /^States\.\w+/.exec(path ?? '') ?? [];
    if (called && !IN_FAIL.includes(called))
      throw new Error(`The state "${name}" calls ${called}, which a Fail may not call.`);
  }
}
