// alembic_version: read and written as Alembic does, and no race over it goes unnoticed.

import { readVersions } from '../../../../lambda/migrator/database/version-table.ts';
import { current, plan } from '../../../../lambda/migrator/inspect.ts';
import { stamp, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';
import { expectNothingLeft } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const chain = databaseOf(
  { id: '001', upgrade: ['CREATE TABLE one (id integer);'], downgrade: ['DROP TABLE one;'] },
  { id: '002', revises: '001', upgrade: ['CREATE TABLE two (id integer);'], downgrade: ['DROP TABLE two;'] },
);
const options = () => migratorOn(database, { database: chain });
const ALEMBIC = `CREATE TABLE alembic_version (
  version_num varchar(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));`;
const versions = () => database.query('SELECT version_num FROM alembic_version ORDER BY 1');

async function read(): Promise<string[]> {
  const client = await database.connect('test');
  return readVersions(client).finally(() => client.end());
}

test.each([
  ['no table', '', []],
  ['an empty table, as Alembic leaves it at base', ALEMBIC, []],
  ['one row', `${ALEMBIC} INSERT INTO alembic_version VALUES ('001')`, ['001']],
  [
    'a table of that name in another schema',
    'CREATE SCHEMA other; CREATE TABLE other.alembic_version AS SELECT 1',
    [],
  ],
])('%s is read', async (_what, sql, revision: string[]) => {
  await database.query(sql);
  expect(await read()).toEqual(revision);
});

test('two rows are refused by name', async () => {
  await database.query(`${ALEMBIC} INSERT INTO alembic_version VALUES ('002'), ('001')`);
  await expect(plan(options(), 'upgrade', 'head')).rejects.toMatchObject({
    name: 'UnknownRevision',
    detail: 'public.alembic_version holds 001, 002.',
  });
});

test('a revision that no folder describes is refused by name', async () => {
  await database.query(`${ALEMBIC} INSERT INTO alembic_version VALUES ('newer')`);
  await expect(upgrade(options(), 'head')).rejects.toMatchObject({
    name: 'UnknownRevision',
    summary: "Can't locate revision identified by 'newer'",
  });
});

test("the table is made with Alembic's own names", async () => {
  await upgrade(options(), '+1');
  const [table] = await database.query(`
    SELECT format_type(atttypid, atttypmod) AS type, attnotnull AS required, conname AS key
    FROM pg_attribute, pg_constraint
    WHERE attrelid = 'alembic_version'::regclass AND attname = 'version_num'
      AND conrelid = attrelid AND contype = 'p'`);
  expect(table).toEqual({ type: 'character varying(32)', required: true, key: 'alembic_version_pkc' });
});

test('a table that Alembic left empty is used', async () => {
  await database.query(ALEMBIC);
  expect(await upgrade(options(), 'head')).toMatchObject({ outcome: 'upgraded', from: 'base', to: '002' });
  expect(await versions()).toEqual([{ version_num: '002' }]);
});

/** A step that lasts until another session has committed. */
const UNTIL_THEY_WROTE = `DO $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'they_wrote') LOOP PERFORM pg_sleep(0.01); END LOOP;
END $$`;

test.each<[at: string, target: string, theirs: string]>([
  ['base', '001', "INSERT INTO alembic_version VALUES ('002')"],
  ['001', '002', "UPDATE alembic_version SET version_num = '002'"],
  ['001', '002', 'DELETE FROM alembic_version'],
])('at %s, a write of another tool while %s runs rolls it back: %s', async (at, target, theirs) => {
  await database.query(at === 'base' ? ALEMBIC : `${ALEMBIC} INSERT INTO alembic_version VALUES ('${at}')`);
  const steps = ['CREATE TABLE one (id integer);', UNTIL_THEY_WROTE];
  const raced = databaseOf({ id: '001', upgrade: steps }, { id: '002', revises: '001', upgrade: steps });
  const run = upgrade(
    {
      ...migratorOn(database, { database: raced }),
      listener(event) {
        if (event.type === 'step started' && event.number === 2)
          void database.query(`${theirs}; CREATE TABLE they_wrote ();`);
      },
    },
    target,
  );
  await expect(run).rejects.toMatchObject({
    name: 'MigrationFailed',
    summary: `The version of the database changed while ${target} ran`,
  });
  expect(await database.query("SELECT to_regclass('one') AS one")).toEqual([{ one: null }]);
});

describe('a version table in another schema only', () => {
  test.each([
    ['upgrade', () => upgrade(options(), 'head')],
    ['plan', () => plan(options(), 'upgrade', 'head')],
    ['current', () => current(options())],
    ['stamp', () => stamp(options(), 'head')],
  ])('is refused by %s, before anything happens', async (_verb, run) => {
    await database.query(`CREATE SCHEMA "other one"; SET search_path = "other one"; ${ALEMBIC}`);
    await expect(run()).rejects.toMatchObject({
      name: 'UnknownRevision',
      summary: 'The version table is in the schema "other one", and Backstop reads public.alembic_version',
      hint: expect.stringContaining('ALTER TABLE "other one".alembic_version SET SCHEMA public;'),
    });
    expect(await database.query("SELECT to_regclass('public.one') AS one")).toEqual([{ one: null }]);
  });

  test('belongs to another application if public has one, too', async () => {
    await database.query(`CREATE SCHEMA other; CREATE TABLE other.alembic_version AS SELECT 1; ${ALEMBIC}`);
    await expect(upgrade(options(), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  test('is read once it is in public', async () => {
    await database.query(`CREATE SCHEMA other; SET search_path = other; ${ALEMBIC}
      INSERT INTO alembic_version VALUES ('001'); ALTER TABLE other.alembic_version SET SCHEMA public`);
    expect(await current(options())).toBe('001');
  });
});
