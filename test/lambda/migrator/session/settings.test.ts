// Settings of a role or database: whatever they are, a run does the same, tells the same, and leaves the same.
import { log, validate } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import type { RunReport } from '../../../../lambda/migrator/model/report.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { makeDatabase, migratorOn, type TestDatabase, testServer } from '../../../setup/database.ts';
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
    checks: { 'after-upgrade': ['SELECT since, at, now() IS NULL AS never FROM owners', 'SELECT 1 WHERE false'] },
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

/** Another value of a setting. */
interface Change {
  readonly name: string;
  readonly value: string;
}

/** What cannot be neutral, and is named in docs/guarantees.md; and what is no setting of a role or database. */
const NOT_NEUTRAL: readonly string[] = [];

async function changesOf(round: number): Promise<Change[]> {
  const rows = await withClient(testServer, 'postgres', async (client) => {
    await client.query("DO 'BEGIN END'");
    return (
      await client.query(
        `SELECT name, vartype, coalesce(reset_val, '') AS is, enumvals, min_val, max_val FROM pg_settings
         WHERE context IN ('user', 'superuser', 'superuser-backend', 'backend') ORDER BY name`,
      )
    ).rows;
  });
  return rows.flatMap(({ name, vartype, is, enumvals, min_val: min, max_val: max }) => {
    const values: string[] =
      STRINGS[name] ??
      {
        bool: [is === 'on' ? 'off' : 'on'],
        enum: (enumvals ?? []).filter((value: string) => value !== is),
        integer: [min, String(Math.min(Number(max), Number(min) + 1_000))].filter((value) => value !== is),
        real: [min, String(Math.min(Number(max), Number(min) + 1))].filter((value) => value !== is),
        string: [],
      }[vartype as 'bool'];
    const value = values[round % Math.max(1, values.length)];
    return value === undefined || NOT_NEUTRAL.includes(name) ? [] : [{ name, value }];
  });
}

const STRINGS: Readonly<Record<string, readonly string[]>> = {
  DateStyle: ['SQL, DMY', 'German, YMD', 'Postgres, YMD'],
  TimeZone: ['Asia/Tokyo', 'America/St_Johns', 'Pacific/Kiritimati'],
  timezone_abbreviations: ['Australia', 'India'],
  client_encoding: ['LATIN1', 'SQL_ASCII', 'WIN1252'],
  search_path: ['elsewhere', 'elsewhere, pg_catalog, public', ''],
};
export { FIXTURE, changesOf, log, validate, downgrade, upgrade, type RunReport, makeDatabase, migratorOn, type TestDatabase, dumpSchema };
