// Reports of earlier versions in the history: read without statements of others and without values of rows.
import { remembered } from '../../../../lambda/migrator/database/remembered.ts';
import type { FailureReport } from '../../../../lambda/migrator/model/history-entry.ts';

const failed = (report: Partial<FailureReport>): FailureReport => ({
  error: 'MigrationFailed',
  message: 'm',
  detail: undefined,
  hint: 'h',
  attempts: 1,
  ...report,
});
const LOG = "The values are in the server's log.";
const busy = (detail: string) => failed({ error: 'DatabaseBusy', detail });

test.each<[string, FailureReport, Partial<FailureReport>]>([
  [
    'a blocker',
    busy('Blocked by pid 42 (alice, psql, active): select sesame; pid 43 (bob): sesame'),
    { detail: 'Blocked by pid 42 (alice, psql, active)' },
  ],
  [
    'a row',
    failed({
      message: 'a "b" (SQLSTATE 23505) in step 1/1 of 001',
      detail: 'Key (mail)=(sesame) already exists.',
    }),
    { message: 'a "b" (SQLSTATE 23505) in step 1/1 of 001', detail: LOG },
  ],
  [
    'a value',
    failed({
      message: 'invalid: "sesame\n" (SQLSTATE 22P02) in step 1/1 of 001',
      detail: 'JSON data, line 1: sesame',
    }),
    { message: 'invalid: … (SQLSTATE 22P02) in step 1/1 of 001', detail: LOG },
  ],
  [
    'a context',
    failed({ message: 'm (SQLSTATE 57014) in step 1/1 of 001', detail: 'SQL statement "sesame"' }),
    { detail: LOG },
  ],
])('%s of an earlier version is left out', (_what, report, expected) => {
  expect(remembered(report)).toEqual({ ...report, ...expected });
});

test.each<[string, FailureReport]>([
  [
    'an object',
    failed({ message: 'a "b" (SQLSTATE 2BP01) in step 1/1 of 001', detail: 'view v depends on table b' }),
  ],
  [
    'a violation',
    failed({ message: 'a "b" (SQLSTATE 23505) in step 1/1 of 001', detail: `Table b. ${LOG}` }),
  ],
  [
    'a blocker',
    busy('Blocked by pid 42 (alice, active) since 2026-01-02T03:04:05Z: UPDATE, holds public.orders'),
  ],
  ['a refusal', failed({ error: 'OrdersBlocked', message: 'rows: "x"', detail: 'd' })],
])('%s that this version wrote stays', (_what, report) => {
  expect(remembered(report)).toEqual(report);
});
