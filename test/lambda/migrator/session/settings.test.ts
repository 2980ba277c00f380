// Settings of a role or database: whatever they are, a run does the same, tells the same, and leaves the same.
import { inspect, log, validate } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { BackstopError } from '../../../../lambda/migrator/model/errors.ts';
import type { CheckReport, RunReport } from '../../../../lambda/migrator/model/report.ts';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { makeDatabase, migratorOn, testServer } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';
import { dumpSchema } from '../../../setup/schema-dump.ts';

/** Everything whose meaning a setting of PostgreSQL has ever changed. */
const FIRST = [
  String.raw`CREATE TABLE texts (what text, value text);
  INSERT INTO texts VALUES
    ('a path', 'C:\temp\new'), ('a quote', E'it\'s'), ('a date', (date '03/04/2026')::text),
    ('an interval', (interval '-1-2 +3 -4:05:06')::text), ('a moment', (timestamptz '2026-01-01 00:00:00')::text),
    ('a zone', (timestamptz '2026-01-01 00:00:00 EST')::text),
    ('a number', (0.1::float8 + 0.2)::text), ('bytes', '\x00ff'::bytea::text), ('an array', ('{NULL,1}'::text[])[1]),
    ('nothing', (NULL = NULL)::text), ('a sum', to_char(1234567.5, '9G999G999D99')),
    ('a month', to_char(date '2026-03-01', 'TMMonth')), ('a name', quote_ident('plain')), ('a letter', 'Zoë')`,
  `CREATE TABLE owners (id integer PRIMARY KEY, since date DEFAULT '03/04/2026', at timestamptz DEFAULT '2026-01-01 00:00');
  CREATE TABLE things (id integer PRIMARY KEY, owner integer REFERENCES owners DEFERRABLE INITIALLY DEFERRED,
    every interval DEFAULT '1 2:03', size float8 DEFAULT 0.1, raw bytea DEFAULT 'abc', note varchar(20));
  INSERT INTO owners VALUES (1); INSERT INTO things (id, owner) VALUES (1, 1);`,
  `CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE note text; BEGIN SELECT value INTO note FROM texts; NEW.note := 'touched'; RETURN NEW; END $f$;
  CREATE TRIGGER touch BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION touched();
  INSERT INTO things (id, owner) VALUES (2, 1);
  CREATE VIEW owned AS SELECT o.id, t.every FROM owners AS o JOIN things AS t ON t.owner = o.id WHERE o.since > '01/02/2026';`,
  `DO $$ DECLARE texts text; BEGIN
    RAISE NOTICE 'at %', timestamptz '2026-01-01 00:00:00'; RAISE WARNING 'bytes %', bytea 'a'; RAISE INFO 'done';
    ASSERT current_user IS NULL OR true;
  END $$;
  DROP TABLE IF EXISTS never;`,
  `DO $$ BEGIN
    CREATE FUNCTION wrong() RETURNS integer LANGUAGE sql AS 'SELECT nowhere FROM nothing';
  EXCEPTION WHEN OTHERS THEN INSERT INTO texts VALUES ('a wrong function', SQLSTATE); END $$;
  DO $$ BEGIN
    INSERT INTO things (id, owner) VALUES (3, 99); SET CONSTRAINTS ALL IMMEDIATE;
  EXCEPTION WHEN OTHERS THEN INSERT INTO texts VALUES ('an orphan', SQLSTATE); END $$;
  CREATE TABLE guarded (id integer); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY none ON guarded USING (false); INSERT INTO texts SELECT 'a relation', 'guarded'::regclass::text;`,
];
const SECOND = ['UPDATE owners SET since = since + 1;', 'SELECT pg_sleep(0.15);'];
const REFUSING = ['CREATE TABLE never (id integer);', "INSERT INTO owners VALUES (1, '05/06/2026');"];

const FIXTURE = databaseOf(
  {
    id: '001',
    locks: 'public.texts',
    upgrade: FIRST,
    checks: {
      'after-upgrade': ['SELECT since, at, now() IS NULL AS never FROM owners', 'SELECT 1 WHERE false'],
    },
  },
  {
    id: '002',
    revises: '001',
    upgrade: SECOND,
    downgrade: ['UPDATE owners SET since = since - 1;'],
    checks: { 'after-upgrade': ["SELECT every, raw, size FROM things WHERE every > '1 hour'"] },
  },
  { id: '003', revises: '002', upgrade: REFUSING },
);

/** Another value of a setting, as ALTER DATABASE takes it. */
interface Change {
  readonly name: string;
  readonly value: string;
}

/** Settings that docs/guarantees.md names, and some that a separate test changes. */
const LEFT = [
  // Which functions a session has; how long every connection takes; how deep a query may be.
  'local_preload_libraries',
  'session_preload_libraries',
  'post_auth_delay',
  'max_stack_depth',
  // The server refuses it together with the settings for the parts of a statement.
  'log_statement_stats',
  // These belong to a transaction.
  'transaction_deferrable',
  'transaction_isolation',
  'transaction_read_only',
  // Refused by name, see below.
  'session_replication_role',
  'event_triggers',
  'plpgsql.variable_conflict',
  // A superuser's session has ours.
  'track_counts',
  'lc_messages',
];

/** Values of settings for which the server has no list. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  DateStyle: ["'SQL, DMY'", "'German, YMD'", "'Postgres, YMD'"],
  TimeZone: ["'Asia/Tokyo'", "'America/St_Johns'", "'Pacific/Kiritimati'"],
  application_name: ["'somebody'"],
  client_encoding: ["'LATIN1'", "'SQL_ASCII'", "'WIN1252'"],
  createrole_self_grant: ["'set, inherit'"],
  default_table_access_method: ['other_heap'],
  default_text_search_config: ["'pg_catalog.german'"],
  log_min_messages: ["'error'"],
  'plpgsql.extra_errors': ["'all'"],
  'plpgsql.extra_warnings': ["'all'"],
  restrict_nonsystem_relation_kind: ["'view'", "'view, foreign-table'"],
  search_path: ['elsewhere', 'elsewhere, pg_catalog, public', "''"],
  statement_timeout: ['100'],
  timezone_abbreviations: ["'Australia'", "'India'"],
  transaction_timeout: ['100'],
};

async function changesOf(round: number): Promise<Change[]> {
  const settings = await withClient(testServer, 'postgres', async (client) => {
    // With this the server knows the settings of PL/pgSQL.
    await client.query("DO 'BEGIN END'");
    const { rows } = await client.query(
      `SELECT name, vartype, reset_val AS is, enumvals, min_val::float8 AS least, max_val::float8 AS most FROM pg_settings
       WHERE context IN ('user', 'superuser', 'superuser-backend', 'backend') AND name <> ALL ($1) ORDER BY name`,
      [LEFT],
    );
    return rows;
  });
  return settings.flatMap(({ name, vartype, is, enumvals, least, most }) => {
    const others: Record<string, readonly (string | number)[]> = {
      bool: ['on', 'off'],
      enum: enumvals ?? [],
      integer: [least, Math.min(most, least + 1_000)],
      real: [least, Math.min(most, least + 1)],
    };
    const values = VALUES[name] ?? (others[vartype] ?? []).map((value) => `'${value}'`);
    const different = values.filter((value) => value !== `'${is}'`);
    const value = different[round % Math.max(1, different.length)];
    return value === undefined ? [] : [{ name, value }];
  });
}

/** The results of every verb on a database that has these settings, and the content of the database after them. */
async function observe(changes: readonly Change[], asSuperuser = false): Promise<unknown> {
  const database = await makeDatabase('empty', { extension: false });
  const alter = (...settings: string[]) =>
    withClient(testServer, 'postgres', async (client) => {
      for (const setting of settings) {
        // The server refuses a setting that belongs to the start of a connection.
        await client.query(`ALTER DATABASE ${database.name} ${setting}`).catch(({ code }) => {
          if (code !== '55P02') throw new Error(`${setting}: ${code}`);
        });
      }
    });
  const { user, password } = testServer;
  const options = migratorOn(
    asSuperuser ? { connect: connectorTo({ ...database.settings, user, password }) } : database,
    { database: FIXTURE },
  );
  try {
    await database.asAdministrator(`
      CREATE SCHEMA elsewhere; GRANT USAGE, CREATE ON SCHEMA elsewhere TO PUBLIC;
      CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
      CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', tg_tag; END';
      CREATE EVENT TRIGGER noted ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION noted()`);
    await alter(...changes.map(({ name, value }) => `SET ${name} TO ${value}`));
    const done = {
      upgraded: await upgrade(options, '002').then(noted, noted),
      verdict: await validate(options, 'after-upgrade').then(({ checks }) => checks.map(verdict), noted),
      refused: await upgrade(options, 'head').then(noted, noted),
      downgraded: await downgrade(options, '001').then(noted, noted),
      status: await inspect(options).then(({ from, pending }) => ({ from, pending }), noted),
      log: await log(options, 9).then(
        (runs) => runs.map(({ startedAt, ...run }) => [...age(startedAt), noted(run)]),
        noted,
      ),
    };
    await alter('RESET ALL');
    const left = await withClient(testServer, database.name, async (client) => {
      const schema = await dumpSchema(client);
      await client.query('SET search_path = public');
      const rows: unknown[] = [];
      for (const table of ['texts', 'owners', 'things', 'alembic_version']) {
        const asked = client.query(`SELECT to_jsonb(t) AS row FROM ${table} AS t ORDER BY t`);
        rows.push(await asked.then((result) => result.rows, String));
      }
      return [schema, rows];
    });
    return JSON.parse(JSON.stringify({ ...done, left }).replaceAll(database.name, 'the database'));
  } finally {
    await database.drop();
  }
}

/** The words of a report or an error, without measured values. */
function noted(run: object): unknown {
  const { steps = [], report, ...rest } = run as RunReport & { report?: object };
  const { durationMs, walBytes, runId, exclusiveMs, estimate, blockers, started_at, own, cause, ...words } = {
    ...rest,
    ...(run instanceof BackstopError && { name: run.name, message: run.message }),
  } as Record<string, unknown>;
  return {
    ...words,
    steps: steps.map(({ durationMs, walBytes, ...step }) => step),
    ...(report && { report: noted(report) }),
  };
}

const verdict = ({ durationMs, ...check }: CheckReport) => check;

/** Whether a time was read as one, and as the right one. */
function age(time: Date): boolean[] {
  return [time instanceof Date, Math.abs(Date.now() - Number(time)) < 3_600_000];
}

describe('a run does the same whatever a role or database sets', () => {
  let plain: unknown;
  beforeAll(async () => {
    plain = await observe([]);
  });

  test('without a setting it upgrades, checks, refuses, goes back and tells', () => {
    expect(plain).toMatchObject({
      upgraded: {
        outcome: 'upgraded',
        steps: expect.arrayContaining([expect.objectContaining({ title: 'Step 1' })]),
      },
      refused: { name: 'MigrationFailed' },
      downgraded: { outcome: 'downgraded' },
      status: { from: '001', pending: ['002', '003'] },
      log: [expect.anything(), expect.anything(), expect.anything()],
    });
    expect(JSON.stringify(plain)).toContain('Zoë');
  });

  test.each([0, 1, 2])('any setting that the server knows, with its other value number %i', async (round) => {
    const changes = await changesOf(round);
    expect(changes.length).toBeGreaterThan(100);
    // All at once: the difference says which it is.
    expect(await observe(changes)).toEqual(plain);
  });
});

test.each([
  ['session_replication_role', 'replica', 'origin'],
  ['event_triggers', 'off', 'on'],
  ['plpgsql.variable_conflict', 'use_column', 'error'],
])(
  '%s = %s, which only a superuser may set back, is refused by name; for a superuser it does not matter',
  async (name, value, ours) => {
    const database = await makeDatabase('empty', { extension: false });
    const { user, password } = testServer;
    const connect = connectorTo({ ...database.settings, user, password });
    const isThere = await database.asAdministrator(
      `DO 'BEGIN END'; SELECT FROM pg_settings WHERE name = '${name}'`,
    );
    if (isThere.length > 0) {
      await database.asAdministrator(`ALTER DATABASE ${database.name} SET ${name} = ${value}`);
      await expect(inspect(migratorOn(database, { database: FIXTURE }))).rejects.toMatchObject({
        name: 'ConfigurationError',
        summary: expect.stringContaining(`${name} is ${value}`),
        hint: expect.stringContaining(`RESET ${name}`),
      });
      const client = await connect('test');
      const { rows } = await client.query(`SELECT current_setting('${name}') AS is`);
      await client.end();
      expect(rows).toEqual([{ is: ours }]);
    }
    await database.drop();
  },
);

test.each([
  ['off', 'on'],
  ['local', 'on'],
  ['remote_apply', 'remote_apply'],
])('with synchronous_commit = %s, the COMMIT of a run has %s', async (value, ours) => {
  const database = await makeDatabase('empty', { extension: false });
  await database.asAdministrator(`ALTER DATABASE ${database.name} SET synchronous_commit = ${value}`);
  const steps = ['SET synchronous_commit = off;', 'CREATE TABLE one ();'];
  const seen: unknown[] = [];
  const connect: typeof database.connect = async (name) => {
    const client = await database.connect(name);
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>;
    const asking = async (...asked: unknown[]) => {
      if (asked[0] === 'COMMIT') seen.push(await query("SELECT current_setting('synchronous_commit') AS is"));
      return query(...asked);
    };
    return Object.assign(client, { query: asking });
  };
  await upgrade(migratorOn({ connect }, { database: databaseOf({ id: '001', upgrade: steps }) }), 'head');
  expect(seen).toMatchObject([{ rows: [{ is: ours }] }]);
  await database.drop();
});
