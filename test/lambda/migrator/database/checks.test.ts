// Checks: their reports, their refusals of a run, and that they leave no trace.

import { plan, validate } from '../../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { NOT_SHOWN } from '../../../../lambda/migrator/model/report.ts';
import type { Database } from '../../../../lambda/migrator/revisions/databases.ts';
import type { Connect } from '../../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { chainOf, databaseOf, revisionFiles } from '../../../setup/revisions.ts';
import { expectNothingLeft, hold, until } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

/** Options of a run whose first revision carries these checks. */
const withChecks = (...checks: string[]) =>
  migratorOn(database, { database: databaseOf({ id: '001', checks: { 'before-upgrade': checks } }) });
const schemas = () =>
  database.query(
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
  );

test('a check holds if it returns no row, and each verdict is reported as soon as it is known', async () => {
  const options = withChecks('SELECT 1 WHERE false', 'SELECT 7 AS id; -- one row\n-- of one column');
  const report = await validate(options, 'before-upgrade');
  expect(report).toMatchObject({
    revision: '001',
    phase: 'before-upgrade',
    passed: false,
    checks: [
      { id: 'V1.1', title: 'check 1', shownAs: ['V1.1 check 1'], passed: true, violations: 0, rows: [] },
      { id: 'V1.2', title: 'check 2', passed: false, violations: 1, rows: [{ id: 7 }] },
    ],
  });
  expect(options.events.filter(({ type }) => type === 'check completed')).toHaveLength(2);
});

test.each([
  [19, 19],
  [20, 20],
  [21, 20],
  [5000, 20],
])('of %i violating rows all are counted and %i reported', async (violations, reported) => {
  const { checks } = await validate(
    withChecks(`SELECT generate_series(1, ${violations}) AS id`),
    'before-upgrade',
  );
  expect(checks[0]).toMatchObject({ passed: false, violations });
  expect(checks[0]?.rows).toEqual(Array.from({ length: reported }, (_, index) => ({ id: index + 1 })));
});

test('long content of a violating row is cut, and the text of the check is not', async () => {
  const said = "repeat('ALTER TABLE x; ', 50) AS hint";
  const content = "repeat('x', 100000) AS content, jsonb_build_object('y', repeat('y', 100000)) AS document";
  const { checks } = await validate(withChecks(`SELECT 1 AS id, ${content}, ${said}`), 'before-upgrade');
  const row = checks[0]?.rows[0] as { id: number; content: string; document: string; hint: string };
  expect(row).toMatchObject({ id: 1, content: `${'x'.repeat(200)}…`, hint: 'ALTER TABLE x; '.repeat(50) });
  expect(row.document).toHaveLength(201);
});

test('all checks see the same moment, whatever is committed meanwhile', async () => {
  await database.query('CREATE TABLE one (id integer)');
  const other = await database.connect('other');
  await other.query('SELECT pg_advisory_lock(1)');
  const count = 'SELECT count(*) FROM one';
  const options = withChecks(count, 'SELECT pg_advisory_xact_lock(1)::text', count);
  const validation = validate(options, 'before-upgrade');
  await until('the first count', async () => options.events.some(({ type }) => type === 'check completed'));
  await other.query('INSERT INTO one VALUES (1)');
  await other.end();
  const { checks } = await validation;
  expect(checks[2]?.rows).toEqual(checks[0]?.rows);
});

describe('a check whose query is itself wrong has no verdict', () => {
  // A rollback does not take back the numbers of a sequence.
  beforeEach(() => database.query('CREATE SEQUENCE counter'));

  test.each([
    ['names a table that is not there', 'SELECT FROM nowhere', '42P01'],
    ['fails at a row', 'SELECT 1 / (2 - id) FROM generate_series(1, 50) AS id', '22012'],
    ['writes', "SELECT nextval('counter')", '25006'],
  ])('a check that %s is MigrationFailed with its number', async (_what, sql, code) => {
    await expect(validate(withChecks('SELECT 1 WHERE false', sql), 'before-upgrade')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringMatching(
        new RegExp(`\\(SQLSTATE (${code})\\) in check V1\\.2 of 001 \\(check 2\\)$`),
      ),
    });
  });

  test('a check that takes too long is MigrationFailed with its number', async () => {
    const options = {
      ...withChecks('SELECT pg_sleep(30)'),
      bounds: { ...DEFAULT_BOUNDS, transactionMs: 100 },
    };
    await expect(validate(options, 'before-upgrade')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringContaining('in check V1.1 of 001'),
    });
  });
});

describe('data that checks gather', () => {
  /** How a query becomes a section of a verify file. */
  const gather = (table: string, query: string) =>
    `-- gather: all ${table}\nCREATE TEMPORARY TABLE ${table} ON COMMIT DROP AS\n${query};\n`;
  const NUMBERS = gather('numbers', 'SELECT id FROM one');

  const gathering = (sections: string, ...checks: string[]): Database => {
    const files = revisionFiles({ id: '001', checks: { 'before-upgrade': checks } });
    const path = '001/verify/before-upgrade.sql';
    const chain = chainOf({ ...files, [path]: sections + files[path] });
    return { ...databaseOf({ id: '001' }), chain };
  };
  const judge = (sections: string, ...checks: string[]) =>
    validate(migratorOn(database, { database: gathering(sections, ...checks) }), 'before-upgrade');

  /** As on a standby, which begins no other transaction. */
  const readingOnly =
    (connect: Connect): Connect =>
    async (name) => {
      const client = await connect(name);
      await client.query('SET default_transaction_read_only = on');
      return client;
    };

  beforeEach(() => database.query('CREATE SEQUENCE counter; CREATE TABLE one AS SELECT 7 AS id'));

  test('is gathered once for all of them, and its time is told apart', async () => {
    const once = gather('numbers', "SELECT nextval('counter') AS n");
    const { checks, gathered } = await judge(once, 'SELECT n FROM numbers', 'SELECT n FROM numbers');
    expect(checks.map(({ rows }) => rows)).toEqual([[{ n: '1' }], [{ n: '1' }]]);
    expect(gathered).toEqual([
      { title: 'all numbers', table: 'numbers', rows: 1, durationMs: expect.any(Number) },
    ]);
  });

  test('may be read by a later gather section', async () => {
    const sections = NUMBERS + gather('doubles', 'SELECT 2 * id AS id FROM numbers');
    const { checks, gathered } = await judge(sections, 'SELECT id FROM doubles');
    expect(checks[0]?.rows).toEqual([{ id: 14 }]);
    expect(gathered?.map(({ table }) => table)).toEqual(['numbers', 'doubles']);
  });

  test('is gone when they are done, and no report of checks that share nothing speaks of it', async () => {
    await judge(NUMBERS, 'SELECT id FROM numbers');
    expect(await database.query("SELECT relname FROM pg_class WHERE relname = 'numbers'")).toEqual([]);
    expect(await validate(withChecks('SELECT 1'), 'before-upgrade')).not.toHaveProperty('gathered');
  });

  test.each([
    [
      'no user may create a temporary table',
      (name: string) => `REVOKE TEMPORARY ON DATABASE ${name} FROM PUBLIC, CURRENT_USER`,
    ],
    ['a session may only read', () => 'SELECT'],
  ])('if %s, each check runs its own query, with the same verdict', async (where, sql) => {
    await database.query(sql(database.name));
    const { connect } = database;
    if (where === 'a session may only read') database = { ...database, connect: readingOnly(connect) };
    const sections = NUMBERS + gather('doubles', 'SELECT 2 * id AS id FROM numbers');
    const report = await judge(
      sections,
      'SELECT id FROM doubles',
      'SELECT id FROM numbers',
      'SELECT 1 WHERE false;',
    );
    expect(report).not.toHaveProperty('gathered');
    expect(report.checks.map(({ rows, violations }) => ({ rows, violations }))).toEqual([
      { rows: [{ id: 14 }], violations: 1 },
      { rows: [{ id: NOT_SHOWN }], violations: 1 },
      { rows: [], violations: 0 },
    ]);
  });

  test.each([
    ['names a table that is not there', 'SELECT FROM nowhere', '42P01'],
    ['writes', 'WITH gone AS (DELETE FROM one RETURNING id) SELECT * FROM gone', '0A000'],
  ])('by a query that %s, leaves them without a verdict', async (_what, query, code) => {
    await expect(judge(gather('numbers', query), 'SELECT 1')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringMatching(
        new RegExp(`\\(SQLSTATE ${code}\\) in gather numbers of 001 \\(all numbers\\)$`),
      ),
    });
    expect(await database.query('SELECT id FROM one')).toEqual([{ id: 7 }]);
  });

  test('that takes too long ends them, and is named', async () => {
    const slow = gathering(gather('numbers', 'SELECT pg_sleep(30)::text AS id'), 'SELECT 1');
    const bounds = { ...DEFAULT_BOUNDS, transactionMs: 100 };
    await expect(
      validate(migratorOn(database, { database: slow, bounds }), 'before-upgrade'),
    ).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringContaining('in gather numbers of 001'),
    });
  });
});

describe('checks leave no trace', () => {
  test.each([
    ['validate', () => validate(withChecks('SELECT 1'), 'before-upgrade')],
    ['plan', () => plan(withChecks('SELECT 1 WHERE false'), 'upgrade', 'head')],
  ])('after %s the database is as before', async (_verb, act) => {
    await act();
    expect(await schemas()).toEqual([{ nspname: 'public' }]);
    expect(await database.query("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual(
      [],
    );
  });

  test('they may read a history that is not there yet', async () => {
    const report = await validate(withChecks('SELECT outcome FROM backstop.history'), 'before-upgrade');
    expect(report.passed).toBe(true);
    expect(await schemas()).toEqual([{ nspname: 'public' }]);
  });

  test('no other session waits for them, and they wait for no upgrade that creates the history', async () => {
    const other = await hold(database, 'CREATE SCHEMA backstop');
    expect(await plan(withChecks('SELECT 1 WHERE false'), 'upgrade', 'head')).toMatchObject({
      pending: ['001'],
    });
    await other.release();
  });
});

describe('a check that does not hold before the upgrade', () => {
  test.each([
    ['an ending of the engine', 'ServerTooOld'],
    ['another one', 'ExtensionMissing'],
  ])('refuses by the name that its row says, e.g. for %s', async (_what, name) => {
    const row = `SELECT '${name}' AS error, 'm' AS message, 'd' AS detail, 'h' AS hint`;
    const refusal = { name, summary: 'm', detail: 'd', hint: 'h' };
    await expect(plan(withChecks(row), 'upgrade', 'head')).rejects.toMatchObject(refusal);
    await expect(upgrade(withChecks(row), 'head')).rejects.toMatchObject(refusal);
    expect(await database.query("SELECT to_regclass('alembic_version') AS version")).toEqual([
      { version: null },
    ]);
  });

  test.each([
    ['says no name', "SELECT 7 AS id, 'm' AS m"],
    ['says a name that no ending has', "SELECT 7 AS id, 'toString' AS error"],
  ])('refuses as MigrationFailed if its row %s', async (_what, sql) => {
    await expect(upgrade(withChecks(sql), 'head')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: 'Check V1.1 does not hold: check 1',
      detail: expect.stringContaining('"id":7'),
      hint: 'Correct these rows, then run again.',
    });
  });
});
