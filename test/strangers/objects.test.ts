// Backstop's own objects are known by owner, kind and shape: an object that a stranger has made beforehand is refused by its name.
import { randomBytes } from 'node:crypto';
import { HISTORY_COLUMNS } from '../../lambda/migrator/database/ours.ts';
import { current, inspect, log, plan } from '../../lambda/migrator/inspect.ts';
import { finalize, stamp, upgrade } from '../../lambda/migrator/migrator.ts';
import { isEnding } from '../../lambda/migrator/model/errors.ts';
import { offlineSql } from '../../lambda/migrator/offline.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { makeDatabase, migratorOn, superuserOf, type TestDatabase } from '../setup/database.ts';
import { databaseOf } from '../setup/revisions.ts';

let shared: TestDatabase;
let stranger: string;
beforeEach(async () => {
  shared = await makeDatabase('empty', { extension: false });
  stranger = `stranger_${randomBytes(5).toString('hex')}`;
  await shared.asAdministrator(`CREATE ROLE ${stranger};
    GRANT CREATE ON DATABASE ${shared.name} TO ${stranger}; GRANT CREATE ON SCHEMA public TO ${stranger};
    CREATE TABLE public.loot (who text); GRANT ALL ON public.loot TO PUBLIC;`);
});
afterEach(async () => {
  await shared.asAdministrator(`DROP OWNED BY ${stranger} CASCADE; DROP ROLE ${stranger}`);
  await shared.drop();
});

const app = databaseOf({
  id: '001',
  upgrade: ['CREATE TABLE public.one (id integer);'],
  downgrade: ['DROP TABLE public.one;'],
  finalize: ['DROP SCHEMA IF EXISTS retired_001 CASCADE;'],
});
const migrator = () => migratorOn(shared, { database: app });
/** The same as a superuser, who is no member of the owner of the tables. */
const asSuperuser = () => migratorOn(shared, { database: app, connect: superuserOf(shared) });
const COLUMNS = Object.entries(HISTORY_COLUMNS)
  .map(([name, type]) => `${name} ${type}${name === 'id' ? ' GENERATED ALWAYS AS IDENTITY' : ''}`)
  .join(', ');
const HISTORY = `CREATE SCHEMA backstop; GRANT ALL ON SCHEMA backstop TO PUBLIC; CREATE TABLE backstop.history (${COLUMNS});
  GRANT ALL ON backstop.history TO PUBLIC;`;
const VERSION = `CREATE TABLE public.alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY);
  GRANT ALL ON public.alembic_version TO PUBLIC;`;
const TRAP = `CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO public.loot VALUES (current_user); RETURN NEW; END $$;`;

/** SQL of the stranger → the object and the fault that the error names. */
const MADE: Readonly<Record<string, readonly [sql: string, named: string]>> = {
  'the schema of the history': ['CREATE SCHEMA backstop', 'schema backstop belongs to'],
  'the history': [HISTORY, 'schema backstop belongs to'],
  'the fingerprints': [
    `${HISTORY} CREATE TABLE backstop.fingerprints (hash text PRIMARY KEY, lines text NOT NULL)`,
    'schema backstop belongs to',
  ],
  'the version table': [VERSION, 'table public.alembic_version belongs to'],
  'the version as a view': [
    "CREATE VIEW public.alembic_version AS SELECT '001'::varchar AS version_num",
    'view public.alembic_version belongs to',
  ],
  'the version as a materialized view': [
    "CREATE MATERIALIZED VIEW public.alembic_version AS SELECT '001'::varchar AS version_num",
    'materialized view public.alembic_version belongs to',
  ],
  'the version as a sequence': [
    'CREATE SEQUENCE public.alembic_version',
    'sequence public.alembic_version belongs to',
  ],
  'the version as a type': [
    'CREATE TYPE public.alembic_version AS (a int)',
    'type public.alembic_version belongs to',
  ],
  'the schema of retired objects': ['CREATE SCHEMA retired_001', 'schema retired_001 belongs to'],
};

const VERBS: readonly (readonly [string, (options: MigratorOptions) => Promise<unknown>])[] = [
  ['current', current],
  ['status', inspect],
  ['log', (options) => log(options, 5)],
  ['plan', (options) => plan(options, 'upgrade', 'head')],
  ['upgrade', (options) => upgrade(options, 'head')],
  ['a dry run', (options) => upgrade(options, 'head', { dryRun: true })],
  ['stamp', (options) => stamp(options, 'head')],
  ['finalize', (options) => finalize(options)],
];

test.each(Object.keys(MADE))(
  '%s of a stranger is refused by every verb, and a run works after the remedy',
  async (what) => {
    const [sql, named] = MADE[what] as (typeof MADE)[string];
    await shared.asAdministrator(`SET ROLE ${stranger}; ${sql}`);
    let remedy = '';
    for (const [, verb] of VERBS) {
      const error = await verb(migrator()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'StrangersObject', summary: expect.stringContaining(named) });
      if (isEnding(error, 'StrangersObject'))
        [, remedy = ''] = /^If it is not Backstop's: (.*?;) if it is/.exec(error.hint ?? '') ?? [];
    }
    expect(await shared.query('SELECT * FROM loot')).toEqual([]);
    // One object at a time.
    for (let count = 0; count < 3 && remedy !== ''; count++) {
      await shared.asAdministrator(remedy);
      const error = await current(migrator()).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      remedy = isEnding(error, 'StrangersObject') ? (/: (.*?;)/.exec(error.hint ?? '')?.[1] ?? '') : '';
    }
    await expect(upgrade(migrator(), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
  },
);

/** SQL of a stranger who has a right on an object of ours → the words of the error. */
const ADDED: Readonly<Record<string, readonly [sql: string, named: string]>> = {
  'a trigger on the history': [
    `${TRAP} CREATE TRIGGER trap BEFORE INSERT ON backstop.history FOR EACH ROW EXECUTE FUNCTION public.trap()`,
    'table backstop.history has the trigger trap, whose function belongs to',
  ],
  'a trigger on the fingerprints': [
    `${TRAP} CREATE TRIGGER trap BEFORE INSERT ON backstop.fingerprints FOR EACH ROW EXECUTE FUNCTION public.trap()`,
    'table backstop.fingerprints has the trigger trap, whose function belongs to',
  ],
  'a trigger on the version': [
    `${TRAP} CREATE TRIGGER trap BEFORE UPDATE ON public.alembic_version EXECUTE FUNCTION public.trap()`,
    'table public.alembic_version has the trigger trap, whose function belongs to',
  ],
};

test.each(Object.keys(ADDED))('%s that a stranger may make is refused, and never fires', async (what) => {
  await upgrade(migrator(), 'head');
  await shared.asAdministrator(`GRANT USAGE ON SCHEMA backstop TO ${stranger};
    GRANT TRIGGER ON backstop.history, backstop.fingerprints, public.alembic_version TO ${stranger}`);
  const [sql, named] = ADDED[what] as (typeof ADDED)[string];
  await shared.asAdministrator(`SET ROLE ${stranger}; ${sql}`);
  const error = await stamp(migrator(), 'base').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'StrangersObject', summary: expect.stringContaining(named) });
  if (isEnding(error, 'StrangersObject')) await shared.asAdministrator(error.hint ?? '');
  await expect(stamp(migrator(), 'base')).resolves.toMatchObject({ outcome: 'stamped' });
  expect(await shared.query('SELECT * FROM loot')).toEqual([]);
});

/** Shapes that an object of ours cannot have → the words of the error. */
const MISSHAPEN: Readonly<Record<string, readonly [sql: string, named: string]>> = {
  'a rule': ['CREATE RULE r AS ON UPDATE TO public.alembic_version DO ALSO SELECT 1', 'has the rule r'],
  'row-level security': ['ALTER TABLE backstop.history ENABLE ROW LEVEL SECURITY', 'has row-level security'],
  'a column that computes': [
    'ALTER TABLE backstop.history ADD extra text DEFAULT pg_catalog.version()',
    'has a column "extra" that Backstop does not know',
  ],
  'a column of another type': [
    'ALTER TABLE backstop.history ALTER outcome TYPE varchar(20)',
    'has a column "outcome" that Backstop does not know',
  ],
  'a column less': ['ALTER TABLE backstop.history DROP checksums', 'has no column "checksums"'],
  'another default': [
    'ALTER TABLE backstop.history ALTER outcome SET DEFAULT pg_catalog.version()',
    'has a column "outcome" that Backstop does not know',
  ],
  'a constraint that computes': [
    'ALTER TABLE public.alembic_version ADD CONSTRAINT c CHECK (pg_catalog.length(version_num) < 30)',
    'has the constraint "c"',
  ],
  'an index that computes': [
    'CREATE INDEX ON backstop.history (pg_catalog.lower(outcome))',
    'has an index of an expression',
  ],
  'a child': ['CREATE TABLE public.child () INHERITS (backstop.history)', 'is no ordinary table'],
  'no log': ['ALTER TABLE backstop.history SET UNLOGGED', 'is no ordinary table'],
  'rights for everybody': ['GRANT INSERT ON backstop.history TO PUBLIC', 'lets everybody write to it'],
  'fingerprints with a rule': [
    'CREATE RULE r AS ON INSERT TO backstop.fingerprints DO ALSO SELECT 1',
    'table backstop.fingerprints has the rule r',
  ],
  'fingerprints with row-level security': [
    'ALTER TABLE backstop.fingerprints ENABLE ROW LEVEL SECURITY',
    'table backstop.fingerprints has row-level security',
  ],
  'fingerprints with another column': [
    'ALTER TABLE backstop.fingerprints ADD extra text DEFAULT pg_catalog.version()',
    'table backstop.fingerprints has a column "extra" that Backstop does not know',
  ],
  'fingerprints without lines': [
    'ALTER TABLE backstop.fingerprints DROP lines',
    'table backstop.fingerprints has no column "lines"',
  ],
  'fingerprints as a view': [
    'DROP TABLE backstop.fingerprints; CREATE VIEW backstop.fingerprints AS SELECT 1 AS hash, 2 AS lines',
    'view backstop.fingerprints has a column',
  ],
  'fingerprints for everybody to write': [
    'GRANT UPDATE ON backstop.fingerprints TO PUBLIC',
    'table backstop.fingerprints lets everybody write to it',
  ],
  'a schema for everybody': ['GRANT CREATE ON SCHEMA backstop TO PUBLIC', 'lets everybody create in it'],
};

test.each(Object.keys(MISSHAPEN))('an object of ours with %s is refused', async (what) => {
  await upgrade(migrator(), 'head');
  const [sql, named] = MISSHAPEN[what] as (typeof MISSHAPEN)[string];
  await shared.asAdministrator(sql);
  await expect(current(migrator())).rejects.toMatchObject({
    name: 'StrangersObject',
    summary: expect.stringContaining(named),
  });
});

test('a trigger of the owner, a disabled trigger and a longer version are no fault', async () => {
  await upgrade(migrator(), 'head');
  await shared.query(`ALTER TABLE alembic_version ALTER version_num TYPE varchar(255);
    ALTER TABLE backstop.history ADD note text;
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER audit AFTER UPDATE ON alembic_version EXECUTE FUNCTION audit();`);
  await shared.asAdministrator(`GRANT TRIGGER ON public.alembic_version TO ${stranger}; SET ROLE ${stranger}; ${TRAP}
    CREATE TRIGGER trap BEFORE UPDATE ON public.alembic_version EXECUTE FUNCTION public.trap();
    RESET ROLE; ALTER TABLE public.alembic_version DISABLE TRIGGER trap`);
  await expect(stamp(migrator(), 'base')).resolves.toMatchObject({ outcome: 'stamped' });
});

test('a trigger of the tables’ owner would run as a superuser who runs Backstop, and is refused to him', async () => {
  await upgrade(migrator(), 'head');
  await shared.query(
    `${TRAP} CREATE TRIGGER trap BEFORE INSERT ON backstop.history FOR EACH ROW EXECUTE FUNCTION public.trap()`,
  );
  await expect(stamp(asSuperuser(), 'base')).rejects.toMatchObject({
    name: 'StrangersObject',
    summary: expect.stringContaining('table backstop.history has the trigger trap'),
  });
  expect(await shared.query('SELECT * FROM loot')).toEqual([]);
  await shared.query('DROP TRIGGER trap ON backstop.history');
  await expect(stamp(asSuperuser(), 'base')).resolves.toMatchObject({ outcome: 'stamped' });
});

test('a table that a stranger has made in place of the fingerprints is refused', async () => {
  await upgrade(migrator(), 'head');
  await shared.asAdministrator(`DROP TABLE backstop.fingerprints; GRANT USAGE, CREATE ON SCHEMA backstop TO ${stranger};
    SET ROLE ${stranger}; CREATE TABLE backstop.fingerprints (hash text PRIMARY KEY, lines text NOT NULL);
    GRANT ALL ON backstop.fingerprints TO PUBLIC;`);
  await expect(stamp(migrator(), 'base')).rejects.toMatchObject({
    name: 'StrangersObject',
    summary: expect.stringContaining('table backstop.fingerprints belongs to'),
  });
  await shared.asAdministrator(
    `DROP TABLE backstop.fingerprints; REVOKE CREATE ON SCHEMA backstop FROM ${stranger}`,
  );
  await expect(stamp(migrator(), 'base')).resolves.toMatchObject({ outcome: 'stamped' });
});

test('a schema of somebody else that only sounds like ours is left alone', async () => {
  await shared.asAdministrator(
    `SET ROLE ${stranger}; CREATE SCHEMA retired_users; CREATE SCHEMA retired_002`,
  );
  await expect(upgrade(migrator(), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
});

test('a script refuses a version table of a stranger before it reads it', async () => {
  await shared.asAdministrator(`SET ROLE ${stranger}; ${TRAP.replace('RETURNS trigger', 'RETURNS varchar').replace('RETURN NEW', "RETURN '001'")}
    CREATE VIEW public.alembic_version AS SELECT public.trap() AS version_num`);
  await expect(shared.asAdministrator(offlineSql(app.chain, 'upgrade', 'base', '001'))).rejects.toMatchObject(
    {
      message: expect.stringContaining('view public.alembic_version belongs to'),
    },
  );
  expect(await shared.query('SELECT * FROM loot')).toEqual([]);
});

test('default privileges open no object that a run makes, and a right that a step grants stays', async () => {
  await shared.query(`ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, ${stranger};
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO ${stranger};`);
  const retiring = databaseOf({
    id: '001',
    upgrade: [
      'CREATE TABLE public.one (id integer);',
      `CREATE SCHEMA retired_001; GRANT USAGE ON SCHEMA retired_001 TO pg_monitor; ALTER TABLE public.one SET SCHEMA retired_001;
       CREATE SCHEMA retired_users;`,
    ],
    finalize: ['DROP SCHEMA retired_001 CASCADE;'],
  });
  await upgrade(migratorOn(shared, { database: retiring }), 'head');
  expect(
    await shared.asAdministrator(`
      SELECT name, grantee::regrole::text AS grantee FROM (
        SELECT nspname::text, nspacl, nspowner FROM pg_namespace WHERE nspname IN ('backstop', 'retired_001')
        UNION ALL SELECT oid::regclass::text, relacl, relowner FROM pg_class
        WHERE relnamespace = 'backstop'::regnamespace OR relname = 'alembic_version') AS ours (name, acl, owner),
      aclexplode(acl) WHERE grantee <> owner`),
  ).toEqual([{ name: 'retired_001', grantee: 'pg_monitor' }]);
  // Other schemas are the business of the step that makes them.
  expect(
    await shared.asAdministrator(
      "SELECT FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'retired_users' AND grantee = 0 LIMIT 1",
    ),
  ).toHaveLength(1);
});
