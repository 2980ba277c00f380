// Changes that a step makes in its session: the next step of its revision keeps them, and the next revision, the version and
// the history do not meet them, whichever way the revisions are run.
import { spawnSync } from 'node:child_process';
import { downgrade, finalize, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { offlineSql } from '../../../../lambda/migrator/offline.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { makeDatabase, migratorOn, type TestDatabase, testServer } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';

/** A role that may do nothing with the version and the history, and that the owner may become. */
const OTHER = 'backstop_test_other';

/** Name of a change → SQL that makes it, and an expression that shows it. */
const CHANGES: Readonly<Record<string, readonly [change: string, question: string]>> = {
  'the search path': ['SET search_path = elsewhere, pg_catalog', "current_setting('search_path')"],
  'the search path, to none': [
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "current_setting('search_path')",
  ],
  'the search path of its transaction': [
    'SET LOCAL search_path = elsewhere, public',
    "current_setting('search_path')",
  ],
  'the role': [`SET ROLE ${OTHER}`, 'current_user::text'],
  'how dates are written': ["SET DateStyle = 'SQL, DMY'", "date '2026-04-03'::text"],
  'how intervals are written': ['SET IntervalStyle = iso_8601', "interval '1 day'::text"],
  'the digits of numbers': ['SET extra_float_digits = -10', '(0.1::float8 + 0.2)::text'],
  'the time zone': ["SET TIME ZONE 'Asia/Tokyo'", "timestamptz '2026-01-01 00:00:00+00'::text"],
  'how strings are read': ['SET standard_conforming_strings = off', String.raw`length('a\\b')::text`],
  'how NULL is compared': ['SET transform_null_equals = on', "coalesce((NULL = NULL)::text, 'null')"],
  'its notices': ['SET client_min_messages = error', "current_setting('client_min_messages')"],
  'the checks of CREATE FUNCTION': [
    'SET check_function_bodies = off; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0',
    "current_setting('check_function_bodies')",
  ],
  'how long it waits for a lock': ["SET lock_timeout = '77ms'", "current_setting('lock_timeout')"],
  'how long a statement takes': [
    "SET statement_timeout = '59s'",
    "(current_setting('statement_timeout')::interval <= interval '59s')::text",
  ],
  'how transactions begin': [
    'SET default_transaction_isolation = serializable; SET default_transaction_read_only = on',
    "current_setting('default_transaction_isolation')",
  ],
  'a custom setting': ["SET app.tenant = '7'", "coalesce(current_setting('app.tenant', true), '')"],
  'a temporary table': [
    'CREATE TEMPORARY TABLE shared AS SELECT 1 AS id',
    "coalesce(to_regclass('pg_temp.shared')::text, 'none')",
  ],
  'a temporary table in place of a real one': [
    'CREATE TEMPORARY TABLE noted (note text)',
    "(SELECT count(*) FROM pg_class WHERE relname = 'noted')::text",
  ],
  'a prepared statement': ['PREPARE mine AS SELECT 1', '(SELECT count(*) FROM pg_prepared_statements)::text'],
  'a cursor that is held': [
    'DECLARE mine CURSOR WITH HOLD FOR SELECT 1',
    "(SELECT count(*) FROM pg_cursors WHERE name = 'mine')::text",
  ],
  'a sequence that it asked': [
    "CREATE SEQUENCE public.counter; SELECT nextval('public.counter')",
    "coalesce(public.try_lastval()::text, 'none')",
  ],
  'when constraints are checked': [
    'SET CONSTRAINTS ALL DEFERRED',
    "public.try('INSERT INTO public.child_at_once VALUES (99)')",
  ],
  'when constraints are checked, to at once': [
    'SET CONSTRAINTS ALL IMMEDIATE',
    "public.try('INSERT INTO public.child_deferred VALUES (99)')",
  ],
  'rows that are checked later': [
    'INSERT INTO child_deferred VALUES (1); INSERT INTO parent VALUES (1)',
    "public.try('ALTER TABLE public.child_deferred ADD note text')",
  ],
  // These leave nothing for the next step.
  'everything, by DEALLOCATE ALL': ['DEALLOCATE ALL', "'nothing'"],
  'everything, by DISCARD': ['DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES', "'nothing'"],
  'everything, by RESET ALL': ['RESET ALL', "'nothing'"],
  'everything, by RESET ROLE': ['RESET ROLE; RESET SESSION AUTHORIZATION', "'nothing'"],
  'its lock against other runs': [
    'SELECT pg_advisory_unlock_all()',
    "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())::text",
  ],
};
const NAMES = Object.keys(CHANGES);
const KEEPS_NOTHING = NAMES.slice(NAMES.indexOf('everything, by DEALLOCATE ALL'));

const SETUP = `
  CREATE SCHEMA elsewhere;
  GRANT USAGE ON SCHEMA public, elsewhere TO ${OTHER};
  CREATE TABLE noted (at text, change text, answer text);
  GRANT INSERT ON noted TO ${OTHER};
  CREATE TABLE parent (id integer PRIMARY KEY);
  CREATE TABLE child_at_once (id integer REFERENCES parent DEFERRABLE INITIALLY IMMEDIATE);
  CREATE TABLE child_deferred (id integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
  CREATE FUNCTION try_lastval() RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN lastval(); EXCEPTION WHEN object_not_in_prerequisite_state THEN RETURN NULL; END';
  CREATE FUNCTION try(sql text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN EXECUTE sql; RAISE division_by_zero;
     EXCEPTION WHEN division_by_zero THEN RETURN ''done''; WHEN OTHERS THEN RETURN SQLSTATE; END';`;

type Scripts = Record<'upgrade' | 'downgrade' | 'finalize', readonly string[]>;

/** Before all changes, then two revisions for each, run by the scripts of this kind. */
function revisions(kind: keyof Scripts): RevisionDraft[] {
  const tell = (at: string, name: string) =>
    `INSERT INTO public.noted VALUES ('${at}', '${name}', ${CHANGES[name]?.[1]});`;
  const drafts = NAMES.flatMap((name, index) => [
    [`${index}a`, [`${CHANGES[name]?.[0]};`, tell('next step', name)]] as const,
    [`${index}b`, [tell('next revision', name)]] as const,
  ]);
  const all = [['0', NAMES.map((name) => tell('start', name))] as const, ...drafts].map(([id, steps]) => {
    const upgradeOf = kind === 'finalize' ? [`CREATE SCHEMA retired_${id};`] : ['SELECT 1;'];
    return { id, upgrade: upgradeOf, [kind]: steps };
  });
  // A downgrade begins at the head.
  const order = kind === 'downgrade' ? all.toReversed() : all;
  return order.map((draft, index) => ({ ...draft, revises: order[index - 1]?.id ?? '<base>' }));
}

const hasPsql = spawnSync('psql', ['--version']).status === 0;

async function runScript(database: TestDatabase, script: string): Promise<void> {
  const { host, port, user, password, tls } = database.settings;
  if (!hasPsql) {
    await withClient({ ...testServer, user, password }, database.name, (client) => client.query(script));
    return;
  }
  const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const { status, stderr } = spawnSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
    env: { ...env, PGDATABASE: database.name, PGSSLMODE: tls.mode === 'off' ? 'disable' : 'require' },
    input: script,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

/** Way → what runs the revisions of its kind. */
const WAYS: Readonly<Record<string, [keyof Scripts, (database: TestDatabase) => Promise<void>]>> = {
  upgrade: [
    'upgrade',
    async (database) => {
      await upgrade(migratorOn(database, { database: databaseOf(...revisions('upgrade')) }), 'head');
    },
  ],
  'upgrade --sql': [
    'upgrade',
    async (database) => {
      const { chain } = databaseOf(...revisions('upgrade'));
      await runScript(database, offlineSql(chain, 'upgrade', 'base', chain.head));
    },
  ],
  downgrade: [
    'downgrade',
    async (database) => {
      const options = migratorOn(database, { database: databaseOf(...revisions('downgrade')) });
      await upgrade(options, 'head');
      await downgrade(options, 'base');
    },
  ],
  finalize: [
    'finalize',
    async (database) => {
      const options = migratorOn(database, { database: databaseOf(...revisions('finalize')) });
      await upgrade(options, 'head');
      await finalize(options);
    },
  ],
};

describe.each(Object.entries(WAYS))('in %s', (way, [kind, run]) => {
  const noted: Record<string, Record<string, string>> = {};
  let left: unknown;

  beforeAll(async () => {
    const database = await makeDatabase('empty', { extension: false });
    const { user } = database.settings;
    try {
      await database.asAdministrator(`CREATE ROLE ${OTHER}; GRANT ${OTHER} TO ${user};`);
      await database.query(SETUP);
      await run(database);
      for (const { at, change, answer } of await database.query('SELECT * FROM noted')) {
        noted[at] = { ...noted[at], [change]: answer };
      }
      const [row] = await database.query(`
        SELECT (SELECT tableowner FROM pg_tables WHERE tablename = 'alembic_version') AS owner,
               (SELECT string_agg(version_num, ',') FROM alembic_version) AS version`);
      const history = way.endsWith('--sql')
        ? []
        : await database.query('SELECT database_user AS by, outcome FROM backstop.history ORDER BY id');
      left = {
        ...row,
        isOurs: row?.owner === user,
        history: history.map(({ by, outcome }) => [by === user, outcome]),
      };
    } finally {
      await database.drop();
      await withClient(testServer, 'postgres', (client) => client.query(`DROP ROLE IF EXISTS ${OTHER}`));
    }
  });

  test.each(NAMES)('the next revision does not meet %s, changed by a step', (name) => {
    expect(noted['next revision']?.[name]).toBe(noted.start?.[name]);
  });

  test.each(NAMES.filter((name) => !KEEPS_NOTHING.includes(name)))('the next step keeps %s', (name) => {
    // A driver sends the whole script as one text, which the server reads before it runs any of it.
    if (!hasPsql && way.endsWith('--sql') && name === 'how strings are read') return;
    expect(noted['next step']?.[name]).not.toBe(noted.start?.[name]);
  });

  test('the version and the history are written by the role that logged in', () => {
    const done = { upgrade: 'upgraded', downgrade: 'downgraded', finalize: 'finalized' }[kind];
    const first = kind === 'upgrade' ? [] : [[true, 'upgraded']];
    expect(left).toMatchObject({
      isOurs: true,
      version: kind === 'downgrade' ? null : `${NAMES.length - 1}b`,
      history: way.endsWith('--sql') ? [] : [...first, [true, done]],
    });
  });
});
