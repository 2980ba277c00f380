// The values of violating rows: those of a user's table are never shown; counts, names of objects and literals are.
import { validate } from '../../../../lambda/migrator/inspect.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { chainOf, databaseOf, revisionFiles } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(`
    CREATE TABLE person (id integer PRIMARY KEY, mail text, is_active boolean);
    INSERT INTO person VALUES (4711, 'sesame', true);
    CREATE VIEW people AS SELECT * FROM person;
    CREATE FUNCTION first_mail() RETURNS text LANGUAGE sql AS 'SELECT mail FROM public.person';
    ANALYZE person;`);
});
afterAll(() => database.drop());

async function judge(connect: TestDatabase['connect'], gathers: string, ...checks: string[]) {
  const files = revisionFiles({ id: '001', checks: { 'before-upgrade': checks } });
  const path = '001/verify/before-upgrade.sql';
  const chain = chainOf({ ...files, [path]: gathers + files[path] });
  const options = { database: { ...databaseOf({ id: '001' }), chain }, connect };
  return (await validate(migratorOn(database, options), 'before-upgrade')).checks;
}

const HIDDEN = '(not shown)';

test.each<[what: string, sql: string, rows: object[]]>([
  ['columns of a table', 'SELECT * FROM person', [{ id: HIDDEN, mail: HIDDEN, is_active: HIDDEN }]],
  [
    'columns through a subquery, a join and WITH',
    'WITH p AS (SELECT * FROM (SELECT mail FROM person) AS s) SELECT p.mail FROM p JOIN person AS q ON q.mail = p.mail',
    [{ mail: HIDDEN }],
  ],
  ['columns of a view', 'SELECT mail FROM people', [{ mail: HIDDEN }]],
  [
    'text computed of them',
    "SELECT mail || '' AS m, ARRAY[mail] AS a, to_jsonb(person) AS j FROM person",
    [{ m: HIDDEN, a: HIDDEN, j: HIDDEN }],
  ],
  ['a whole row', 'SELECT person FROM person', [{ person: HIDDEN }]],
  ['columns through UNION', 'SELECT mail FROM person UNION SELECT mail FROM person', [{ mail: HIDDEN }]],
  [
    'a table behind the name of a query',
    "WITH person AS (SELECT * FROM person) SELECT mail || '' AS m FROM person",
    [{ m: HIDDEN }],
  ],
  ['text from a function that reads', 'SELECT first_mail() AS m', [{ m: HIDDEN }]],
  [
    'text from a query in a text',
    "SELECT query_to_xml('SELECT mail FROM person', false, false, '')::text AS m",
    [{ m: HIDDEN }],
  ],
  [
    'the statistics',
    "SELECT most_common_vals::text, histogram_bounds FROM pg_stats WHERE tablename = 'person' AND attname = 'mail'",
    [{ most_common_vals: null, histogram_bounds: null }],
  ],
  [
    'statements of sessions',
    'SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()',
    [{ query: HIDDEN }],
  ],
])('%s are not shown', async (_what, sql, rows) => {
  const [check] = await judge(database.connect, '', sql);
  expect(check?.rows).toEqual(rows);
  expect(check?.source).toBe(
    JSON.stringify(rows).includes(HIDDEN) ? '001/verify/before-upgrade.sql:2' : undefined,
  );
});

test.each<[what: string, sql: string, rows: object[]]>([
  [
    'counts',
    'SELECT count(*) AS n, sum(id) AS s, bool_and(is_active) AS b, 0.5 AS f FROM person',
    [{ n: '1', s: '4711', b: true, f: '0.5' }],
  ],
  ['null', 'SELECT p.mail FROM (SELECT) AS o LEFT JOIN person AS p ON p.id = 1', [{ mail: null }]],
  [
    'literals',
    "SELECT 'person' AS table_name, count(*) AS n FROM person UNION ALL SELECT 'it''s', 2",
    [
      { table_name: 'person', n: '1' },
      { table_name: "it's", n: '2' },
    ],
  ],
  [
    'names in the catalogue',
    "SELECT conrelid::regclass::text AS t, conname, pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE conname = 'person_pkey'",
    [{ t: 'person', conname: 'person_pkey', d: 'PRIMARY KEY (id)' }],
  ],
  [
    'names in the information schema',
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'person' AND ordinal_position = 1",
    [{ column_name: 'id' }],
  ],
  [
    'the words of a check',
    "SELECT id, 'm' || id AS message, 'd' AS detail FROM person",
    [{ id: HIDDEN, message: 'm4711', detail: 'd' }],
  ],
  ['text computed without a table', "WITH w AS (SELECT 'a' AS x) SELECT x || 'b' AS y FROM w", [{ y: 'ab' }]],
])('%s are shown', async (_what, sql, rows) => {
  const [check] = await judge(database.connect, '', sql);
  expect(check?.rows).toEqual(rows);
});

const GATHERS = `-- gather: every mail
CREATE TEMPORARY TABLE mails ON COMMIT DROP AS
SELECT 'person' AS table_name, mail, id, count(*) AS n FROM person GROUP BY mail, id;
-- gather: the same again
CREATE TEMPORARY TABLE again ON COMMIT DROP AS SELECT table_name, mail, id, n, mail || '' AS m FROM mails;
-- gather: names of tables
CREATE TEMPORARY TABLE names ON COMMIT DROP AS SELECT relname, relname || '!' AS loud FROM pg_class WHERE relname = 'person';
`;

test('a temporary table holds what its query read, whether it is made or not', async () => {
  const readOnly: TestDatabase['connect'] = async (name) => {
    const client = await database.connect(name);
    await client.query('SET default_transaction_read_only = on');
    return client;
  };
  for (const connect of [database.connect, readOnly]) {
    const checks = await judge(connect, GATHERS, 'SELECT * FROM again', 'SELECT *, loud AS very FROM names');
    expect(checks.map(({ rows }) => rows)).toEqual([
      [{ table_name: 'person', mail: HIDDEN, id: HIDDEN, n: '1', m: HIDDEN }],
      [{ relname: 'person', loud: 'person!', very: 'person!' }],
    ]);
  }
});
