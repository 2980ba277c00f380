// Finalize of retired tables and columns: it drops exactly these, and a downgrade makes them again, empty, as they were.
import { lossOfFinalize } from '../../../../../lambda/migrator/loss.ts';
import { downgrade, finalize, upgrade } from '../../../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../../setup/database.ts';
import { chainOf, databaseOf } from '../../../../setup/revisions.ts';
import { dumpSchema } from '../../../../setup/schema-dump.ts';
import { EVERYTHING } from './everything.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

/** Options with a chain of one revision that retires by these calls. */
const retiring = (...calls: string[]) =>
  migratorOn(database, {
    database: databaseOf({
      id: 'r1',
      upgrade: calls.map((call) => `SELECT backstop.${call};`),
      downgrade: ['SELECT backstop.restore();'],
    }),
  });

async function dump(): Promise<string> {
  const client = await database.connect('dump');
  try {
    const { rows } = await client.query(
      "SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 'app')",
    );
    const dumps = [];
    for (const { nspname } of rows) dumps.push(await dumpSchema(client, nspname));
    return dumps.join('').replaceAll(/^.*alembic_version.*\n/gm, '');
  } finally {
    await client.end();
  }
}

/** Objects of others that go with a retired table. */
const DEPENDENTS = `
  CREATE VIEW public.more WITH (security_barrier) AS SELECT * FROM public.titles;
  COMMENT ON VIEW public.more IS 'all'; COMMENT ON COLUMN public.more.id IS 'key'; GRANT SELECT ON public.more TO PUBLIC;
  CREATE MATERIALIZED VIEW public.kept AS SELECT id, title FROM public.tasks;
  CREATE UNIQUE INDEX kept_id ON public.kept (id);
  CREATE FUNCTION public.named(task public.tasks) RETURNS text LANGUAGE sql AS 'SELECT (task).title';
  REVOKE EXECUTE ON FUNCTION public.named FROM PUBLIC; COMMENT ON FUNCTION public.named IS 'its name';
  CREATE TABLE public.others (id integer DEFAULT nextval('public.tasks_number_seq'), task integer);
  CREATE POLICY allowed ON public.others USING (EXISTS (SELECT FROM public.tasks WHERE tasks.id = others.task));
  CREATE RULE logged AS ON UPDATE TO public.others DO ALSO SELECT count(*) FROM public.tasks;
  COMMENT ON CONSTRAINT to_task ON public.links IS 'a link';`;

/** The objects of others, in the order of their names. */
const TAKEN_ALONG = [
  'policy allowed on public.others',
  'default value for public.others.id',
  'rule logged on public.others',
  'materialized view public.kept',
  'view public.more',
  'function public.named(retired_r1.tasks)',
  'view public.titles',
  'foreign key to_task on public.links',
];

test('a table with everything is dropped, and comes back as it was, without rows', async () => {
  await database.query(EVERYTHING + DEPENDENTS);
  const before = await dump();
  const options = retiring("retire('public.tasks')", "retire('public.days')");
  await upgrade(options, 'head');
  expect((await lossOfFinalize(options)).found.map(({ rows }) => rows)).toEqual([
    [
      { table_name: 'days', rows: '2' },
      { table_name: 'tasks', rows: '3' },
    ],
    TAKEN_ALONG.map((message) => ({ message })),
  ]);
  // The rows of a child table would keep it from being dropped.
  await database.query(`DO $$ BEGIN EXECUTE 'DELETE FROM ONLY ' || (
    SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'retired_r1.tasks'::regclass); END $$`);
  const report = await finalize(options);
  expect(report).toMatchObject({
    outcome: 'finalized',
    dropped: expect.arrayContaining(['retired_r1.tasks', 'retired_r1.days', 'public.kept']),
  });
  expect(report.steps.flatMap(({ notices }) => notices.map(({ message }) => message))).toEqual([
    ...TAKEN_ALONG.map((object) => `CASCADE drops ${object}`),
    '6 tables dropped for good',
  ]);
  expect(
    await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ 'retired|backstop_'"),
  ).toEqual([]);
  expect(await finalize(options)).toMatchObject({ outcome: 'nothing to do' });
  const back = await downgrade(options, 'base');
  const sayings = back.steps.flatMap(({ notices }) =>
    notices.map(({ severity, message }) => `${severity} ${message}`),
  );
  expect(sayings).toEqual([
    expect.stringMatching(
      /^NOTICE Not validated, because rows refer to lost rows: ALTER TABLE public.links ADD CONSTRAINT to_task/,
    ),
    'WARNING Data in dropped tables NOT restored. Restore from backup if needed.',
  ]);
  expect(await dump()).toBe(
    before.replace('ON UPDATE CASCADE","index"', 'ON UPDATE CASCADE NOT VALID","index"'),
  );
  expect(
    await database.query(
      'SELECT (SELECT count(*) FROM public.tasks)::int AS tasks, (SELECT count(*) FROM public.links)::int AS links',
    ),
  ).toEqual([{ tasks: 0, links: 1 }]);
});

test('a column is dropped, and comes back as it was, without its values', async () => {
  await database.query(`
    CREATE TABLE public.orders (id integer, needed text CONSTRAINT always NOT NULL, filled varchar(9) COLLATE "C" NOT NULL DEFAULT 'new',
      number serial, counted integer GENERATED ALWAYS AS IDENTITY (START 7), doubled integer GENERATED ALWAYS AS (id * 2) STORED);
    COMMENT ON COLUMN public.orders.filled IS 'x'; GRANT SELECT (filled) ON public.orders TO PUBLIC;
    ALTER TABLE public.orders ALTER COLUMN filled SET STATISTICS 5, ALTER COLUMN filled SET STORAGE EXTERNAL;
    INSERT INTO public.orders (id, needed) VALUES (1, 'a');`);
  const before = await dump();
  // In this order they come back in the order in which they were.
  const options = retiring(
    ...['doubled', 'counted', 'number', 'filled', 'needed'].map(
      (name) => `retire_column('public.orders', '${name}')`,
    ),
  );
  await upgrade(options, 'head');
  expect((await lossOfFinalize(options)).found.map(({ rows }) => rows)).toEqual([
    ['doubled', 'counted', 'number', 'filled', 'needed'].map((name) => ({
      table_name: `orders.${name}`,
      rows: '1',
    })),
  ]);
  await finalize(options);
  expect(await database.query('SELECT * FROM public.orders')).toEqual([{ id: 1 }]);
  await database.query('DELETE FROM public.orders');
  await downgrade(options, 'base');
  expect(await dump()).toBe(before);
});

test('a column that was NOT NULL comes back without it where rows are, and a warning says so', async () => {
  await database.query(
    "CREATE TABLE public.orders (id integer, name text NOT NULL); INSERT INTO public.orders VALUES (1, 'a');",
  );
  const options = retiring("retire_column('public.orders', 'name')");
  await upgrade(options, 'head');
  await finalize(options);
  const { steps } = await downgrade(options, 'base');
  expect(steps[0]?.notices.map(({ message }) => message)).toContain(
    'Column name of public.orders comes back without NOT NULL: its values are lost',
  );
  expect(await database.query('SELECT * FROM public.orders')).toEqual([{ id: 1, name: null }]);
});

test.each<[what: string, since: string, message: string, remedy: string]>([
  [
    'a child table',
    'CREATE TABLE public.child () INHERITS (retired_r1.a);',
    'table public.child',
    'ALTER TABLE public.child NO INHERIT retired_r1.a;',
  ],
  [
    'a partition',
    'CREATE TABLE public.part PARTITION OF retired_r1.p DEFAULT;',
    'partition public.part',
    'ALTER TABLE retired_r1.p DETACH PARTITION public.part;',
  ],
  [
    'a column of its row type',
    'CREATE TABLE public.child (a retired_r1.a);',
    'column public.child.a',
    'ALTER TABLE public.child DROP COLUMN a;',
  ],
])('%s that was made since is refused, and nothing is changed', async (_what, since, message, remedy) => {
  await database.query(
    'CREATE TABLE public.a (id integer); CREATE TABLE public.p (id integer) PARTITION BY LIST (id);',
  );
  const options = retiring("retire('public.a')", "retire('public.p')");
  await upgrade(options, 'head');
  await database.query(since);
  await expect(finalize(options)).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: expect.stringContaining(message),
    hint: `Take it out of the way, then run again: ${remedy}`,
  });
  await database.query(remedy);
  expect(await finalize(options)).toMatchObject({ outcome: 'finalized' });
});

test('a child table that went with its parent keeps finalize from dropping its rows', async () => {
  await database.query(`CREATE TABLE public.a (id integer); CREATE TABLE public.child () INHERITS (public.a);
    INSERT INTO public.a VALUES (1); INSERT INTO public.child VALUES (2);`);
  const options = retiring("retire('public.a')");
  await upgrade(options, 'head');
  await expect(finalize(options)).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'The rows of public.child would be dropped, which inherits from public.a',
    hint: 'To keep them, downgrade, and take the table out first: ALTER TABLE public.child NO INHERIT public.a; if they may go: TRUNCATE ONLY retired_r1.child;',
  });
  await database.query('TRUNCATE ONLY retired_r1.child');
  expect(await finalize(options)).toMatchObject({ outcome: 'finalized' });
});

test('a table that cannot be made again is refused, and finalize.sql can drop it', async () => {
  await database.query('CREATE TYPE public.shape AS (id integer); CREATE TABLE public.a OF public.shape;');
  const draft = {
    id: 'r1',
    upgrade: ["SELECT backstop.retire('public.a');"],
    downgrade: ['SELECT backstop.restore();'],
  };
  const options = migratorOn(database, { database: databaseOf(draft) });
  await upgrade(options, 'head');
  await expect(finalize(options)).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'The tables that revision r1 retired could not be made again as they are',
    detail: 'public.a is a foreign table, or follows a type',
    hint: 'To drop them without a way back, write DROP TABLE retired_r1.…; in a finalize.sql of the revision.',
  });
  const byHand = migratorOn(database, {
    database: databaseOf({ ...draft, finalize: ['DROP TABLE retired_r1.a;'] }),
  });
  expect(await finalize(byHand)).toMatchObject({ outcome: 'finalized', dropped: ['retired_r1.a'] });
});

test('a table whose name is taken since is dropped, and comes back when the name is free again', async () => {
  await database.query('CREATE TABLE public.a (id integer PRIMARY KEY, parent integer REFERENCES public.a);');
  const before = await dump();
  const options = retiring("retire('public.a')");
  await upgrade(options, 'head');
  await database.query('CREATE TABLE public.a (other text);');
  await finalize(options);
  await expect(downgrade(options, 'base')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'The retired table public.a cannot come back: public.a is there since',
  });
  await database.query('DROP TABLE public.a');
  await downgrade(options, 'base');
  expect(await dump()).toBe(before);
});

test('an upgrade that finalizes at once can be taken back, and run again', async () => {
  await database.query('CREATE TABLE public.a (id integer); CREATE TABLE public.b (id integer, name text);');
  const before = await dump();
  const options = retiring("retire('public.a')", "retire_column('public.b', 'name')", "retire('public.b')");
  for (const _round of [1, 2]) {
    await upgrade(options, 'head', { finalize: true });
    await downgrade(options, 'base');
    expect(await dump()).toBe(before);
  }
});

test('an object that no revision put into the schema is refused, and stays when it is moved', async () => {
  await database.query('CREATE TABLE public.a (id integer);');
  const options = retiring("retire('public.a')");
  await upgrade(options, 'head');
  await database.query('CREATE TABLE retired_r1.stray ();');
  await expect(finalize(options)).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'Schema retired_r1 holds objects that revision r1 did not retire',
    detail: 'Found: table retired_r1.stray',
    hint: 'Run: CREATE SCHEMA IF NOT EXISTS kept_r1; ALTER TABLE retired_r1.stray SET SCHEMA kept_r1;',
  });
  await database.query('CREATE SCHEMA kept_r1; ALTER TABLE retired_r1.stray SET SCHEMA kept_r1;');
  expect(await finalize(options)).toMatchObject({ outcome: 'finalized', dropped: ['retired_r1.a'] });
});

test('tables that an earlier version moved by hand are dropped if the header lists them, and come back', async () => {
  await database.query(
    'CREATE TABLE public.a (id integer PRIMARY KEY); CREATE TABLE public.b (a integer REFERENCES public.a);',
  );
  const before = await dump();
  const files = (upgradeSql: string) => ({
    'r1/upgrade.sql': `-- Retire\n-- Revision: r1\n-- Revises: <base>\n-- Create Date: 2026-11-27\n-- Retires: public.a, public.b\n\n-- step: Retiring\n${upgradeSql}`,
    'r1/downgrade.sql':
      "-- Restore\n-- Revision: r1\n\n-- step: Restoring\nSELECT backstop.retired_by_hand('public.a', 'public.b'), backstop.restore();",
  });
  const { definition } = databaseOf({ id: 'r1' });
  const version = (sql: string) =>
    migratorOn(database, { database: { definition, chain: chainOf(files(sql)) } });
  const byHand = version(
    'CREATE SCHEMA retired_r1; ALTER TABLE public.a SET SCHEMA retired_r1; ALTER TABLE public.b SET SCHEMA retired_r1;',
  );
  const now = version("SELECT backstop.retire('public.a'), backstop.retire('public.b');");
  await upgrade(byHand, 'head');
  await downgrade(now, 'base');
  expect(await dump()).toBe(before);
  await upgrade(byHand, 'head');
  expect((await finalize(now)).dropped).toEqual(['retired_r1.a', 'retired_r1.b']);
  await downgrade(now, 'base');
  expect(await dump()).toBe(before);
});
