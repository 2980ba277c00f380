// The server's errors: a revision that refuses by its own RAISE is told apart from a broken revision.
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { stepError } from '../../../../lambda/migrator/session/sqlstate.ts';
import { makeDatabase, type TestDatabase } from '../../../setup/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(
    `CREATE TABLE one (id integer PRIMARY KEY CHECK (id > 0), two integer REFERENCES one)`,
  );
});
afterAll(() => database.drop());

const meaningOf = async (sql: string) =>
  database.query(sql).then(
    () => undefined,
    (error) =>
      stepError(error, 'step 1/2 of 002 (Trying)', { refuses: new Map([['23503', 'OrdersBlocked']]) }),
  );
const raise = (code: string) =>
  `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '${code}', MESSAGE = 'm', DETAIL = 'd', HINT = 'h'; END $$`;

test('an exception of a revision whose SQLSTATE its header declares ends by that name, in its own words', async () => {
  const words = { name: 'OrdersBlocked', summary: 'm', detail: 'd', hint: 'h' };
  expect(await meaningOf(raise('foreign_key_violation'))).toMatchObject(words);
});

test.each(['not_null_violation', 'check_violation', 'feature_not_supported', 'raise_exception'])(
  'an exception of a revision with %s, which its header does not declare, is MigrationRefused',
  async (code) => {
    expect(await meaningOf(raise(code))).toMatchObject({
      name: 'MigrationRefused',
      summary: 'm',
      detail: 'd',
      hint: 'h',
    });
  },
);

test.each([
  ['23503', 'INSERT INTO one VALUES (1, 99)'],
  ['23502', 'INSERT INTO one VALUES (NULL)'],
  ['23514', 'INSERT INTO one VALUES (-1)'],
  ['0A000', 'SELECT 1 FROM one FOR UPDATE LIMIT (SELECT count(*) FROM one FOR UPDATE)'],
  ['42704', 'DROP TYPE missing_type'],
  ['23505', 'INSERT INTO one VALUES (1), (1)'],
  ['42601', 'SELEC 1'],
])('the same %s from a statement is MigrationFailed, with its code and place', async (code, sql) => {
  expect(await meaningOf(sql)).toMatchObject({
    name: 'MigrationFailed',
    summary: expect.stringContaining(`(SQLSTATE ${code}) in step 1/2 of 002 (Trying)`),
    hint: expect.stringMatching(/\w/),
  });
});

test.each([
  ['55P03', 'lock_not_available'],
  ['40P01', 'deadlock_detected'],
])('%s is DatabaseBusy', async (_code, condition) => {
  expect(await meaningOf(raise(condition))).toMatchObject({ name: 'DatabaseBusy' });
});

test('a lost connection is MigrationFailed that says what the server does', async () => {
  const client = await connectorTo(database.settings)('test');
  const answer = client.query('SELECT pg_terminate_backend(pg_backend_pid())').then(
    () => client.query('SELECT 1'),
    () => client.query('SELECT 1'),
  );
  const error = await answer.catch((reason) => stepError(reason, 'BEGIN'));
  expect(error).toMatchObject({
    name: 'MigrationFailed',
    summary: 'The connection was lost in BEGIN',
    detail: expect.stringContaining('the server rolls back'),
  });
});
