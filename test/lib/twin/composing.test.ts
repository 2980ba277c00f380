// A Fail that composes its sentence, on the local interpreter: every way leads to it, and nothing but it is seen.
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { composable, isAdded } from '../../../lib/twin/composing.ts';
import { execute } from '../../../lib/twin/execution.ts';

const FAIL = 'Failed';
const definition = (fail: object): StateMachineDefinition =>
  ({
    StartAt: 'Which?',
    States: {
      'Which?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.way', StringEquals: 'rule', Next: FAIL }],
        Default: 'On',
      },
      On: { Type: 'Pass', Next: FAIL },
      [FAIL]: { Type: 'Fail', ...fail },
    },
  }) as unknown as StateMachineDefinition;

const run = (fail: object, input: object) =>
  execute({
    name: 'run-1',
    input,
    deployment: { definition: definition(fail), functions: new Map() },
    environment: {},
  });

const composed = {
  ErrorPath: "States.Format('{}Failed', $.what)",
  CausePath: "States.Format('because of {}\nHINT:  {}', $.reason, $.hint)",
};
const document = { what: 'Finalize', reason: "a 'quoted' {name}", hint: 'Again.' };

test.each([
  ['a rule', 'rule', ['Which?', FAIL]],
  ['the default, and a Next', 'other', ['Which?', 'On', FAIL]],
])('says its sentence after %s, and is the only state seen', async (_, way, states) => {
  const execution = await run(composed, { ...document, way });
  expect(execution).toMatchObject({
    status: 'FAILED',
    error: 'FinalizeFailed',
    cause: "because of a 'quoted' {name}\nHINT:  Again.",
  });
  expect(execution.states.map(({ name }) => name)).toEqual(states);
  expect(execution.states.at(-1)).toMatchObject({ type: 'Fail', error: 'FinalizeFailed' });
});

test('leaves the document as it was', async () => {
  const input = { ...document, way: 'other' };
  expect((await run(composed, input)).state).toEqual(input);
});

test('is left as it is if its sentence is fixed, or a path', () => {
  for (const fail of [
    { Error: 'A', Cause: 'States.Format is not called here' },
    { ErrorPath: '$.what', CausePath: '$.reason' },
  ]) {
    expect(composable(definition(fail))).toEqual(definition(fail));
  }
});

test('is reached from a Catch, too', () => {
  const caught = { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: FAIL };
  const { States, ...rest } = definition(composed);
  const task = { Type: 'Task', Resource: 'arn', Catch: [caught], End: true };
  const states = Object.entries(composable({ ...rest, States: { ...States, Work: task } } as never).States);
  const work = Object.fromEntries(states).Work as unknown as typeof task;
  expect(isAdded(work.Catch[0]?.Next)).toBe(true);
});
