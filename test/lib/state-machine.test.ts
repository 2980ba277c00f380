// The definition of the state machine: rules for every state, and its endings, which match errors.ts.
import validate from 'asl-validator';
import type { Template } from 'aws-cdk-lib/assertions';
import { ENDINGS } from '../../lambda/migrator/model/errors.ts';
import { readRefusals } from '../../lambda/migrator/revisions/databases.ts';
import { promiseOf } from '../../lambda/promises.ts';
import { INPUT_FIELDS } from '../../lambda/request.ts';
import { ACTIONS, STEPPED_BACK } from '../../lambda/state.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { KEY_ARN } from './apps.ts';
import {
  type Definition,
  definitionOf,
  type StateDefinition,
  successors,
  synthesizeTemplate,
} from './synthesized.ts';

const SERVICE_ERRORS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
];
/** The function was certainly not run. */
const THROTTLED = 'Lambda.TooManyRequestsException';
/** Their errors say that the database is unchanged: a second run must not hide a first one with a commit. */
const ONCE = ['Migrate', 'Downgrade on request'];

/** The endings that the revisions declare; each leaves the database unchanged. */
const REFUSALS = readRefusals(MIGRATIONS);

let template: Template;
let encrypted: Template;
let definition: Definition;
let states: [string, StateDefinition][];
let tasks: [string, StateDefinition][];

beforeAll(() => {
  template = synthesizeTemplate();
  encrypted = synthesizeTemplate({ kmsKeyArn: KEY_ARN });
  definition = definitionOf(template);
  states = Object.entries(definition.States);
  tasks = states.filter(([, { Type }]) => Type === 'Task');
});

describe('the definition', () => {
  test('is accepted by the validator of the language', () => {
    const { isValid, errorsText } = validate(structuredClone(definition));
    expect({ isValid, errors: isValid ? '' : errorsText('\n') }).toEqual({ isValid: true, errors: '' });
  });

  test('says what input it takes, and ends by itself before a pipeline gives up', () => {
    for (const word of ['{}', ...ACTIONS]) expect(definition.Comment).toContain(word);
    const forPeople = INPUT_FIELDS.filter((field) => field !== 'drill' && field !== 'appliedBy');
    for (const field of forPeople) expect(definition.Comment).toContain(`"${field}":`);
    expect(definition.TimeoutSeconds).toBe(4 * 3600);
  });

  test('has at most 49 states', () => {
    expect(states.length).toBeLessThanOrEqual(49);
  });

  test('explains every state', () => {
    expect(states.filter(([, { Comment }]) => !Comment?.endsWith('.')).map(([name]) => name)).toEqual([]);
  });

  test('has a name, so that a condition of its role on a customer key can name it', () => {
    const [machine] = Object.values(encrypted.findResources('AWS::StepFunctions::StateMachine'));
    expect(machine?.Properties.StateMachineName).toBe('Backstop');
    const policies = JSON.stringify(encrypted.findResources('AWS::IAM::Policy'));
    expect(policies).toContain('"kms:EncryptionContext:aws:states:stateMachineArn"');
    expect(policies).toContain(':stateMachine:Backstop"');
  });

  test('logs below the prefix that takes nothing of the account, under a name that no stack before it has left', () => {
    const [{ Properties } = { Properties: {} }] = Object.values(
      template.findResources('AWS::Logs::LogGroup'),
    ).filter(({ Properties }) => Properties.LogGroupName);
    expect(Properties.LogGroupName['Fn::Join'][1]).toEqual([
      '/aws/vendedlogs/states/Backstop-',
      { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] },
    ]);
  });

  test('is traced and logged, and its history is kept', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
    });
  });
});

describe('every Task', () => {
  test('is there', () => {
    expect(tasks.map(([name]) => name).sort()).toEqual([
      'Downgrade',
      'Downgrade on request',
      'Finalize',
      'Migrate',
      'Preflight',
      'Reconcile',
      'Resolve input',
      'Schedule finalize',
      'Summarize',
      'Take snapshot',
      'Validate',
      'Validate downgrade',
    ]);
  });

  test('calls a version, which a later deployment neither changes nor deletes', () => {
    for (const version of Object.values(template.findResources('AWS::Lambda::Version')))
      expect(version).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
    const called = JSON.stringify(machine?.Properties.DefinitionString).match(/(?<="Ref":")[^"]+/g);
    expect(new Set(called)).toEqual(new Set(Object.keys(template.findResources('AWS::Lambda::Version'))));
  });

  test('may call the versions of an earlier deployment', () => {
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    for (const { Properties } of Object.values(template.findResources('AWS::Lambda::Version'))) {
      const anyVersion = [{ 'Fn::GetAtt': [Properties.FunctionName.Ref, 'Arn'] }, ':*'];
      expect(policies).toContain(JSON.stringify({ 'Fn::Join': ['', anyVersion] }));
    }
  });

  test('waits longer than its function may take', () => {
    const functions = template.findResources('AWS::Lambda::Function');
    for (const [, { Resource, TimeoutSeconds }] of tasks) {
      const { Timeout } = functions[Resource?.split(':').at(-1) ?? '']?.Properties ?? {};
      expect(Timeout).toBeGreaterThan(0);
      expect(TimeoutSeconds).toBeGreaterThan(Timeout);
    }
  });

  test('is tried again when Lambda itself fails', () => {
    for (const [name, { Retry }] of tasks) {
      const errors = ONCE.includes(name) ? [THROTTLED] : SERVICE_ERRORS;
      expect(Retry?.[0]).toMatchObject({ ErrorEquals: errors, JitterStrategy: 'FULL' });
    }
  });

  test('catches everything, with States.ALL alone and last, and keeps the document', () => {
    for (const [, { Catch = [] }] of tasks) {
      expect(Catch.at(-1)?.ErrorEquals).toEqual(['States.ALL']);
      expect(Catch.slice(0, -1).flatMap(({ ErrorEquals }) => ErrorEquals)).not.toContain('States.ALL');
      expect(Catch.map(({ ResultPath }) => ResultPath)).toEqual(Catch.map(() => '$.failure'));
    }
  });

  test('catches an answer that is too large by its own name, which States.ALL need not mean', () => {
    for (const [, { Catch = [] }] of tasks) {
      expect(Catch.at(-2)).toEqual({ ...Catch.at(-1), ErrorEquals: ['States.DataLimitExceeded'] });
    }
  });

  test('is never tried again blindly if a lost answer may hide a commit', () => {
    const retried = ONCE.flatMap((name) => definition.States[name]?.Retry ?? []);
    expect(retried.flatMap(({ ErrorEquals }) => ErrorEquals)).toEqual([THROTTLED, THROTTLED]);
    expect(definition.States.Migrate?.Catch?.at(-1)?.Next).toBe('Reconcile');
  });
});

describe('every error name', () => {
  const ofService = /^(States|Lambda|Sandbox|Runtime)\./;
  const mentioned = () =>
    states.flatMap(([, { Retry = [], Catch = [], Error: name }]) => [
      ...[...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals),
      ...(name ? [name] : []),
    ]);

  test('is an ending of errors.ts or of a revision, or belongs to the service', () => {
    const names = mentioned().filter((name) => !ofService.test(name));
    expect(names.filter((name) => !(name in ENDINGS) && !REFUSALS.includes(name))).toEqual([]);
  });

  test('of errors.ts and of the revisions can end an execution', () => {
    // By name in a Fail, caught by name on the way to the one Fail that ends with the caught error, or named by Validate.
    const thrown = states.flatMap(([, { Catch = [] }]) =>
      Catch.filter(({ Next }) => Next === 'Explain failure').flatMap(({ ErrorEquals }) => ErrorEquals),
    );
    const fixed = states.flatMap(([, { Error: name }]) => name ?? []);
    const { ErrorPath } = definition.States['Failed, downgraded'] as { ErrorPath?: string };
    expect(ErrorPath).toBe('$.downgradeValidation.error');
    expect([...new Set([...thrown, ...fixed, ...STEPPED_BACK])].sort()).toEqual(
      [...Object.keys(ENDINGS), ...REFUSALS].sort(),
    );
  });

  test('that ends as caught leaves the database unchanged', () => {
    const caught = states.flatMap(([, { Catch = [] }]) =>
      Catch.filter(({ Next }) => Next === 'Explain failure').flatMap(({ ErrorEquals }) => ErrorEquals),
    );
    expect(caught.filter((name) => promiseOf(name, REFUSALS).database !== 'unchanged')).toEqual([]);
  });

  test('whose cause is read as JSON was thrown by a function, since a timeout has no cause', () => {
    const reading = states
      .filter(([, state]) => JSON.stringify(state).includes('$.failure.Cause'))
      .map(([name]) => name);
    const leading = states.flatMap(([, { Catch = [] }]) =>
      Catch.filter(({ Next }) => reading.includes(Next)),
    );
    expect(new Set(leading.map(({ Next }) => Next))).toEqual(new Set(reading));
    expect(leading.flatMap(({ ErrorEquals }) => ErrorEquals).filter((name) => ofService.test(name))).toEqual(
      [],
    );
    // Only a Catch leads there: another way would leave an older error in the document.
    const others = states.filter(([, state]) =>
      successors({ ...state, Catch: [] }).some((next) => reading.includes(next)),
    );
    expect(others).toEqual([]);
  });

  test("that a revision declares is caught wherever the engine's refusals are", () => {
    for (const [name, { Catch = [] }] of states) {
      const lists = Catch.map(({ ErrorEquals }) => ErrorEquals).filter((list) =>
        list.includes('MigrationRefused'),
      );
      for (const list of lists)
        expect({ name, list }).toEqual({ name, list: expect.arrayContaining([...REFUSALS]) });
    }
    expect(definition.States.Migrate?.Catch?.[0]?.ErrorEquals).toEqual(expect.arrayContaining([...REFUSALS]));
  });
});

describe('every path', () => {
  test('leads only to states that exist, and every state is on one', () => {
    const reached = new Set([definition.StartAt]);
    for (const name of reached) {
      const state = definition.States[name];
      if (!state) throw new Error(`The state ${name} does not exist.`);
      for (const next of successors(state)) reached.add(next);
    }
    expect([...reached].sort()).toEqual(Object.keys(definition.States).sort());
  });

  test('can reach an end from where it is', () => {
    const ending = new Set(
      states.filter(([, { Type }]) => Type === 'Succeed' || Type === 'Fail').map(([name]) => name),
    );
    for (let before = 0; before < ending.size; ) {
      before = ending.size;
      for (const [name, state] of states) {
        if (successors(state).some((next) => ending.has(next))) ending.add(name);
      }
    }
    expect(states.map(([name]) => name).filter((name) => !ending.has(name))).toEqual([]);
  });

  test('passes a wait if it comes back to itself', () => {
    // Without the Wait state, the graph has no cycle: a walk that only goes forward ends.
    const walk = (name: string, path: readonly string[]): void => {
      if (path.includes(name))
        throw new Error(`There is a cycle without a wait: ${[...path, name].join(' → ')}`);
      const state = definition.States[name];
      if (!state || state.Type === 'Wait') return;
      for (const next of successors(state)) walk(next, [...path, name]);
    };
    expect(() => walk(definition.StartAt, [])).not.toThrow();
  });

  test('is green only if the checks ran, or if only a plan was requested', () => {
    const leadingTo = (end: string) =>
      states.filter(([, state]) => successors(state).includes(end)).map(([name]) => name);
    expect(leadingTo('Succeeded')).toEqual(['Summarize']);
    expect(leadingTo('Summarize').sort()).toEqual([
      'Downgrade valid?',
      'Finalize',
      'Finalize?',
      'Schedule finalize',
      'What is to do?',
    ]);
    const [plan] = definition.States['What is to do?']?.Choices ?? [];
    expect(plan).toEqual({ Variable: '$.request.action', StringEquals: 'plan', Next: 'Summarize' });
  });
});

describe('a Fail', () => {
  const fails = () => states.filter(([, { Type }]) => Type === 'Fail');

  test('has an error and a sentence, each fixed, out of the document, or composed', () => {
    for (const [, state] of fails()) {
      expect(Boolean(state.Error) !== Boolean(state.ErrorPath)).toBe(true);
      expect(Boolean(state.Cause) !== Boolean(state.CausePath)).toBe(true);
      expect(state.CausePath ?? '$.').toMatch(/^(\$\.|States\.Format\()/);
    }
  });

  test('quotes the sentence about restoring, and writes no other', () => {
    const sentences = fails().flatMap(([, { Cause, CausePath }]) => [Cause, CausePath]);
    expect(sentences.filter((sentence) => sentence?.includes('$.snapshot.restore'))).toHaveLength(3);
    expect(sentences.filter((sentence) => /aws rds|go back to the snapshot/.test(sentence ?? ''))).toEqual(
      [],
    );
  });
});
