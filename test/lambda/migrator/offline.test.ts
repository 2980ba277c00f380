// The script of `--sql`: run by any user, it does the same as an online run, or nothing.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../lambda/migrator/model/bounds.ts';
import { offlineSql } from '../../../lambda/migrator/offline.ts';
import { takeRunnerLock } from '../../../lambda/migrator/session/runner-lock.ts';
import { withClient } from '../../../lib/twin/server/client.ts';
import {
  codebaseMcp,
  makeDatabase,
  migratorOn,
  type TestDatabase,
  testServer,
} from '../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../setup/revisions.ts';
import { dumpSchema } from '../../setup/schema-dump.ts';
import { expectNothingLeft, until } from '../../setup/sessions.ts';

let database: TestDatabase;

/** How a script ended. */
interface Ending {
  /** The exit status of psql; of the driver 0, or 3 if it threw. */
  readonly status: number;
  readonly errors: string;
}

/** Runs a script as the owner, in a session without the engine's settings. */
type Client = (script: string) => Promise<Ending>;

/** Sends the whole script as one message, as drivers do. */
const driver: Client = (script) => {
  const { user, password } = database.settings;
  const sent = withClient({ ...testServer, user, password }, database.name, (client) => client.query(script));
  return sent.then(
    () => ({ status: 0, errors: '' }),
    ({ message, detail, hint }) => ({ status: 3, errors: [message, detail, hint].join('\n') }),
  );
};

const psql =
  (...options: string[]): Client =>
  async (script) => {
    const { host, port, user, password, tls } = database.settings;
    const running = promisify(execFile)('psql', ['-X', '-q', ...options, '-f', '-'], {
      env: {
        ...process.env,
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: database.name,
        PGSSLMODE: tls.mode === 'off' ? 'disable' : 'require',
      },
    });
    // It stops at the first error, perhaps before it has read the rest of the script.
    running.child.stdin?.on('error', () => {}).end(script);
    return running.then(
      ({ stderr }) => ({ status: 0, errors: stderr }),
      ({ code, stderr }) => ({ status: code, errors: stderr }),
    );
  };

const hasPsql = spawnSync('psql', ['--version']).status === 0;
const CLIENTS: [name: string, run: Client, isHere: boolean][] = [
  ['a driver', driver, true],
  ['psql', psql('-v', 'ON_ERROR_STOP=1'), hasPsql],
];
const WELL: Ending = { status: 0, errors: expect.not.stringContaining('ERROR') };

/** Schema public, and the rows of alembic_version. */
async function state({ name, query }: TestDatabase): Promise<string[]> {
  const schema = await withClient(testServer, name, (client) => dumpSchema(client));
  if (!schema.includes('"alembic_version"')) return [schema];
  return [schema, JSON.stringify(await query('SELECT version_num FROM alembic_version ORDER BY 1'))];
}

/** Resolves as soon as a session of the database waits for this. */
async function waiting(event: 'advisory' | 'PgSleep'): Promise<void> {
  const sessions = `SELECT FROM pg_stat_activity WHERE datname = '${database.name}' AND wait_event = '${event}'`;
  await until(event, async () => (await database.asAdministrator(sessions)).length > 0);
}

const { chain } = codebaseMcp;
const ALEMBIC = `CREATE TABLE alembic_version (
  version_num varchar(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));`;

/** The script of an upgrade over these revisions, from base to their head. */
function scriptOf(...drafts: RevisionDraft[]): string {
  const { chain } = databaseOf(...drafts);
  return offlineSql(chain, 'upgrade', 'base', chain.head);
}

test('it begins with its purpose, its revisions, and how to run it', () => {
  const [title, , ...lines] = offlineSql(chain, 'upgrade', '003a', '002').split('\n\n')[0]?.split('\n') ?? [];
  expect(title).toBe('-- Upgrade from 003a to 002');
  const [fifth, second] = chain.revisions.slice(-2);
  expect(lines.slice(0, 4)).toEqual([
    '--   005  Fix version column for optimistic locking',
    `--        SHA-256 of its upgrade.sql: ${fifth?.checksum}`,
    '--   002  Remove non-search tables and add project_id columns',
    `--        SHA-256 of its upgrade.sql: ${second?.checksum}`,
  ]);
  expect(lines.join('\n')).toMatch(
    /psql -X -v ON_ERROR_STOP=1 -f FILE[\s\S]*npx backstop check after-upgrade/,
  );
});

test.each<['upgrade' | 'downgrade', from: string, to: string, titles: string[]]>([
  ['upgrade', 'base', '002', ['Running upgrade  -> 001', 'Running upgrade 001 -> 002']],
  ['upgrade', '001', '002', ['Running upgrade 001 -> 002']],
  ['downgrade', '002', 'base', ['Running downgrade 002 -> 001', 'Running downgrade 001 ->']],
])('%s from %s to %s tells each revision and each step in its order', (direction, from, to, titles) => {
  const { chain: two } = databaseOf(
    { id: '001' },
    { id: '002', revises: '001', upgrade: ['SELECT 1;', 'SELECT 2;'] },
  );
  const told = offlineSql(two, direction, from, to).match(/(?<=^-- )(Running|step:) .*$/gm);
  const steps: Record<string, string[]> = { 'Running upgrade 001 -> 002': ['step: Step 1', 'step: Step 2'] };
  expect(told).toEqual(titles.flatMap((title) => [title, ...(steps[title] ?? ['step: Step 1'])]));
});

test('if there is nothing to do, it is a comment that says so', () => {
  expect(offlineSql(chain, 'downgrade', '005', '005')).toBe(
    '-- From 005 to 005 there is nothing to downgrade.\n',
  );
});

test.each<['upgrade' | 'downgrade', from: string, to: string, error: object]>([
  [
    'upgrade',
    '002',
    '005',
    {
      name: 'InvalidInput',
      summary: '005 is not ahead of 002',
      hint: 'To go there: npx backstop downgrade 002:005 --sql',
    },
  ],
  [
    'downgrade',
    'base',
    '001',
    {
      name: 'InvalidInput',
      summary: '001 is not behind base',
      hint: 'To go there: npx backstop upgrade base:001 --sql',
    },
  ],
  ['upgrade', '004', '002', { name: 'UnknownRevision' }],
  ['upgrade', '005', '004', { name: 'UnknownRevision' }],
])('%s from %s to %s is refused', (direction, from, to, error) => {
  expect(() => offlineSql(chain, direction, from, to)).toThrow(expect.objectContaining(error));
});

describe('run', () => {
  afterEach(async () => {
    await expectNothingLeft(database);
    await database.drop();
  });

  describe.each(CLIENTS)('by %s', (_name, run, isHere) => {
    const testHere = isHere ? test : test.skip;

    testHere('brings a database from 005 to 002 and back as an online run does', async () => {
      database = await makeDatabase('at005');
      const online = await makeDatabase('at005');

      expect(await run(offlineSql(chain, 'upgrade', '005', '002'))).toEqual(WELL);
      await upgrade(migratorOn(online), '002');
      expect(await state(database)).toEqual(await state(online));
      expect(await validate(migratorOn(database), 'after-upgrade', '002')).toMatchObject({ passed: true });

      expect(await run(offlineSql(chain, 'downgrade', '002', '005'))).toEqual(WELL);
      await downgrade(migratorOn(online), '005');
      expect(await state(database)).toEqual(await state(online));
      expect(await validate(migratorOn(database), 'after-downgrade', '005')).toMatchObject({ passed: true });
      await online.drop();
    });

    testHere('brings an empty database to the head and back to base as an online run does', async () => {
      database = await makeDatabase('empty');
      const online = await makeDatabase('empty');

      expect(await run(offlineSql(chain, 'upgrade', 'base', '002'))).toEqual(WELL);
      await upgrade(migratorOn(online), 'head');
      expect(await state(database)).toEqual(await state(online));

      expect(await run(offlineSql(chain, 'downgrade', '002', 'base'))).toEqual(WELL);
      await downgrade(migratorOn(online), 'base');
      expect(await state(database)).toEqual(await state(online));
      await online.drop();
    });

    testHere.each<[at: string, versions: string, from: string, holds: string]>([
      ['at base, without the table', '', '005', 'no revision'],
      ['at base, with the table', ALEMBIC, '005', 'no revision'],
      ['elsewhere', `${ALEMBIC} INSERT INTO alembic_version VALUES ('003a')`, '005', '003a'],
      [
        'at two revisions',
        `${ALEMBIC} INSERT INTO alembic_version VALUES ('005'), ('003')`,
        '005',
        '003, 005',
      ],
      ['no longer at base', `${ALEMBIC} INSERT INTO alembic_version VALUES ('005')`, 'base', '005'],
    ])('is refused and changes nothing if the database is %s', async (_at, versions, from, holds) => {
      database = await makeDatabase('empty');
      await database.query(versions);
      const before = await state(database);
      const { status, errors } = await run(offlineSql(chain, 'upgrade', from, '002'));
      expect(status).toBe(3);
      expect(errors).toContain(`The database is not at ${from}, where this script begins`);
      expect(errors).toContain(`public.alembic_version holds ${holds}.`);
      expect(errors).toContain('npx backstop upgrade REVISION:002 --sql');
      expect(await state(database)).toEqual(before);
    });

    testHere('changes nothing if a step in the middle fails', async () => {
      database = await makeDatabase('empty', { extension: false });
      const before = await state(database);
      const script = scriptOf(
        { id: '001', upgrade: ['CREATE TABLE one ();'] },
        {
          id: '002',
          revises: '001',
          upgrade: ['CREATE TABLE two ();', 'DROP TABLE three;', 'DROP TABLE one;'],
        },
      );
      expect(await run(script)).toEqual({
        status: 3,
        errors: expect.stringContaining('"three" does not exist'),
      });
      expect(await state(database)).toEqual(before);
    });

    testHere('runs a step as it is written, however it ends', async () => {
      database = await makeDatabase('empty', { extension: false });
      const steps = [
        'CREATE TABLE one ()',
        'CREATE TABLE two () -- the end;',
        "COMMENT ON TABLE two IS 'a -- b;'",
        'CREATE TABLE three ();\n-- That was it.',
        'CREATE TABLE four (); /* That was\n   it. */',
        "DO $do$ BEGIN EXECUTE 'CREATE TABLE five ()'; END $do$",
      ];
      expect(await run(scriptOf({ id: "it's_100%", upgrade: steps }))).toEqual(WELL);
      const tables = await database.query(`
      SELECT string_agg(relname, ' ' ORDER BY oid) AS tables, obj_description('two'::regclass) AS comment
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`);
      expect(tables).toEqual([{ tables: 'one two three four five alembic_version', comment: 'a -- b;' }]);
      expect(await database.query('SELECT version_num FROM alembic_version')).toEqual([
        { version_num: "it's_100%" },
      ]);
    });
  });

  (hasPsql ? test : test.skip).each<[settings: string, options: string[], script: string, why: RegExp]>([
    [
      'without ON_ERROR_STOP',
      [],
      scriptOf({ id: '001', upgrade: ['CREATE TABLE one ();', 'DROP TABLE two;', 'CREATE TABLE three ();'] }),
      /"two" does not exist[\s\S]*current transaction is aborted/,
    ],
    [
      'with ON_ERROR_ROLLBACK',
      ['-v', 'ON_ERROR_ROLLBACK=on'],
      scriptOf({ id: '001', upgrade: ['CREATE TABLE one ();', 'DROP TABLE two;', 'CREATE TABLE three ();'] }),
      /cannot set transaction read-write mode[\s\S]*cannot execute CREATE TABLE in a read-only transaction/,
    ],
    [
      'from a wrong revision, with ON_ERROR_ROLLBACK',
      ['-v', 'ON_ERROR_ROLLBACK=on'],
      offlineSql(
        databaseOf({ id: '001' }, { id: '002', revises: '001', upgrade: ['CREATE TABLE two ();'] }).chain,
        'upgrade',
        '001',
        '002',
      ),
      /The database is not at 001/,
    ],
  ])(
    'by psql %s, it goes on after an error, and changes nothing',
    async (_settings, options, script, why) => {
      database = await makeDatabase('empty');
      const before = await state(database);
      expect(await psql(...options)(script)).toEqual({ status: 0, errors: expect.stringMatching(why) });
      expect(await state(database)).toEqual(before);
    },
  );

  describe('by anybody', () => {
    beforeEach(async () => {
      database = await makeDatabase('empty', { extension: false });
    });

    test('a script waits until a run has ended', async () => {
      const script = scriptOf({ id: '001' });
      const runner = await database.connect('a runner');
      await takeRunnerLock(runner, 0, () => {});
      // A timeout that the role has set must not end the waiting.
      const running = driver(`SET lock_timeout = 1; COMMIT; ${script}`);
      await waiting('advisory');
      expect(await state(database)).toHaveLength(1);
      await runner.end();
      expect(await running).toEqual(WELL);
      expect(await state(database)).toHaveLength(2);
    });

    test('a run waits until a script has ended', async () => {
      const one = databaseOf({ id: '001' });
      const session = await database.connect('a script');
      await session.query(offlineSql(one.chain, 'upgrade', 'base', '001').replace(/COMMIT;\n$/, ''));
      const bounds = { ...DEFAULT_BOUNDS, lockWaitMs: 0 };
      const options = migratorOn(database, { database: one, bounds });
      await expect(upgrade(options, 'head')).rejects.toMatchObject({
        name: 'DatabaseBusy',
        detail: expect.stringContaining('a script'),
      });
      await session.query('COMMIT');
      expect(await upgrade(options, 'head')).toMatchObject({ outcome: 'nothing to do', to: '001' });
      await session.end();
    });

    test('steps have the settings of an online run, whatever those of the session are', async () => {
      const online = await makeDatabase('empty', { extension: false });
      const settings = `
      SELECT name, CASE name WHEN 'statement_timeout' THEN (setting::int BETWEEN 1 AND 300000)::text ELSE setting END
      FROM pg_settings WHERE name IN ('search_path', 'row_security', 'transaction_isolation', 'lock_timeout',
        'statement_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`;
      const kept = databaseOf({ id: '001', upgrade: [`CREATE TABLE kept AS ${settings};`] });
      await upgrade(migratorOn(online, { database: kept }), 'head');
      const others = `SET search_path = pg_catalog; SET row_security = on; SET lock_timeout = 1; SET statement_timeout = 0;
      SET default_transaction_isolation = serializable; SET idle_in_transaction_session_timeout = 0;`;
      expect(await driver(`${others} COMMIT; ${offlineSql(kept.chain, 'upgrade', 'base', '001')}`)).toEqual(
        WELL,
      );
      expect(await database.query('SELECT * FROM kept')).toEqual(await online.query('SELECT * FROM kept'));
      await online.drop();
    });

    test('all tables that are there are locked before the first step', async () => {
      await database.query('CREATE TABLE one (); CREATE TABLE "Two" (); CREATE VIEW three AS SELECT');
      const locked = `CREATE TABLE locked AS SELECT relation::regclass::text AS name FROM pg_locks
      WHERE mode = 'AccessExclusiveLock' AND pid = pg_backend_pid()
        AND relation IN ('one'::regclass, '"Two"'::regclass, 'three'::regclass);`;
      const script = scriptOf(
        { id: '001', locks: 'public."Two", absent.one, public.three', upgrade: [locked] },
        {
          id: '002',
          revises: '001',
          locks: 'public."Two", public.one, public.later',
          upgrade: ['SELECT 1;'],
        },
      );
      expect(await driver(script)).toEqual(WELL);
      expect(await database.query('SELECT name FROM locked ORDER BY name')).toEqual([
        { name: '"Two"' },
        { name: 'one' },
      ]);
    });

    test('deferred constraints are checked before COMMIT, within a timeout', async () => {
      const slow = `CREATE TABLE one ();
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON one DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait();
      INSERT INTO one DEFAULT VALUES; SET LOCAL statement_timeout = 100;`;
      const { status, errors } = await driver(scriptOf({ id: '001', upgrade: [slow] }));
      expect(status).toBe(3);
      expect(errors).toContain('canceling statement due to statement timeout');
    });

    test.each<[from: string, theirs: string]>([
      ['base', "INSERT INTO alembic_version VALUES ('002')"],
      ['001', "UPDATE alembic_version SET version_num = '002'"],
      ['001', 'DELETE FROM alembic_version'],
    ])('from %s, what another tool writes meanwhile undoes the whole: %s', async (from, theirs) => {
      await database.query(
        from === 'base' ? ALEMBIC : `${ALEMBIC} INSERT INTO alembic_version VALUES ('001')`,
      );
      const untilTheyWrote = `DO $$ BEGIN
      WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'they_wrote') LOOP PERFORM pg_sleep(0.01); END LOOP;
    END $$`;
      const upgrade = ['CREATE TABLE one ();', untilTheyWrote];
      const { chain } = databaseOf({ id: '001', upgrade }, { id: '002', revises: '001', upgrade });
      const running = driver(offlineSql(chain, 'upgrade', from, '002'));
      await waiting('PgSleep');
      await database.query(`${theirs}; CREATE TABLE they_wrote ();`);
      const { status, errors } = await running;
      expect(status).toBe(3);
      expect(errors).toContain(
        `The version of the database changed while ${from === 'base' ? '001' : '002'} ran`,
      );
      expect(await database.query("SELECT to_regclass('one') AS one")).toEqual([{ one: null }]);
    });
  });
});
