// Retiring tables: everything that belongs to one comes back as it was, and whatever cannot be retired is refused.
import { plan } from '../../../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../../../lambda/migrator/migrator.ts';
import { offlineSql } from '../../../../../lambda/migrator/offline.ts';
import { connectorTo } from '../../../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../../setup/database.ts';
import { databaseOf } from '../../../../setup/revisions.ts';
import { dumpSchema } from '../../../../setup/schema-dump.ts';
import { EVERYTHING } from './everything.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

/** Options with a chain of one revision, `r1`. */
const with_ = (
  upgradeSql: readonly string[],
  downgradeSql: readonly string[] = ['SELECT backstop.restore();'],
) =>
  migratorOn(database, { database: databaseOf({ id: 'r1', upgrade: upgradeSql, downgrade: downgradeSql }) });

async function dump(): Promise<string> {
  const client = await database.connect('dump');
  try {
    const dumps = [await dumpSchema(client, 'public'), await dumpSchema(client, 'app')];
    return dumps.join('').replaceAll(/^.*alembic_version.*\n/gm, '');
  } finally {
    await client.end();
  }
}

const ROWS = `
  SELECT (SELECT jsonb_agg(t ORDER BY id) FROM public.tasks AS t) AS tasks, (SELECT jsonb_agg(t) FROM app.tasks AS t) AS children,
         (SELECT jsonb_agg(d ORDER BY day) FROM public.days AS d) AS days, (SELECT jsonb_agg(l) FROM public.links AS l) AS links`;

test('a table with everything comes back as it was, with every row', async () => {
  await database.query(EVERYTHING);
  const [schema, rows] = [await dump(), await database.query(ROWS)];
  const options = with_([
    "SELECT backstop.retire('public.tasks');",
    "SELECT backstop.retire('public.days');",
  ]);
  expect((await plan(options, 'upgrade', 'head')).retires).toEqual(['"public"."tasks"', '"public"."days"']);
  const report = await upgrade(options, 'head');
  // All tables are locked before the first step, although no header names them.
  expect([report.unforeseen, report.steps.flatMap(({ locks }) => locks)]).toEqual([undefined, []]);
  expect(report.retired).toEqual([
    'app.days',
    'app.tasks',
    'public.days',
    'public.days_2025',
    'public.days_rest',
    'public.tasks',
  ]);
  expect(
    await database.query(
      "SELECT to_regclass('public.tasks') AS tasks, to_regclass('public.by_title') AS by_title",
    ),
  ).toEqual([{ tasks: null, by_title: null }]);
  await database.query('INSERT INTO public.links VALUES (10); DELETE FROM public.links WHERE task = 10;');
  expect((await downgrade(options, 'base')).unforeseen).toBeUndefined();
  expect(await dump()).toBe(schema);
  expect(await database.query(ROWS)).toEqual(rows);
  expect(await database.query('SELECT count(*)::int FROM backstop.retired')).toEqual([{ count: 0 }]);
  expect(await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ 'retired'")).toEqual([]);
});

test('one table comes back by its name, and the others stay', async () => {
  await database.query('CREATE TABLE public.one (); CREATE TABLE public.two ();');
  const options = with_(
    ["SELECT backstop.retire('public.one'), backstop.retire('public.two');"],
    ["SELECT backstop.restore('public.two');"],
  );
  expect((await upgrade(options, 'head')).retired).toEqual(['public.one', 'public.two']);
  expect((await downgrade(options, 'base')).restored).toEqual(['public.two']);
  expect(await database.query('SELECT schema_name, table_name, kept_as FROM backstop.retired')).toEqual([
    { schema_name: 'public', table_name: 'one', kept_as: 'one' },
  ]);
});

test.each(["'public.one', 'app.one', 'public.two'", "VARIADIC ARRAY['public.one', 'app.one', 'public.two']"])(
  'several tables in one call, retire(%s), are locked at once and come back, also with equal names',
  async (names) => {
    await database.query(`CREATE SCHEMA app;
      CREATE TABLE public.one (id serial PRIMARY KEY, a text UNIQUE); INSERT INTO public.one (a) VALUES ('x');
      CREATE TABLE app.one (LIKE public.one INCLUDING ALL); CREATE TABLE public.two (one integer REFERENCES public.one);
      CREATE TABLE public.below () INHERITS (public.two);`);
    const [before, rows] = [await dump(), 'SELECT a FROM public.one'];
    const options = with_([`SELECT backstop.retire(${names});`]);
    const report = await upgrade(options, 'head');
    expect([report.unforeseen, report.steps[0]?.locks]).toEqual([undefined, []]);
    expect(report.retired).toEqual(['app.one', 'public.below', 'public.one', 'public.two']);
    expect(await database.query('SELECT table_name, kept_as FROM backstop.retired ORDER BY id')).toEqual([
      { table_name: 'one', kept_as: 'one' },
      { table_name: 'one', kept_as: expect.stringMatching(/^retired_\d+$/) },
      { table_name: 'two', kept_as: 'two' },
    ]);
    await downgrade(options, 'base');
    expect(await dump()).toBe(before);
    expect(await database.query(rows)).toEqual([{ a: 'x' }]);
  },
);

test.each<[what: string, call: string]>([
  ['no table', 'retire(VARIADIC ARRAY[]::text[])'],
  ['only a column', "retire_column('public.a', 'note')"],
])('a revision that retires %s leaves no schema behind', async (_what, call) => {
  await database.query('CREATE TABLE public.a (note text);');
  await upgrade(with_([`SELECT backstop.${call};`]), 'head');
  expect(await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ 'retired'")).toEqual([]);
});

test('an empty schema that was there before stays', async () => {
  await database.asAdministrator(
    `CREATE SCHEMA retired_r1; ALTER SCHEMA retired_r1 OWNER TO ${database.settings.user}`,
  );
  await upgrade(with_(['SELECT backstop.retire(VARIADIC ARRAY[]::text[]);']), 'head');
  expect(await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ 'retired'")).toHaveLength(1);
});

test('a user who may create no schema can retire a column', async () => {
  await database.query('CREATE TABLE public.a (note text);');
  await upgrade(migratorOn(database, { database: databaseOf({ id: 'r1' }) }), 'head');
  const chain = databaseOf(
    { id: 'r1' },
    { id: 'r2', revises: 'r1', upgrade: ["SELECT backstop.retire_column('public.a', 'note');"] },
  );
  const { name, settings } = database;
  await database.asAdministrator(`ALTER DATABASE ${name} OWNER TO CURRENT_USER; GRANT CREATE ON SCHEMA public TO ${settings.user};
    REVOKE CREATE ON DATABASE ${name} FROM ${settings.user}, PUBLIC;`);
  await upgrade(migratorOn(database, { database: chain }), 'head');
  expect(await database.query('SELECT kept_as FROM backstop.retired')).toEqual([
    { kept_as: 'retired_r2_note' },
  ]);
});

test.each<[what: string, setUp: string, call: string, message: string, hint: RegExp]>([
  ['no name', '', "''", '"" is not the name of a table with its schema', /^Write it as in SQL/],
  [
    'a name without a schema',
    'CREATE TABLE public.a ();',
    "'a'",
    '"a" is not the name of a table with its schema',
    /^Write/,
  ],
  ['NULL', '', 'NULL', '"" is not the name of a table with its schema', /^Write/],
  ['a table that is not there', '', "'public.Gone'", 'There is no table public.gone', /^Correct the name/],
  [
    'a view',
    'CREATE VIEW public.a AS SELECT 1;',
    "'public.a'",
    'public.a is a view, and only tables can be retired',
    /^Drop it in upgrade.sql/,
  ],
  [
    'a materialized view',
    'CREATE MATERIALIZED VIEW public.a AS SELECT 1;',
    "'public.a'",
    'public.a is a materialized view, and only tables can be retired',
    /^Drop it/,
  ],
  [
    'a sequence',
    'CREATE SEQUENCE public.a;',
    "'public.a'",
    'public.a is a sequence, and only tables can be retired',
    /^Retire the table/,
  ],
  [
    'an index',
    'CREATE TABLE public.a (id integer PRIMARY KEY);',
    "'public.a_pkey'",
    'public.a_pkey is an index, and only tables can be retired',
    /^Drop/,
  ],
  [
    'a type',
    'CREATE TYPE public.a AS (id integer);',
    "'public.a'",
    'public.a is a type, and only tables can be retired',
    /^Drop/,
  ],
  [
    'a table of the server',
    '',
    "'pg_catalog.' || 'pg_class'",
    'pg_catalog.pg_class is a table of the server or of Backstop',
    /^Take the call out/,
  ],
  [
    'a table of Backstop',
    '',
    "'backstop.history'",
    'backstop.history is a table of the server or of Backstop',
    /^Take/,
  ],
  [
    'a retired table',
    'CREATE SCHEMA retired_old; CREATE TABLE retired_old.a ();',
    "'retired_old.a'",
    'retired_old.a is retired already',
    /^Take/,
  ],
  [
    'a partition',
    'CREATE TABLE public.a (id integer) PARTITION BY LIST (id); CREATE TABLE public.b PARTITION OF public.a DEFAULT;',
    "'public.b'",
    'public.b is a partition of public.a',
    /ALTER TABLE public.a DETACH PARTITION public.b;$/,
  ],
  [
    'a child',
    'CREATE TABLE public.a (id integer); CREATE TABLE public.b () INHERITS (public.a);',
    "'public.b'",
    'public.b inherits from public.a',
    /ALTER TABLE public.b NO INHERIT public.a;$/,
  ],
  [
    'a table that is named twice in one call',
    'CREATE TABLE public.a ();',
    "'public.a', 'public.' || 'a'",
    'public.a is retired twice in one call',
    /^Name each table once/,
  ],
  [
    'a table after the one above it',
    'CREATE TABLE public.a (id integer); CREATE TABLE public.b () INHERITS (public.a);',
    "'public.a', 'public.' || 'b'",
    'public.b is retired twice in one call',
    /only the uppermost\.$/,
  ],
  [
    'the second of two tables',
    'CREATE TABLE public.a ();',
    "'public.a', 'public.' || 'gone'",
    'There is no table public.gone',
    /^Correct the name/,
  ],
  [
    'a table with a child of two parents',
    'CREATE TABLE public.a (id integer); CREATE TABLE public.c (id integer); CREATE TABLE public.b () INHERITS (public.a, public.c);',
    "'public.a'",
    'public.b inherits from public.c',
    /NO INHERIT/,
  ],
])('%s is refused, and nothing is changed', async (_what, setUp, call, message, hint) => {
  await database.query(`${setUp} SELECT 1;`);
  const before = await dump();
  await expect(upgrade(with_([`SELECT backstop.retire(${call});`]), 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: message,
    hint: expect.stringMatching(hint),
    location: { line: 8 },
  });
  expect(await dump()).toBe(before);
});

test('a temporary table is refused', async () => {
  const temporary = with_(['CREATE TEMPORARY TABLE a ();', "SELECT backstop.retire('pg_temp.a');"]);
  await expect(upgrade(temporary, 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: expect.stringMatching(/^pg_temp\w*\.a is a temporary table, which goes by itself$/),
  });
});

test('a table that is retired twice is refused', async () => {
  await database.query('CREATE TABLE public.a ();');
  const twice = with_(["SELECT backstop.retire('public.a');", "SELECT backstop.retire('public.a');"]);
  await expect(upgrade(twice, 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'Revision r1 has retired public.a already',
  });
});

test('a table of another owner is refused with the grant, before anything happens if its name is a literal', async () => {
  await database.asAdministrator('CREATE TABLE public.a ();');
  await expect(upgrade(with_(["SELECT backstop.retire('public.a');"]), 'head')).rejects.toMatchObject({
    name: 'PrivilegeMissing',
    hint: expect.stringContaining('ALTER TABLE public.a OWNER TO'),
  });
  const dynamic = with_(["DO $$ BEGIN PERFORM backstop.retire('public.a'); END $$;"]);
  await expect(upgrade(dynamic, 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: expect.stringMatching(/^public.a belongs to /),
    hint: expect.stringMatching(/^Make this user a member of its owner: GRANT/),
  });
});

test('a table of an extension is refused', async () => {
  const owner = database.settings.user;
  await database.asAdministrator(`CREATE TABLE public.a (); ALTER TABLE public.a OWNER TO ${owner};
    ALTER EXTENSION plpgsql ADD TABLE public.a;`);
  await expect(upgrade(with_(["SELECT backstop.retire('public.a');"]), 'head')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'public.a belongs to the extension plpgsql',
    hint: expect.stringMatching(/ALTER EXTENSION plpgsql DROP TABLE public.a;$/),
  });
});

test('a table whose place is taken since does not come back, and the way is said', async () => {
  await database.query('CREATE TABLE public.a (id serial);');
  const options = with_(["SELECT backstop.retire('public.a');"]);
  await upgrade(options, 'head');
  await database.query('CREATE TABLE public.a_id_seq ();');
  await expect(downgrade(options, 'base')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'The retired table public.a cannot come back: public.a_id_seq is there since',
    hint: 'Give it another name: ALTER TABLE public.a_id_seq RENAME TO new_a_id_seq;',
  });
  await database.query('ALTER TABLE public.a_id_seq RENAME TO new_a_id_seq;');
  await downgrade(options, 'base');
  expect(await database.query("SELECT nextval('public.a_id_seq') AS next")).toEqual([{ next: '1' }]);
});

test('a table that was not retired cannot be restored', async () => {
  const options = with_(['SELECT 1;'], ["SELECT backstop.restore('public.a');"]);
  await upgrade(options, 'head');
  await expect(downgrade(options, 'base')).rejects.toMatchObject({
    name: 'MigrationRefused',
    summary: 'Revision r1 has not retired public.a',
  });
});

test('the functions are gone after the run, and a stranger cannot put one in their place', async () => {
  await database.query('CREATE TABLE public.a ();');
  const options = with_(["SELECT backstop.retire('public.a');"]);
  await upgrade(options, 'head');
  const ours = "SELECT proname FROM pg_proc WHERE pronamespace = 'backstop'::regnamespace";
  expect(await database.query(ours)).toEqual([]);
  await database.asAdministrator(`CREATE ROLE ${database.name};
    CREATE FUNCTION backstop.retire(text, integer DEFAULT 1) RETURNS void LANGUAGE sql AS '';
    GRANT CREATE ON SCHEMA backstop TO ${database.name};
    ALTER FUNCTION backstop.retire(text, integer) OWNER TO ${database.name};`);
  try {
    await expect(downgrade(options, 'base')).rejects.toMatchObject({
      name: 'StrangersObject',
      hint: 'DROP FUNCTION backstop.retire(text,integer);',
    });
  } finally {
    await database.asAdministrator(`DROP OWNED BY ${database.name}; DROP ROLE ${database.name};`);
  }
});

test('a dry run retires, restores and leaves nothing', async () => {
  await database.query('CREATE TABLE public.a ();');
  const before = await dump();
  const report = await upgrade(with_(["SELECT backstop.retire('public.a');"]), 'head', { dryRun: true });
  expect(report.rehearsal).toMatchObject([{ revision: 'r1', passed: true, reversible: 'yes' }]);
  expect(await dump()).toBe(before);
});

test('the script of --sql retires and restores as a run does', async () => {
  await database.query(EVERYTHING);
  const before = await dump();
  const { chain } = with_([
    "SELECT backstop.retire('public.tasks'), backstop.retire('public.days');",
  ]).database;
  await database.query(offlineSql(chain, 'upgrade', 'base', 'r1'));
  expect(
    await database.query("SELECT to_regclass('public.tasks') AS tasks, count(*)::int FROM backstop.retired"),
  ).toEqual([{ tasks: null, count: 2 }]);
  await database.query(offlineSql(chain, 'downgrade', 'r1', 'base'));
  expect(await dump()).toBe(before);
  expect(await database.query("SELECT FROM pg_proc WHERE pronamespace = 'backstop'::regnamespace")).toEqual(
    [],
  );
});

test('a record that is not ours is refused, because its statements would run as this user', async () => {
  const options = with_(["SELECT backstop.retire('public.a');"]);
  await database.query('CREATE TABLE public.a ();');
  await upgrade(options, 'head');
  const role = `${database.name}_other`;
  await database.asAdministrator(`CREATE ROLE ${role}; GRANT USAGE, CREATE ON SCHEMA backstop TO ${role};`);
  try {
    for (const [sql, fault] of [
      [`ALTER TABLE backstop.retired OWNER TO ${role}`, 'belongs to'],
      [
        `ALTER TABLE backstop.retired OWNER TO ${database.settings.user}; GRANT INSERT ON backstop.retired TO PUBLIC`,
        'lets everybody write to it',
      ],
      [
        'REVOKE ALL ON backstop.retired FROM PUBLIC; ALTER TABLE backstop.retired ADD COLUMN other integer DEFAULT 1',
        'has a column "other"',
      ],
    ] as const) {
      await database.asAdministrator(sql);
      await expect(downgrade(options, 'base')).rejects.toMatchObject({
        name: 'StrangersObject',
        summary: expect.stringContaining(`table backstop.retired ${fault}`),
      });
    }
  } finally {
    await database.asAdministrator(`DROP OWNED BY ${role}; DROP ROLE ${role};`);
  }
});

test('another user who may migrate brings back the tables that the owner retired, and the owner finalizes them', async () => {
  await database.query('CREATE TABLE public.a (id integer PRIMARY KEY);');
  const before = await dump();
  const calls = {
    id: 'r1',
    upgrade: ["SELECT backstop.retire('public.a');"],
    downgrade: ['SELECT backstop.restore();'],
  };
  const owner = migratorOn(database, { database: databaseOf(calls) });
  const role = `${database.name}_member`;
  await database.asAdministrator(
    `CREATE ROLE ${role} LOGIN PASSWORD 'sesame-42' IN ROLE ${database.settings.user};`,
  );
  const member = migratorOn(database, {
    database: databaseOf(calls),
    connect: connectorTo({ ...database.settings, user: role, password: 'sesame-42' }),
  });
  try {
    await upgrade(member, 'head');
    await downgrade(owner, 'base');
    await upgrade(owner, 'head');
    await finalize(member);
    await downgrade(owner, 'base');
    expect(await dump()).toBe(before);
  } finally {
    await database.asAdministrator(`DROP OWNED BY ${role}; DROP ROLE ${role};`);
  }
});
