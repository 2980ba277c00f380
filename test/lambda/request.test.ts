// The execution input: what {} means, and the name of the field in every refusal.
import { parseRequest } from '../../lambda/request.ts';

const deployment = {
  databases: ['one', 'two'],
  defaultDatabase: 'one',
  allowDrills: false,
  finalizeAfterDays: 7,
  maxLockSeconds: 5,
  drift: 'warn' as const,
};
const parse = (input: unknown) => parseRequest(input, deployment);
const DEFAULTS = {
  action: 'upgrade',
  target: 'head',
  database: 'one',
  snapshot: true,
  finalize: true,
  finalizeAfterDays: 7,
  allowLoss: false,
  maxLock: 5,
  drift: 'warn',
};

test.each([
  ['an empty object', {}, {}],
  ['a word', 'status', { action: 'status' }],
  ['a target', { target: '+1' }, { target: '+1' }],
  ['another database', { database: 'two' }, { database: 'two' }],
  ['no snapshot', { snapshot: false }, { snapshot: false }],
  ['another word', 'plan', { action: 'plan' }],
  ['a loss that is wanted', { allowLoss: true }, { allowLoss: true }],
  ['a longer lock', { maxLock: 12.5 }, { maxLock: 12.5 }],
  [
    'the input of a schedule',
    { action: 'finalize', target: '+0', appliedBy: 'arn:run-1' },
    { action: 'finalize', target: '+0', appliedBy: 'arn:run-1' },
  ],
  ['no finalize', { finalize: false }, { finalize: false }],
  ['a downgrade', { action: 'downgrade', target: '-1' }, { action: 'downgrade', target: '-1' }],
])('%s is completed with the defaults', (_what, input, change) => {
  expect(parse(input)).toEqual({ ...DEFAULTS, ...change });
});

test.each([
  ['an unknown field', { targt: 'head' }, /"targt", which does not exist/, /action, target, database/],
  ['an unknown action', { action: 'migrate' }, /"action" is "migrate"/, /upgrade, downgrade/],
  ['an unknown word', 'migrate', /"action" is "migrate"/, /upgrade, downgrade/],
  ['a number as target', { target: 5 }, /"target" is 5$/, /string/],
  ['an empty target', { target: '' }, /"target" is ""/, /\w/],
  ['a very long target', { target: 'x'.repeat(500) }, /"target" is "x{70,80}…$/, /\w/],
  ['a word for a switch', { snapshot: 'no' }, /"snapshot" is "no"/, /boolean/],
  ['null for a switch', { snapshot: null }, /"snapshot" is null/, /boolean/],
  ['no lock at all', { maxLock: 0 }, /"maxLock" is 0$/, /\w/],
  ['a lock longer than any function', { maxLock: 1000 }, /"maxLock" is 1000$/, /\w/],
  ['a name for an ARN', { appliedBy: 'run-1' }, /"appliedBy" is "run-1"/, /arn:/],
  ['a setting of the deployment', { finalizeAfterDays: 0 }, /"finalizeAfterDays", which/, /finalize/],
  ['null', null, /The input is null, not an object/, /\{\}/],
  ['an array', [], /an array, not an object/, /\{\}/],
  ['a number', 5, /is number, not an object/, /\{\}/],
  ['an unknown database', { database: 'three' }, /"database" is "three"/, /one, two/],
  ['a downgrade to nowhere', { action: 'downgrade' }, /A downgrade needs "target"/, /-1/],
  ['a drill that is not allowed', { drill: 'migrate-lost' }, /"drill" is "migrate-lost"/, /allowDrills/],
])('%s is InvalidInput with the field and the remedy', (_what, input, summary, hint) => {
  expect(() => parse(input)).toThrow(
    expect.objectContaining({
      name: 'InvalidInput',
      summary: expect.stringMatching(summary),
      hint: expect.stringMatching(hint),
    }),
  );
});

test('a drill is accepted if the stack allows it', () => {
  expect(parseRequest({ drill: 'migrate-lost' }, { ...deployment, allowDrills: true })).toMatchObject({
    drill: 'migrate-lost',
  });
});
