// Every input of an execution gives a complete request, or InvalidInput.
import fc from 'fast-check';
import { parseRequest } from '../../lambda/request.ts';
import { ACTIONS, DRILLS } from '../../lambda/state.ts';
import { civilly, numRuns } from './runs.ts';

const deployment = {
  databases: ['one', 'two'],
  defaultDatabase: 'one',
  allowDrills: true,
  finalizeAfterDays: 0,
  maxLockSeconds: 5,
  drift: 'warn' as const,
};

const word = fc.oneof(
  fc.constantFrom(
    ...ACTIONS,
    ...DRILLS,
    'head',
    'base',
    '005',
    '+1',
    '-1',
    'one',
    'two',
    '',
    ' ',
    'toString',
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
);
const value = fc.oneof(word, fc.boolean(), fc.jsonValue());
const field = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('action', 'target', 'database', 'snapshot', 'finalize', 'drill') },
  { weight: 1, arbitrary: fc.constantFrom('Action', '__proto__', 'constructor', 'length', '') },
);
/** JSON texts, because only JSON can give an object its own field `__proto__`. */
const json = fc.oneof(
  fc
    .array(fc.tuple(field, value), { maxLength: 6 })
    .map(
      (fields) => `{${fields.map((pair) => pair.map((part) => JSON.stringify(part)).join(':')).join(',')}}`,
    ),
  fc.oneof(word, fc.jsonValue()).map((any) => JSON.stringify(any)),
);

test('random inputs give a complete request or InvalidInput', async () => {
  await fc.assert(
    fc.asyncProperty(json, async (text) => {
      const request = await civilly(() => parseRequest(JSON.parse(text), deployment), ['InvalidInput']);
      if (!request) return;
      expect(ACTIONS).toContain(request.action);
      expect(deployment.databases).toContain(request.database);
      expect(request.target).toMatch(/^.{1,64}$/s);
      expect([typeof request.snapshot, typeof request.finalize]).toEqual(['boolean', 'boolean']);
      expect([undefined, ...DRILLS]).toContain(request.drill);
    }),
    { numRuns },
  );
});

/** As deep as the 256 KiB allow that Step Functions accepts. */
test.each(['{"target":', '{"action":', '{"x":', '['])(
  'the deepest input that Step Functions accepts is InvalidInput: %s',
  async (open) => {
    const depth = 120_000;
    const text = `${open}${'['.repeat(depth)}${']'.repeat(depth)}${open === '[' ? ']' : '}'}`;
    expect(await civilly(() => parseRequest(JSON.parse(text), deployment), ['InvalidInput'])).toBeUndefined();
  },
);
