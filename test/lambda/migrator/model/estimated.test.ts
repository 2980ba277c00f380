// The work on a table in an estimate, in words, and the blame for a lock that is too long.
import { DEFAULT_BOUNDS, requireBriefLock } from '../../../../lambda/migrator/model/bounds.ts';
import { bothOf, describeWork } from '../../../../lambda/migrator/model/estimated.ts';
import type { TableEstimate } from '../../../../lambda/migrator/model/report.ts';

const table = (of: Partial<TableEstimate>): TableEstimate => ({
  relation: 'public.orders',
  rows: 2_000_000,
  bytes: 186_646_528,
  scanMs: 0,
  lockMs: 9_000,
  ...of,
});

test('every kind of work is named with its time, and no work is not', () => {
  const all = table({ scanMs: 210, rewriteMs: 7_900, indexMs: 1_000, keyMs: 300 });
  expect(describeWork(all)).toBe(
    'scanned (0.21s), rewritten (7.90s), its indexes built (1.00s), its foreign keys looked up (0.30s)',
  );
  expect(describeWork(table({}))).toBeUndefined();
});

test('in two transactions the work adds up, and the longer lock counts', () => {
  const first = table({ scanMs: 100, indexMs: 50, lockMs: 200 });
  const second = table({ scanMs: 1, rewriteMs: 30, lockMs: 900 });
  expect(bothOf(first, second)).toEqual(table({ scanMs: 101, rewriteMs: 30, indexMs: 50, lockMs: 900 }));
});

test('a lock that is too long is blamed on the table with the most work, whatever the work is', () => {
  const tables = [table({ relation: 'public.read', scanMs: 400 }), table({ rewriteMs: 8_000 })];
  const estimate = { durationMs: 9_000, lockMs: 9_000, tables };
  expect(() => requireBriefLock(estimate, DEFAULT_BOUNDS.maxLockMs)).toThrow(
    expect.objectContaining({
      name: 'LockTooLong',
      detail:
        'public.orders has about 2000000 rows in 178 MiB, and would be rewritten (8.00s). Nothing was changed.',
    }),
  );
});
