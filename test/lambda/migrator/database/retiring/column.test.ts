// Retiring columns: a column comes back as it was, and is refused with the way round if another object needs it.
import { downgrade, upgrade } from '../../../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../../setup/database.ts';
import { databaseOf } from '../../../../setup/revisions.ts';
import { dumpSchema } from '../../../../setup/schema-dump.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const with_ = (
  upgradeSql: readonly string[],
  downgradeSql: readonly string[] = ['SELECT backstop.restore();'],
) =>
  migratorOn(database, { database: databaseOf({ id: 'r1', upgrade: upgradeSql, downgrade: downgradeSql }) });
const retire = (...columns: string[]) =>
  with_(columns.map((column) => `SELECT backstop.retire_column('public.orders', '${column}');`));

async function dump(): Promise<string> {
  const client = await database.connect('dump');
  try {
    return (await dumpSchema(client)).replaceAll(/^.*alembic_version.*\n/gm, '');
  } finally {
    await client.end();
  }
}

const ORDERS = `
  CREATE TABLE public.orders (
    id integer PRIMARY KEY,
    plain text,
    needed text CONSTRAINT always_there NOT NULL,
    filled text NOT NULL DEFAULT 'new',
    number serial,
    counted integer GENERATED ALWAYS AS IDENTITY (START 10),
    doubled integer NOT NULL GENERATED ALWAYS AS (id * 2) STORED,
    "Odd ""name" integer
  );
  GRANT SELECT (plain), UPDATE (plain) ON public.orders TO PUBLIC;
  COMMENT ON COLUMN public.orders.plain IS 'as it comes';
  ALTER TABLE public.orders ALTER COLUMN plain SET STATISTICS 7, ALTER COLUMN plain SET STORAGE EXTERNAL,
    ALTER COLUMN plain SET (n_distinct = 3);
  INSERT INTO public.orders (id, plain, needed) VALUES (1, 'a', 'b');`;
const ALL = ['plain', 'needed', 'filled', 'number', 'counted', 'doubled', 'Odd "name'];

test('columns of all kinds come back as they were, and rows that came since have what fills a column', async () => {
  await database.query(ORDERS);
  const before = await dump();
  const options = retire(...ALL);
  await upgrade(options, 'head');
  expect(
    await database.query(`SELECT attname FROM pg_attribute
      WHERE attrelid = 'public.orders'::regclass AND attnum > 0 AND attname !~ '^retired_r1_'`),
  ).toEqual([{ attname: 'id' }]);
  await database.query('INSERT INTO public.orders (id) VALUES (2)');
  await expect(downgrade(options, 'base')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'Rows of public.orders came while the column needed was retired, and have no value in it: 1',
    hint: 'It was NOT NULL. Give them a value, then run again: UPDATE public.orders SET retired_r1_needed = … WHERE retired_r1_needed IS NULL;',
  });
  await database.query("UPDATE public.orders SET retired_r1_needed = 'c' WHERE retired_r1_needed IS NULL");
  await downgrade(options, 'base');
  expect(await dump()).toBe(before);
  expect(await database.query('SELECT * FROM public.orders ORDER BY id')).toEqual([
    { id: 1, plain: 'a', needed: 'b', filled: 'new', number: 1, counted: 10, doubled: 2, 'Odd "name': null },
    { id: 2, plain: null, needed: 'c', filled: 'new', number: 2, counted: 11, doubled: 4, 'Odd "name': null },
  ]);
});

test('a column of a partitioned table, and of a table with children, comes back in all of them', async () => {
  await database.query(`
    CREATE TABLE public.orders (id integer, status text NOT NULL DEFAULT 'x', note text NOT NULL) PARTITION BY LIST (id);
    CREATE TABLE public.orders_1 PARTITION OF public.orders (status DEFAULT 'y') FOR VALUES IN (1) PARTITION BY LIST (id);
    CREATE TABLE public.orders_1_1 PARTITION OF public.orders_1 FOR VALUES IN (1);
    CREATE TABLE public.people (name text NOT NULL);
    CREATE TABLE public.staff (name text CONSTRAINT named NOT NULL) INHERITS (public.people);`);
  const before = await dump();
  const options = with_([
    "SELECT backstop.retire_column('public.orders', 'status'), backstop.retire_column('public.orders', 'note');",
    "SELECT backstop.retire_column('public.people', 'name');",
  ]);
  await upgrade(options, 'head');
  await database.query('INSERT INTO public.orders VALUES (1); DELETE FROM public.orders;');
  await database.query('INSERT INTO public.staff DEFAULT VALUES; DELETE FROM public.staff;');
  await downgrade(options, 'base');
  expect(await dump()).toBe(before);
});

test('a column comes back in a table that was renamed since', async () => {
  await database.query(ORDERS);
  const options = with_(
    ["SELECT backstop.retire_column('public.orders', 'plain');"],
    ["SELECT backstop.restore_column('public.orders', 'plain');"],
  );
  await upgrade(options, 'head');
  await database.query('ALTER TABLE public.orders RENAME TO sales');
  await downgrade(options, 'base');
  expect(await database.query('SELECT plain FROM public.sales')).toEqual([{ plain: 'a' }]);
});

test('a long name is cut, and two that are then alike stay apart', async () => {
  const [one, two] = ['a', 'b'].map((last) => 'x'.repeat(60) + last);
  await database.query(`CREATE TABLE public.orders (${one} integer, ${two} integer)`);
  const before = await dump();
  const options = retire(one as string, two as string);
  await upgrade(options, 'head');
  await downgrade(options, 'base');
  expect(await dump()).toBe(before);
});

const NEEDED = 'The column plain of public.orders is needed by';

test.each<[what: string, setUp: string, column: string, message: string, hint: string | RegExp]>([
  ['a column that is not there', '', 'gone', 'public.orders has no column gone', /^Write its name/],
  ['a column of the server', '', 'ctid', 'ctid is a column of the server', 'Take the call out.'],
  [
    'a key',
    '',
    'id',
    'The column id of public.orders is needed by generated column public.orders.doubled, table constraint orders_pkey on public.orders',
    'Drop them in a step before, and make them again in downgrade.sql: ALTER TABLE public.orders DROP COLUMN doubled; ALTER TABLE public.orders DROP CONSTRAINT orders_pkey;',
  ],
  [
    'an index',
    'CREATE INDEX i ON public.orders (lower(plain));',
    'plain',
    `${NEEDED} index public.i`,
    /DROP INDEX public.i;$/,
  ],
  [
    'a check',
    "ALTER TABLE public.orders ADD CONSTRAINT c CHECK (plain <> '');",
    'plain',
    `${NEEDED} table constraint c on public.orders`,
    /DROP CONSTRAINT c;$/,
  ],
  [
    'a foreign key',
    'CREATE TABLE public.p (id text PRIMARY KEY); ALTER TABLE public.orders ADD CONSTRAINT f FOREIGN KEY (plain) REFERENCES public.p NOT VALID;',
    'plain',
    `${NEEDED} table constraint f on public.orders`,
    /DROP CONSTRAINT f;$/,
  ],
  [
    'a foreign key to it',
    'ALTER TABLE public.orders ADD CONSTRAINT u UNIQUE (plain); CREATE TABLE public.p (id text CONSTRAINT f REFERENCES public.orders (plain));',
    'plain',
    `${NEEDED} table constraint f on public.p, table constraint u on public.orders`,
    /ALTER TABLE public.p DROP CONSTRAINT f; ALTER TABLE public.orders DROP CONSTRAINT u;$/,
  ],
  [
    'a view',
    'CREATE VIEW public.v AS SELECT plain FROM public.orders;',
    'plain',
    `${NEEDED} view public.v`,
    /DROP VIEW public.v;$/,
  ],
  [
    'a materialized view',
    'CREATE MATERIALIZED VIEW public.v AS SELECT plain FROM public.orders;',
    'plain',
    `${NEEDED} materialized view public.v`,
    /DROP MATERIALIZED VIEW public.v;$/,
  ],
  [
    'a policy',
    "CREATE POLICY p ON public.orders USING (plain <> '');",
    'plain',
    `${NEEDED} policy p on public.orders`,
    /DROP POLICY p on public.orders;$/,
  ],
  [
    'a trigger',
    'CREATE TRIGGER t BEFORE UPDATE OF plain ON public.orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();',
    'plain',
    `${NEEDED} trigger t on public.orders`,
    /DROP TRIGGER t on public.orders;$/,
  ],
  [
    'a rule',
    "CREATE RULE r AS ON DELETE TO public.orders WHERE old.plain = '' DO INSTEAD NOTHING;",
    'plain',
    `${NEEDED} rule r on public.orders`,
    /DROP RULE r on public.orders;$/,
  ],
  [
    'extended statistics',
    'CREATE STATISTICS public.s ON plain, needed FROM public.orders;',
    'plain',
    `${NEEDED} statistics object public.s`,
    /DROP STATISTICS public.s;$/,
  ],
  [
    'a partition key',
    'DROP TABLE public.orders; CREATE TABLE public.orders (plain text) PARTITION BY LIST (lower(plain));',
    'plain',
    'The column plain is in the partition key of public.orders',
    /^Rows have their place by it/,
  ],
  [
    'an inherited column',
    'ALTER TABLE public.orders RENAME TO parents; CREATE TABLE public.orders () INHERITS (public.parents);',
    'plain',
    'public.orders inherits the column plain from public.parents',
    "Retire it there: SELECT backstop.retire_column('public.parents', 'plain');",
  ],
])('%s is refused, and nothing is changed', async (_what, setUp, column, message, hint) => {
  await database.query(`${ORDERS} ${setUp}`);
  const before = await dump();
  await expect(upgrade(retire(column), 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: message,
    hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
    location: { line: 8 },
  });
  expect(await dump()).toBe(before);
});

test('a column in the column list of a publication is refused', async () => {
  const version = await database.query("SELECT current_setting('server_version_num')::int AS number");
  if (version[0]?.number < 150_000) return;
  await database.query(`${ORDERS} CREATE PUBLICATION feed FOR TABLE public.orders (id, plain);`);
  await expect(upgrade(retire('plain'), 'head')).rejects.toMatchObject({
    summary: `${NEEDED} publication relation public.orders in publication feed`,
    hint: expect.stringMatching(/ALTER PUBLICATION feed DROP TABLE public.orders;$/),
  });
});

test('a column that is retired twice, and one whose name is taken since, are refused', async () => {
  await database.query(ORDERS);
  await expect(upgrade(retire('plain', 'plain'), 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'Revision r1 has retired the column plain of public.orders already',
  });
  await upgrade(retire('plain'), 'head');
  await database.query('ALTER TABLE public.orders ADD COLUMN plain integer');
  await expect(downgrade(retire('plain'), 'base')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary:
      'The retired column plain of public.orders cannot come back: a column of that name is there since',
    hint: 'Give it another name: ALTER TABLE public.orders RENAME COLUMN plain TO new_plain;',
  });
});
