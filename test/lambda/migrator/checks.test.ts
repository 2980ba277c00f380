// Checks: what they report, that they leave no trace, and how they refuse a run.
import { plan, upgrade, validate } from '../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../lambda/migrator/run.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { databaseOf } from '../../setup/revisions.ts';
import { expectNothingLeft, hold, until } from '../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

/** What a database is validated with whose first revision carries these checks. */
const withChecks = (...checks: string[]) =>
  migratorOn(database, { database: databaseOf({ id: '001', checks: { 'before-upgrade': checks } }) });
const schemas = () =>
  database.query(
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
  );

test('a check holds if it returns no row, and every verdict is told as it falls', async () => {
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

test('long content of a violating row is cut, and what the check itself says is not', async () => {
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
  // What a sequence has given out no rollback takes back.
  beforeEach(() => database.query('CREATE SEQUENCE counter'));

  test.each([
    ['is no SQL', 'SELEC 1', '42601'],
    ['names a table that is not there', 'SELECT FROM nowhere', '42P01'],
    ['fails at a row', 'SELECT 1 / (2 - id) FROM generate_series(1, 50) AS id', '22012'],
    ['is two queries', 'SELECT 1; SELECT 2;', '42601'],
    ['is no query', 'CREATE TABLE two ()', '42601'],
    ['writes', "SELECT nextval('counter')", '25006'],
  ])('one that %s is MigrationFailed with its number', async (_what, sql, code) => {
    await expect(validate(withChecks('SELECT 1 WHERE false', sql), 'before-upgrade')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringMatching(
        new RegExp(`\\(SQLSTATE (${code})\\) in check V1\\.2 of 001 \\(check 2\\)$`),
      ),
    });
  });

  test('one that takes too long is MigrationFailed with its number', async () => {
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

  test('nobody waits for them, and they wait for no upgrade that is making the history', async () => {
    const other = await hold(database, 'CREATE SCHEMA backstop');
    expect(await plan(withChecks('SELECT 1 WHERE false'), 'upgrade', 'head')).toMatchObject({
      pending: ['001'],
    });
    await other.release();
  });
});

describe('a check that does not hold before the upgrade', () => {
  test.each([
    ['a foreign key', 'ForeignKeyBlocked'],
    ['an old server', 'ServerTooOld'],
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
  ])('refuses as MigrationFailed where its row %s', async (_what, sql) => {
    await expect(upgrade(withChecks(sql), 'head')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: 'Check V1.1 does not hold: check 1',
      detail: expect.stringContaining('"id":7'),
      hint: 'Correct these rows, then run again.',
    });
  });
});
