// Executions with every kind of input: valid inputs, and the refusal of each invalid input.
import { type Case, makeTwin, provoke, withEnvironment } from './twin.ts';

describe('an input that is understood', () => {
  test.each([
    ['a single word', 'status'],
    ['an object', { action: 'status', database: 'codebase_mcp' }],
  ])('is %s', async (_, input) => {
    await using twin = await makeTwin({ at: '002' });
    const { execution, before, after } = await twin.execute(input);
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.state.request).toMatchObject({
      action: 'status',
      target: 'head',
      database: 'codebase_mcp',
    });
    expect(after).toEqual(before);
  });
});

const INVALID: Case[] = [
  {
    when: 'the action is unknown',
    input: { action: 'rehearse' },
    says: ['"action" is "rehearse"', 'Use one of: upgrade, downgrade, finalize, status, plan.'],
    ending: 'InvalidInput',
  },
  {
    when: 'a field is unknown',
    input: { targt: '002' },
    says: ['"targt"', 'Use only: action, target'],
    ending: 'InvalidInput',
  },
  {
    when: 'it is an array',
    input: ['upgrade'],
    says: ['an array, not an object', 'Write {}'],
    ending: 'InvalidInput',
  },
  {
    when: 'a switch is a string',
    input: { snapshot: 'no' },
    says: ['"snapshot" is "no"', 'expected boolean, received string'],
    ending: 'InvalidInput',
  },
  {
    when: 'the database is unknown',
    input: { database: 'nowhere' },
    says: ['"nowhere"', 'Use one of: codebase_mcp, socrates_auth, socrates_specs.'],
    ending: 'InvalidInput',
  },
  {
    when: 'a downgrade says not where to',
    input: { action: 'downgrade' },
    says: ['A downgrade needs "target"', '"target": "-1"'],
    ending: 'InvalidInput',
  },
  {
    when: 'the stack allows no drills',
    deployment: withEnvironment({ BACKSTOP_ALLOW_DRILLS: 'false' }),
    input: { drill: 'migrate-lost' },
    says: ['"drill" is "migrate-lost", but this stack allows no drills', '"allowDrills": true'],
    ending: 'InvalidInput',
  },
];

test.each(INVALID)('$ending: $when', provoke);

test('an invalid input is refused before any request to AWS', async () => {
  await using twin = await makeTwin();
  const { execution } = await twin.execute({ action: 'rehearse' });
  expect(twin.endpoint.requests).toEqual([]);
  expect(execution.states.map(({ name }) => name)).toEqual([
    'Receive input',
    'Resolve input',
    'Explain failure',
    'Failed, database unchanged',
  ]);
});
