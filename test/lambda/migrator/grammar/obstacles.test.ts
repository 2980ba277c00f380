// Statements that PostgreSQL refuses inside a transaction are found, and similar statements are not: each asked of the server.

import { withClient } from '../../../../lib/twin/server/client.ts';
import { makeDatabase, type TestDatabase, testServer } from '../../../setup/database.ts';
import { reader } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(`CREATE TABLE one (id integer PRIMARY KEY);
    CREATE TABLE whole (id integer) PARTITION BY LIST (id);
    CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);`);
  await database.asAdministrator(
    "CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
  );
});
afterAll(async () => {
  await database.asAdministrator('DROP SUBSCRIPTION sub');
  await database.drop();
});

const obstacleOf = (sql: string) => reader(sql).statements[0]?.obstacle;

/** The SQLSTATE of a statement inside a transaction, which is rolled back; undefined if it runs. */
const inTransaction = (sql: string): Promise<string | undefined> =>
  withClient(testServer, database.name, async (client) => {
    await client.query('BEGIN');
    const code = await client.query(sql).then(
      () => undefined,
      ({ code }) => code as string,
    );
    await client.query('ROLLBACK');
    return code;
  });

const REFUSED_IN_TRANSACTION = '25001';
const SYNTAX_ERROR = '42601';

test.each([
  'CREATE DATABASE other',
  'DROP DATABASE other',
  'DROP DATABASE IF EXISTS other WITH (FORCE)',
  'ALTER DATABASE postgres SET TABLESPACE pg_default',
  "CREATE TABLESPACE space LOCATION '/nowhere'",
  'DROP TABLESPACE space',
  "ALTER SYSTEM SET work_mem = '4MB'",
  'ALTER SYSTEM RESET ALL',
  'VACUUM',
  'VACUUM one',
  'VACUUM (ANALYZE) one',
  'vacuum full one',
  'CLUSTER',
  'CLUSTER (VERBOSE)',
  'REINDEX SCHEMA public',
  'REINDEX SYSTEM',
  'REINDEX DATABASE',
  'REINDEX TABLE CONCURRENTLY one',
  'REINDEX (VERBOSE, CONCURRENTLY) INDEX one_pkey',
  'CREATE INDEX CONCURRENTLY ON one (id)',
  'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON one (id)',
  '/* c */ create /* -- */ index\nconcurrently on one (id)',
  'DROP INDEX CONCURRENTLY one_pkey',
  'DROP INDEX CONCURRENTLY IF EXISTS nothing',
  'ALTER TABLE whole DETACH PARTITION part CONCURRENTLY',
  'DISCARD ALL',
  "CREATE SUBSCRIPTION other CONNECTION 'dbname=nowhere' PUBLICATION p",
  "CREATE SUBSCRIPTION other CONNECTION 'dbname=nowhere' PUBLICATION p WITH (enabled = false)",
])('%s is refused, by the server too', async (sql) => {
  expect(obstacleOf(sql)).toMatchObject({ kind: 'alone' });
  // An older server does not know every form: for that server it is no SQL.
  expect([REFUSED_IN_TRANSACTION, SYNTAX_ERROR]).toContain(await inTransaction(sql));
});

test.each([
  "ALTER DATABASE postgres SET work_mem = '4MB'",
  'ALTER DATABASE postgres WITH CONNECTION LIMIT 100',
  'ANALYZE one',
  'CLUSTER one USING one_pkey',
  'REINDEX TABLE one',
  'REINDEX INDEX one_pkey',
  'REINDEX (CONCURRENTLY false) TABLE one',
  'CREATE INDEX ON one (id)',
  'CREATE TABLE "concurrently" (id integer)',
  'DROP INDEX IF EXISTS nothing',
  'DROP TABLE one',
  'ALTER TABLE whole DETACH PARTITION part',
  'DISCARD TEMP',
  'DISCARD PLANS',
  'DISCARD SEQUENCES',
  "CREATE SUBSCRIPTION other CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
  'DROP SUBSCRIPTION sub',
  'ALTER SUBSCRIPTION sub SET PUBLICATION q WITH (refresh = false)',
  'ALTER SUBSCRIPTION sub DISABLE',
  'ALTER SUBSCRIPTION sub SET (synchronous_commit = off)',
  'CHECKPOINT',
  'SAVEPOINT here',
  'SAVEPOINT here; ROLLBACK TO here; RELEASE here',
  'SET TRANSACTION READ WRITE',
  'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SET LOCAL search_path = public',
  'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
  'COPY one TO STDOUT',
  "COPY one FROM PROGRAM 'true'",
  'LOCK TABLE one',
])('%s runs in a transaction, and is let through', async (sql) => {
  expect(reader(sql).statements.map(({ obstacle }) => obstacle)).not.toContainEqual(expect.anything());
  expect(await inTransaction(sql)).toBeUndefined();
});

test.each([
  // A subscription that is disabled is refused for that reason first.
  ['ALTER SUBSCRIPTION sub REFRESH PUBLICATION', 'alone'],
  ['ALTER SUBSCRIPTION sub SET PUBLICATION q', 'alone'],
  ['ALTER SUBSCRIPTION sub ADD PUBLICATION q WITH (copy_data = false)', 'alone'],
  ['ALTER SUBSCRIPTION sub SET (failover = true)', 'alone'],
  ['BEGIN', 'begin'],
  ['begin work', 'begin'],
  ['BEGIN READ WRITE', 'begin'],
  ['START TRANSACTION ISOLATION LEVEL READ COMMITTED', 'begin'],
  ['COMMIT', 'commit'],
  ['END WORK', 'commit'],
  ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'transaction'],
  ['START TRANSACTION READ ONLY', 'transaction'],
  ['COMMIT AND CHAIN', 'transaction'],
  ['ROLLBACK', 'transaction'],
  ['ABORT', 'transaction'],
  ["PREPARE TRANSACTION 'a'", 'transaction'],
  ["COMMIT PREPARED 'a'", 'transaction'],
  ["ROLLBACK PREPARED 'a'", 'transaction'],
  ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'isolation'],
  ['SET TRANSACTION READ ONLY', 'isolation'],
  ["SET TRANSACTION SNAPSHOT '00000003-0000001B-1'", 'isolation'],
  ["SET transaction_isolation = 'serializable'", 'isolation'],
  ['SET LOCAL transaction_read_only = on', 'isolation'],
  ['COPY one FROM STDIN', 'rows'],
  ['COPY one FROM STDIN WITH (FORMAT csv)', 'rows'],
])('%s is an obstacle of the kind %s', (sql, kind) => {
  expect(obstacleOf(sql)).toMatchObject({ kind, words: expect.stringMatching(/^[A-Z]/) });
});
