// Objects of strangers in the search path of a revision: refused by name before anything runs, with the way to drop them.
import { randomBytes } from 'node:crypto';
import { plan, validate } from '../../lambda/migrator/inspect.ts';
import { stamp, upgrade } from '../../lambda/migrator/migrator.ts';
import type { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { offlineSql } from '../../lambda/migrator/offline.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { makeDatabase, migratorOn, superuserOf, type TestDatabase } from '../setup/database.ts';
import { chainOf, databaseOf, revisionFiles } from '../setup/revisions.ts';

let shared: TestDatabase;
let stranger: string;
beforeEach(async () => {
  shared = await makeDatabase('empty', { extension: false });
  stranger = `stranger_${randomBytes(5).toString('hex')}`;
  await shared.asAdministrator(`CREATE ROLE ${stranger}; GRANT CREATE ON SCHEMA public TO ${stranger};`);
});
afterEach(async () => {
  await shared.asAdministrator(`DROP OWNED BY ${stranger} CASCADE; DROP ROLE ${stranger}`);
  await shared.drop();
});

const app = databaseOf({
  id: '001',
  upgrade: ["CREATE TABLE public.one (name varchar); SELECT format('%s', name::text) FROM public.one;"],
  downgrade: ['DROP TABLE public.one;'],
  checks: { 'after-upgrade': ['SELECT length(name) FROM public.one'] },
});
const as = (database: Database) => migratorOn(shared, { database });
const plant = (sql: string) =>
  shared.asAdministrator(`SET ROLE ${stranger}; SET search_path = public; ${sql}`);
const errorOf = (run: Promise<unknown>): Promise<BackstopError | undefined> =>
  run.then(
    () => undefined,
    (error) => error,
  );
const EVIL = 'LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION $e$planted$e$; END $$';

/** SQL of a stranger → the words by which the error names his object. */
const KINDS: Readonly<Record<string, readonly [sql: string, object: string]>> = {
  function: [`CREATE FUNCTION format(text, text) RETURNS text ${EVIL}`, 'function public.format(text,text)'],
  'function with a default': [
    `CREATE FUNCTION length(varchar, int DEFAULT 1) RETURNS int ${EVIL}`,
    'function public.length(character varying,integer)',
  ],
  'variadic function': [
    `CREATE FUNCTION concat(VARIADIC text[]) RETURNS text ${EVIL}`,
    'function public.concat(text[])',
  ],
  aggregate: [
    'CREATE AGGREGATE max(jsonb) (SFUNC = jsonb_concat, STYPE = jsonb)',
    'aggregate public.max(jsonb)',
  ],
  procedure: [`CREATE PROCEDURE now(int) ${EVIL}`, 'procedure public.now(integer)'],
  operator: [
    `CREATE FUNCTION f(varchar, varchar) RETURNS bool ${EVIL}; CREATE OPERATOR = (FUNCTION = f, LEFTARG = varchar, RIGHTARG = varchar)`,
    'operator public.=(character varying,character varying)',
  ],
  'prefix operator': [
    `CREATE FUNCTION f(text) RETURNS text ${EVIL}; CREATE OPERATOR - (FUNCTION = f, RIGHTARG = text)`,
    'operator public.-(NONE,text)',
  ],
  domain: ['CREATE DOMAIN int4 AS bigint', 'type public.int4'],
  enum: ["CREATE TYPE text AS ENUM ('a')", 'type public.text'],
  'composite type': ['CREATE TYPE date AS (a int)', 'type public.date'],
  'implicit cast': [
    "CREATE TYPE mine AS ENUM ('a'); CREATE CAST (text AS mine) WITH INOUT AS IMPLICIT",
    'cast (text AS public.mine)',
  ],
};

test.each(Object.keys(KINDS))('a stranger’s %s is named, and the hint drops it', async (kind) => {
  const [sql, object] = KINDS[kind] as (typeof KINDS)[string];
  await plant(sql);
  const error = await errorOf(plan(as(app), 'upgrade', 'head'));
  expect(error).toMatchObject({
    name: 'StrangersOverload',
    summary: expect.stringContaining(`${object} of ${stranger}`),
  });
  const [, remedy = ''] = /are not needed: (.*;) Otherwise/.exec(error?.hint ?? '') ?? [];
  await shared.asAdministrator(remedy);
  await expect(upgrade(as(app), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
});

const VERBS: Readonly<Record<string, (options: MigratorOptions) => Promise<unknown>>> = {
  plan: (options) => plan(options, 'upgrade', 'head'),
  upgrade: (options) => upgrade(options, 'head'),
  'a dry run': (options) => upgrade(options, 'head', { dryRun: true }),
  'a script': () => shared.asAdministrator(offlineSql(app.chain, 'upgrade', 'base', '001')),
};

test.each(Object.keys(VERBS))('%s runs nothing of the revision, and leaves nothing behind', async (verb) => {
  await plant(KINDS.function?.[0] ?? '');
  const error = await errorOf(VERBS[verb]?.(as(app)) as Promise<unknown>);
  expect(error?.message).toContain('function public.format(text,text)');
  expect(await shared.query("SELECT to_regclass('public.one') AS one")).toEqual([{ one: null }]);
});

test('checks are refused, too, and a stamp, which runs nothing of a revision, is not', async () => {
  await upgrade(as(app), 'head');
  await plant(KINDS.function?.[0] ?? '');
  await expect(validate(as(app), 'after-upgrade')).rejects.toMatchObject({ name: 'StrangersOverload' });
  await expect(stamp(as(app), 'base')).resolves.toMatchObject({ outcome: 'stamped' });
});

test('an overload of a function of the tables’ owner is one, too', async () => {
  await shared.query("CREATE FUNCTION slug(text) RETURNS text LANGUAGE sql AS 'SELECT $1'");
  await plant(`CREATE FUNCTION slug(varchar) RETURNS text ${EVIL}`);
  await expect(upgrade(as(app), 'head')).rejects.toMatchObject({
    summary: expect.stringContaining('function public.slug(character varying)'),
  });
});

test('an overload of a function that the revision makes itself is found before it is made', async () => {
  await plant(`CREATE FUNCTION slug(varchar) RETURNS text ${EVIL}`);
  const making = databaseOf({
    id: '001',
    upgrade: [
      "CREATE FUNCTION slug(text) RETURNS text LANGUAGE sql AS 'SELECT $1'; SELECT slug('a'::varchar);",
    ],
  });
  await expect(upgrade(as(making), 'head')).rejects.toMatchObject({
    name: 'StrangersOverload',
    summary: expect.stringContaining('function public.slug(character varying)'),
  });
});

test('a function of a whole row is called like a column, and refused', async () => {
  await upgrade(as(app), 'head');
  await plant(`CREATE FUNCTION missing(one) RETURNS text ${EVIL}`);
  await expect(validate(as(app), 'after-upgrade')).rejects.toMatchObject({
    summary: expect.stringContaining('function public.missing(public.one)'),
  });
});

test('objects outside the search path do not count, and a revision that names everything runs', async () => {
  await plant(KINDS.function?.[0] ?? '');
  const files = revisionFiles({
    id: '001',
    upgrade: ["CREATE TABLE public.one AS SELECT format('%s', 'text'::text) AS name;"],
  });
  const upgradeSql = files['001/upgrade.sql']?.replace(
    '-- Locks:',
    '-- Search path: pg_catalog, pg_temp\n-- Locks:',
  );
  const qualified = { ...app, chain: chainOf({ ...files, '001/upgrade.sql': upgradeSql ?? '' }) };
  await expect(upgrade(as(qualified), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
  expect(await shared.query('SELECT name FROM public.one')).toEqual([{ name: 'text' }]);
});

test('names are looked up where the header says, in that order, in steps, checks, and on the way back', async () => {
  await shared.query(
    'CREATE SCHEMA app; CREATE SCHEMA "Other One"; CREATE TABLE app.two (id int); CREATE TABLE public.two ()',
  );
  const files = revisionFiles({
    id: '001',
    upgrade: ['CREATE TABLE one (id int); ALTER TABLE two ADD more int;'],
    downgrade: ['DROP TABLE one;'],
    checks: { 'after-upgrade': ['SELECT more FROM two', 'SELECT id FROM one'] },
  });
  const text = files['001/upgrade.sql']?.replace(
    '-- Locks:',
    '-- Search path: "Other One", app, public\n-- Locks:',
  );
  const database = { ...app, chain: chainOf({ ...files, '001/upgrade.sql': text ?? '' }) };
  await expect(upgrade(as(database), 'head')).resolves.toMatchObject({
    created: ['Other One.one', 'public.alembic_version'],
  });
  await expect(validate(as(database), 'after-upgrade')).resolves.toMatchObject({ passed: true });
  const columns = "SELECT attrelid::regclass::text AS of FROM pg_attribute WHERE attname = 'more'";
  expect(await shared.query(columns)).toEqual([{ of: 'app.two' }]);
});

test('objects of the user, of the tables’ owner, of its members and of an extension are no stranger’s', async () => {
  await shared.asAdministrator('CREATE EXTENSION IF NOT EXISTS vector');
  await shared.query(`CREATE FUNCTION format(text, text) RETURNS text ${EVIL}`);
  await expect(plan(as(app), 'upgrade', 'head')).resolves.toMatchObject({ pending: ['001'] });
});

test('a superuser does not call functions of the tables’ owner by mistake, and functions that only share their names are no fault', async () => {
  await upgrade(as(app), 'head');
  await shared.query(
    `CREATE FUNCTION slug(text) RETURNS text ${EVIL}; CREATE FUNCTION slug(varchar) RETURNS text ${EVIL}`,
  );
  const superuser = () => migratorOn(shared, { database: app, connect: superuserOf(shared) });
  await expect(validate(superuser(), 'after-upgrade')).resolves.toMatchObject({ passed: true });
  await plant(`CREATE FUNCTION slug(name) RETURNS text ${EVIL}`);
  await expect(validate(superuser(), 'after-upgrade')).rejects.toMatchObject({
    summary: expect.stringContaining(`function public.slug(name) of ${stranger}`),
  });
  await shared.asAdministrator('DROP FUNCTION public.slug(name)');
  await shared.query(`CREATE FUNCTION format(text, text) RETURNS text ${EVIL}`);
  await expect(validate(superuser(), 'after-upgrade')).rejects.toMatchObject({
    name: 'StrangersOverload',
    summary: expect.stringContaining('function public.format(text,text)'),
  });
});

test('a role that makes us its member is a stranger nevertheless', async () => {
  const [row] = await shared.asAdministrator("SELECT current_setting('server_version_num')::int AS number");
  await plant(KINDS.function?.[0] ?? '');
  // Up to PostgreSQL 15 every role may do that; later it needs the right to.
  const grant = `GRANT ${stranger} TO ${shared.settings.user}`;
  if (row?.number < 160_000) await shared.asAdministrator(`SET SESSION AUTHORIZATION ${stranger}; ${grant}`);
  else
    await expect(shared.asAdministrator(`SET SESSION AUTHORIZATION ${stranger}; ${grant}`)).rejects.toThrow();
  await expect(plan(as(app), 'upgrade', 'head')).rejects.toMatchObject({ name: 'StrangersOverload' });
});
