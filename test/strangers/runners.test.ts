// Any authorized runner goes on: the objects that a run makes belong to the owner of the tables.
import { randomBytes } from 'node:crypto';
import { current, inspect, log, plan, validate } from '../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../lambda/migrator/migrator.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase, testServer } from '../setup/database.ts';
import { databaseOf } from '../setup/revisions.ts';

let shared: TestDatabase;
/** Names of roles: the owner of the tables, two members of it, and the clone of the first, as a rotation makes it. */
let [app, first, second, clone]: string[] = [];
let all: readonly string[] = [];
async function setUp(from: 'at005' | 'empty'): Promise<void> {
  shared = await makeDatabase(from);
  const suffix = randomBytes(5).toString('hex');
  [app, first, second, clone] = ['app', 'first', 'second', 'clone'].map((name) => `${name}_${suffix}`);
  all = [app, first, second, clone] as string[];
  await shared.asAdministrator(`
    CREATE ROLE ${app} LOGIN PASSWORD 'sesame-42';
    CREATE ROLE ${first} LOGIN PASSWORD 'sesame-42' IN ROLE ${app};
    CREATE ROLE ${second} LOGIN PASSWORD 'sesame-42' IN ROLE ${app};
    CREATE ROLE ${clone} LOGIN PASSWORD 'sesame-42' IN ROLE ${first};`);
}
afterEach(async () => {
  const owner = shared.settings.user;
  await shared.asAdministrator(
    all.map((role) => `REASSIGN OWNED BY ${role} TO ${owner}; DROP OWNED BY ${role};`).join(''),
  );
  await shared.drop();
  const cluster = await makeDatabase('empty', { extension: false });
  await cluster.asAdministrator(`DROP ROLE ${all.toReversed().join(', ')}`);
  await cluster.drop();
});

const as = (user: string | undefined, database = codebaseMcp): MigratorOptions =>
  migratorOn(shared, {
    database,
    connect: connectorTo({
      ...shared.settings,
      user: user ?? '',
      password: user === testServer.user ? testServer.password : 'sesame-42',
    }),
  });

/** The owners of all that is not the server's. */
const owners = async () =>
  (
    await shared.asAdministrator(`
    SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
      SELECT relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
      WHERE nspname IN ('public', 'backstop', 'retired_002') AND relkind IN ('r', 'S', 'v')
      UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname IN ('backstop', 'retired_002')) AS found (owner)`)
  ).map(({ owner }) => owner);

test('the owner, two members, a clone and a superuser upgrade, go back, finalize and read what the others did', async () => {
  await setUp('at005');
  // Not REASSIGN OWNED: the user owns the databases of other tests, too.
  await shared.asAdministrator(`ALTER DATABASE ${shared.name} OWNER TO ${app}; ALTER SCHEMA public OWNER TO ${app};
    ALTER SCHEMA backstop OWNER TO ${app};
    DO $$ DECLARE one regclass; BEGIN
      FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'backstop'::regnamespace) LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO ${app}', one);
      END LOOP; END $$;`);
  const runners = [first, second, app, clone, testServer.user];
  for (const [index, runner] of runners.entries()) {
    const next = runners[(index + 1) % runners.length];
    await expect(upgrade(as(runner), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
    expect(await owners()).toEqual([app]);
    await expect(current(as(next))).resolves.toBe('002');
    await expect(inspect(as(next))).resolves.toMatchObject({ finalizePending: ['002'] });
    await expect(validate(as(next), 'after-upgrade')).resolves.toMatchObject({ passed: true });
    expect((await log(as(next), 1))[0]).toMatchObject({ user: runner, outcome: 'upgraded' });
    await expect(downgrade(as(next), '005')).resolves.toMatchObject({ outcome: 'downgraded' });
    await expect(validate(as(runner), 'after-downgrade')).resolves.toMatchObject({ passed: true });
  }
  await upgrade(as(first), 'head');
  await finalize(as(second));
  await downgrade(as(clone), '005');
  expect(await owners()).toEqual([app]);
  await expect(upgrade(as(app), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
});

test.each([
  ['the user', 'its clone'],
  ['its clone', 'the user'],
])('in an empty database %s makes the tables, and %s goes on', async (begins) => {
  await setUp('empty');
  await shared.asAdministrator(`
    REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO ${first};
    GRANT CREATE ON DATABASE ${shared.name} TO ${first};`);
  const [one, other] = begins === 'the user' ? [first, clone] : [clone, first];
  await upgrade(as(one), '005');
  expect(await owners()).toEqual([first]);
  await upgrade(as(other), 'head');
  await downgrade(as(one), '005');
  await upgrade(as(one), 'head', { finalize: true });
  await downgrade(as(other), 'base');
  await expect(upgrade(as(other), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
});

test('an object of every kind that a revision makes gets its owner, and an older table keeps its own', async () => {
  await setUp('empty');
  await shared.asAdministrator(`GRANT CREATE ON SCHEMA public TO ${app}; GRANT CREATE ON DATABASE ${shared.name} TO ${app};
    SET ROLE ${app}; CREATE TABLE public.core (id int);
    RESET ROLE; SET ROLE ${first}; CREATE TABLE public.mine (id int);`);
  const database = databaseOf({
    id: '001',
    locks: 'public.core',
    upgrade: [
      `CREATE SCHEMA more; CREATE TABLE more.t (id serial, n int GENERATED ALWAYS AS IDENTITY); CREATE VIEW more.v AS SELECT 1 AS one;
       CREATE MATERIALIZED VIEW more.m AS SELECT 1 AS one; CREATE SEQUENCE more.s; CREATE TYPE more.e AS ENUM ('a');
       CREATE DOMAIN more.d AS int; CREATE TYPE more.c AS (a int); CREATE TYPE more.r AS RANGE (SUBTYPE = int);
       CREATE FUNCTION more.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE more.p() LANGUAGE sql AS 'SELECT 1';
       CREATE AGGREGATE more.a(int) (SFUNC = int4pl, STYPE = int);
       CREATE OPERATOR more.=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
       CREATE COLLATION more.co FROM "C"; CREATE STATISTICS more.st ON id, n FROM more.t;
       CREATE TEXT SEARCH CONFIGURATION more.tc (COPY = simple); CREATE TEXT SEARCH DICTIONARY more.td (TEMPLATE = simple);
       CREATE TABLE more.parent (id int) PARTITION BY LIST (id); CREATE TABLE more.child PARTITION OF more.parent FOR VALUES IN (1);`,
      'ALTER TABLE public.mine ADD more int; CREATE INDEX ON public.mine (id);',
    ],
    downgrade: ['DROP SCHEMA more CASCADE; ALTER TABLE public.mine DROP more;'],
  });
  // The owner of the tables is known where the database is at a revision.
  await shared.asAdministrator(
    `SET ROLE ${app}; CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)`,
  );
  await upgrade(as(first, database), 'head');
  const rest = await shared.asAdministrator(`
    SELECT pg_describe_object(classid, objid, 0) AS object FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = '${first}'::regrole AND deptype = 'o'
      AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  expect(rest).toEqual([{ object: 'table mine' }]);
});

test('a privilege that is missing is found by a plan and by the checks before an upgrade', async () => {
  await setUp('at005');
  await shared.asAdministrator(`GRANT USAGE ON SCHEMA backstop TO ${first}; GRANT SELECT, INSERT ON backstop.history TO ${first};
    GRANT ALL ON public.alembic_version TO ${first}`);
  const verbs = [
    (options: MigratorOptions) => plan(options, 'upgrade', 'head'),
    (options: MigratorOptions) => validate(options, 'before-upgrade'),
    (options: MigratorOptions) => upgrade(options, 'head'),
  ];
  for (const verb of verbs) {
    await expect(verb(as(first))).rejects.toMatchObject({
      name: 'PrivilegeMissing',
      hint: expect.stringContaining(`GRANT "${shared.settings.user}" TO "${first}";`),
    });
  }
});
