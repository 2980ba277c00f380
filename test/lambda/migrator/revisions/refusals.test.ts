// The endings that a revision declares: valid and invalid lines in its header.
import { readRefusals } from '../../../../lambda/migrator/revisions/databases.ts';
import { parseRefusals } from '../../../../lambda/migrator/revisions/refusals.ts';
import { MIGRATIONS } from '../../../../lib/paths.ts';

test('each SQLSTATE has a name from the revision or the engine', () => {
  expect([...parseRefusals('23503 OrdersBlocked, 0A000 ServerTooOld,', 'x.sql')]).toEqual([
    ['23503', 'OrdersBlocked'],
    ['0A000', 'ServerTooOld'],
  ]);
  expect(parseRefusals('', 'x.sql').size).toBe(0);
});

test.each([
  ['23503', '"23503" in "Refuses" is not a SQLSTATE and a name'],
  ['2350 OrdersBlocked', '"2350 OrdersBlocked" in "Refuses" is not a SQLSTATE and a name'],
  ['23503 orders blocked', '"23503 orders blocked" in "Refuses" is not a SQLSTATE and a name'],
  ['23503 States.ALL', '"23503 States.ALL" in "Refuses" is not a SQLSTATE and a name'],
  ['23503 One, 23503 Two', '"Refuses" has the SQLSTATE 23503 twice'],
  ['23503 DowngradeFailed', '"Refuses" cannot use the name DowngradeFailed'],
  ['23503 ValidationFailed', '"Refuses" cannot use the name ValidationFailed'],
  ['23503 Succeeded', '"Refuses" cannot use the name Succeeded'],
  ['23503 TypeError', '"Refuses" cannot use the name TypeError'],
])('"%s" is refused', (value, what) => {
  expect(() => parseRefusals(value, 'x.sql')).toThrow(
    expect.objectContaining({
      name: 'RevisionInvalid',
      summary: `x.sql: ${what}`,
      hint: expect.stringMatching(/\w/),
    }),
  );
});

test('the state machine must catch exactly the names that the bundled revisions declare', () => {
  expect(readRefusals(MIGRATIONS)).toEqual(['ForeignKeyBlocked', 'OrphanedChunks', 'PatternViolation']);
});
