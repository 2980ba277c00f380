// Definitions on the local state machine: every part is run as the language says, or refused.
import type { Rule, State } from '../../../../lib/twin/machine/definition.ts';
import { ARN, run } from './run.ts';

describe('a definition is refused if', () => {
  const end = { End: true } as const;
  test.each<[string, object, string]>([
    ['a state is of another type', { Type: 'Map', ...end }, 'The state "Only" (Map) has "Type"'],
    ['a state has another field', { Type: 'Pass', InputPath: '$.a', ...end }, 'has "InputPath"'],
    [
      'a state has another language',
      { Type: 'Pass', QueryLanguage: 'JSONata', ...end },
      'has "QueryLanguage"',
    ],
    [
      'a rule has another operator',
      { Type: 'Choice', Choices: [{ Not: { Variable: '$.a', StringMatches: '*' }, Next: 'Only' }] },
      'A rule of the state "Only" has "StringMatches"',
    ],
    ['a path is not a chain of names', { Type: 'Pass', Parameters: { 'a.$': '$..b' }, ...end }, '$..b'],
    [
      'a function is not known',
      { Type: 'Pass', Parameters: { 'a.$': 'States.UUID()' }, ...end },
      'States.UUID',
    ],
  ])('%s', async (_, state, named) => {
    await expect(run({ Only: state as State })).rejects.toThrow(named);
  });

  test('it is in another language', async () => {
    const machine = { QueryLanguage: 'JSONata' } as never;
    await expect(run({ Only: { Type: 'Succeed' } }, {}, undefined, machine)).rejects.toThrow('not JSONata');
  });
});

describe('a Choice', () => {
  const document = { text: 'a', yes: true, no: false, zero: 0, none: null, list: ['x'] };
  test.each<[Rule, boolean]>([
    [{ Variable: '$.text', StringEquals: 'a' }, true],
    [{ Variable: '$.zero', StringEquals: '0' }, false],
    [{ Variable: '$.no', BooleanEquals: false }, true],
    [{ Variable: '$.text', BooleanEquals: true }, false],
    [{ Variable: '$.zero', NumericEquals: 0 }, true],
    [{ Variable: '$.none', IsPresent: true }, true],
    [{ Variable: '$.list[0]', IsPresent: true }, true],
    [{ Variable: '$.list[1]', IsPresent: true }, false],
    [{ Variable: '$.list[1].name', IsPresent: false }, true],
    [{ Not: { Variable: '$.yes', BooleanEquals: true } }, false],
    // The second rule of And would fail.
    [
      {
        And: [
          { Variable: '$.x', IsPresent: true },
          { Variable: '$.x', StringEquals: 'a' },
        ],
      },
      false,
    ],
    [
      {
        Or: [
          { Variable: '$.yes', BooleanEquals: true },
          { Variable: '$.x', StringEquals: 'a' },
        ],
      },
      true,
    ],
  ])('takes the rule %j as %s', async (rule, expected) => {
    const states = {
      Choice: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { Type: 'Pass', Result: true, End: true },
      No: { Type: 'Pass', Result: false, End: true },
    } as const;
    expect((await run(states, document)).output).toBe(expected);
  });

  test.each<[string, Rule, { Default?: string }]>([
    ['compares a path without a value', { Variable: '$.x', StringEquals: 'a' }, { Default: 'End' }],
    ['has no rule that holds, and no default', { Variable: '$.text', StringEquals: 'b' }, {}],
  ])('ends the execution by States.Runtime if it %s', async (_, rule, otherwise) => {
    const states = {
      Choice: { Type: 'Choice', Choices: [{ ...rule, Next: 'End' }], ...otherwise },
      End: { Type: 'Succeed' },
    } as const;
    expect(await run(states, document)).toMatchObject({ error: 'States.Runtime' });
  });
});

describe('a result', () => {
  const work = { Type: 'Task', Resource: ARN, End: true } as const;

  test.each([
    ['becomes the document', undefined, { result: 1 }],
    ['is discarded', null, { kept: 1, a: {} }],
    ['has its place', '$.a.b', { kept: 1, a: { b: { result: 1 } } }],
    ['makes its place', '$.x.y', { kept: 1, a: {}, x: { y: { result: 1 } } }],
  ])('%s with the ResultPath %s', async (_, ResultPath, expected) => {
    const state = { ...work, ...(ResultPath !== undefined && { ResultPath }) };
    expect((await run({ Work: state }, { kept: 1, a: {} }, () => ({ result: 1 }))).output).toEqual(expected);
  });

  test('that is undefined is null', async () => {
    expect((await run({ Work: work }, {}, () => undefined)).output).toBeNull();
  });

  test('of a Pass may be false', async () => {
    expect((await run({ Only: { Type: 'Pass', Result: false, End: true } })).output).toBe(false);
  });
});

test('the context has the execution and its state machine', async () => {
  const Parameters = {
    fixed: [{ 'arn.$': '$$.Execution.Id' }],
    'name.$': '$$.Execution.Name',
    'input.$': '$$.Execution.Input',
    'machine.$': '$$.StateMachine.Id',
    'startedAt.$': '$$.Execution.StartTime',
  };
  expect((await run({ Only: { Type: 'Pass', Parameters, End: true } }, { a: 1 })).output).toEqual({
    fixed: [{ arn: 'arn:execution' }],
    name: 'run-1',
    input: { a: 1 },
    machine: 'arn:machine',
    startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
});
