// Privileges that a run needs: a missing one is reported before anything happens, with the statement that grants it.
import { randomBytes } from 'node:crypto';
import { HISTORY_COLUMNS } from '../../../../lambda/migrator/database/ours.ts';
import { plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, stamp, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { isEnding } from '../../../../lambda/migrator/model/errors.ts';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

/** As Backstop makes them. */
const COLUMNS = Object.entries(HISTORY_COLUMNS)
  .map(([name, type]) => `${name} ${type}${name === 'id' ? ' GENERATED ALWAYS AS IDENTITY' : ''}`)
  .join(', ');

let database: TestDatabase;
let role: string;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  role = `role_${randomBytes(5).toString('hex')}`;
  await database.asAdministrator(`
    CREATE ROLE ${role} LOGIN PASSWORD 'sesame-42';
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${role};`);
});
afterEach(async () => {
  await database.asAdministrator(`DROP OWNED BY ${role}`);
  await database.asAdministrator(`DROP ROLE ${role}`);
  await database.drop();
});

const two = databaseOf(
  { id: '001', upgrade: ['CREATE TABLE app.one (id integer);'] },
  {
    id: '002',
    revises: '001',
    locks: 'public.two',
    upgrade: ['ALTER TABLE public.two ADD COLUMN more integer;'],
  },
);
const migrator = () => {
  const connect = connectorTo({ ...database.settings, user: role, password: 'sesame-42' });
  return migratorOn(database, { connect, database: two });
};

/** The statements of the hint, and no change of the database. */
async function remedies(verb: () => Promise<unknown>): Promise<string[]> {
  const schemas = () => database.query("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1");
  const before = await schemas();
  const error = await verb().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return [];
  if (!isEnding(error, 'PrivilegeMissing')) throw error;
  expect(await schemas()).toEqual(before);
  return (error.hint ?? '').split(/: |(?<=;) /).slice(1);
}

test('every statement that is named is needed, and together they are enough', async () => {
  await database.asAdministrator(`
    CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO ${role};
    CREATE TABLE public.two (id integer);`);
  const named = await remedies(() => upgrade(migrator(), 'head'));
  expect(named).toEqual([
    `GRANT CREATE ON SCHEMA public TO "${role}";`,
    `GRANT CREATE ON DATABASE "${database.name}" TO "${role}";`,
    `ALTER TABLE public.two OWNER TO "${role}";`,
  ]);
  for (const [index, statement] of named.entries()) {
    expect(await remedies(() => plan(migrator(), 'upgrade', 'head'))).toEqual(named.slice(index));
    await database.asAdministrator(statement);
  }
  await expect(upgrade(migrator(), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
});

test('the owner of a table is named, because membership is enough', async () => {
  await database.asAdministrator(`CREATE SCHEMA app; GRANT ALL ON SCHEMA app, public TO ${role};
    GRANT CREATE ON DATABASE ${database.name} TO ${role};`);
  await database.query('CREATE TABLE public.two (id integer)');
  expect(await remedies(() => upgrade(migrator(), 'head'))).toEqual([
    `GRANT "${database.settings.user}" TO "${role}";`,
  ]);
});

test('nothing is needed for what is there: a schema and a table made beforehand will do', async () => {
  await database.asAdministrator(`
    CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO ${role};
    CREATE SCHEMA backstop; GRANT USAGE, CREATE ON SCHEMA backstop TO ${role};
    CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY);
    GRANT SELECT, INSERT, UPDATE, DELETE ON public.alembic_version TO ${role};`);
  await expect(upgrade(migrator(), '001')).resolves.toMatchObject({ outcome: 'upgraded' });
  expect(await database.asAdministrator('SELECT outcome FROM backstop.history')).toEqual([
    { outcome: 'upgraded' },
  ]);
  await expect(downgrade(migrator(), 'base')).resolves.toMatchObject({ outcome: 'downgraded' });
});

test.each([
  ['upgrade', () => upgrade(migrator(), '001')],
  ['plan', () => plan(migrator(), 'upgrade', '001')],
  ['stamp', () => stamp(migrator(), '001')],
])('%s says that a history and fingerprints are not the user’s to write', async (_verb, run) => {
  await database.asAdministrator(`
    GRANT CREATE ON SCHEMA public TO ${role};
    CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO ${role};
    CREATE SCHEMA backstop; CREATE TABLE backstop.history (${COLUMNS});
    CREATE TABLE backstop.fingerprints (hash text PRIMARY KEY, lines text NOT NULL);`);
  const named = await remedies(run);
  expect(named).toEqual([
    `GRANT USAGE ON SCHEMA backstop TO "${role}";`,
    `GRANT SELECT, INSERT ON backstop.history TO "${role}";`,
    `GRANT SELECT, INSERT ON backstop.fingerprints TO "${role}";`,
  ]);
  for (const statement of named) await database.asAdministrator(statement);
  expect(await remedies(run)).toEqual([]);
});

/** As an earlier version has left it. */
const EARLIER = `CREATE SCHEMA backstop; CREATE TABLE backstop.history (${COLUMNS});`;

test('a user who may write the history must be able to make the table of fingerprints beside it', async () => {
  await database.asAdministrator(`GRANT CREATE ON SCHEMA public TO ${role}; ${EARLIER}
    CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO ${role};
    GRANT USAGE ON SCHEMA backstop TO ${role}; GRANT SELECT, INSERT ON backstop.history TO ${role};`);
  const named = await remedies(() => upgrade(migrator(), '001'));
  expect(named).toEqual([`GRANT CREATE ON SCHEMA backstop TO "${role}";`]);
  await database.asAdministrator(named.join(' '));
  await expect(upgrade(migrator(), '001')).resolves.toMatchObject({ outcome: 'upgraded' });
  expect(await database.asAdministrator('SELECT FROM backstop.fingerprints LIMIT 1')).toBeDefined();
});

test('a database without the schema public is refused, with the statement that creates it', async () => {
  await database.asAdministrator('DROP SCHEMA public');
  const run = upgrade(migrator(), '001');
  await expect(run).rejects.toMatchObject({
    name: 'PrivilegeMissing',
    summary: 'The database has no schema public, which holds the version table',
    hint: expect.stringContaining('CREATE SCHEMA public;'),
  });
});

test('nothing is needed if nothing is pending', async () => {
  await expect(upgrade(migrator(), 'base')).resolves.toMatchObject({ outcome: 'nothing to do' });
});

test('a right that only the statements show is asked for, too', async () => {
  await database.asAdministrator(`GRANT ALL ON SCHEMA public TO ${role}; CREATE SCHEMA app;
    GRANT CREATE ON DATABASE ${database.name} TO ${role}; CREATE TABLE public.read (id int); CREATE TABLE public.written (id int);
    CREATE TABLE public.altered (id int);`);
  const shown = databaseOf({
    id: '001',
    upgrade: [
      `CREATE TABLE app.one AS SELECT * FROM public.read; DELETE FROM public.written;
       CREATE INDEX ON public.altered (id); CREATE TEMPORARY TABLE scratch (id int);`,
    ],
  });
  const connect = connectorTo({ ...database.settings, user: role, password: 'sesame-42' });
  const run = () => plan(migratorOn(database, { connect, database: shown }), 'upgrade', 'head');
  const named = await remedies(run);
  expect(named).toEqual([
    `ALTER TABLE public.altered OWNER TO "${role}";`,
    `GRANT CREATE ON SCHEMA app TO ${role};`,
    `GRANT SELECT ON public.read TO ${role};`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON public.written TO ${role};`,
  ]);
  for (const statement of named) await database.asAdministrator(statement);
  expect(await remedies(run)).toEqual([]);
});

test('an upgrade that is denied something that no statement shows says how it is granted', async () => {
  await database.asAdministrator(`GRANT ALL ON SCHEMA public TO ${role}; CREATE SCHEMA app;
    GRANT CREATE ON DATABASE ${database.name} TO ${role};`);
  const hidden = databaseOf({
    id: '001',
    upgrade: ["DO $$ BEGIN EXECUTE 'CREATE TABLE app.one (id integer)'; END $$;"],
  });
  const connect = connectorTo({ ...database.settings, user: role, password: 'sesame-42' });
  await expect(upgrade(migratorOn(database, { connect, database: hidden }), 'head')).rejects.toMatchObject({
    name: 'MigrationFailed',
    summary: expect.stringContaining('SQLSTATE 42501'),
    hint: expect.stringContaining('Grant the user this privilege'),
  });
});
