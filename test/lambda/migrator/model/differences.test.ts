// A change of an object as a line of a report.
import { describeChange } from '../../../../lambda/migrator/model/differences.ts';

test('a change names the object, and both definitions if there were two', () => {
  const object = 'column public.orders.status';
  expect(
    [
      { object, change: 'changed', before: 'integer NOT NULL', after: 'bigint NOT NULL' } as const,
      { object: 'index public.i', change: 'added', after: 'on public.orders (status)' } as const,
      { object, change: 'removed', before: 'integer' } as const,
    ].map(describeChange),
  ).toEqual([
    'column public.orders.status changed: integer NOT NULL -> bigint NOT NULL',
    'index public.i added',
    'column public.orders.status removed',
  ]);
});

test('long definitions are cut, and where they differ can still be seen', () => {
  const columns = Array.from({ length: 200 }, (_, index) => `c${index}`).join(', ');
  const line = describeChange({
    object: `table public.${'t'.repeat(500)}`,
    change: 'changed',
    before: `owner me, columns ${columns}`,
    after: `owner me, columns ${columns}, more`,
  });
  expect(line.length).toBeLessThan(500);
  expect(line).toMatch(/…c199 -> …c199, more$/);
});
