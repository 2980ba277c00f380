// The fingerprint: every change of the catalogue changes it and is named, and nothing else changes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import {
  createFingerprints,
  keepFingerprint,
  readDifferences,
  readFingerprint,
  readLines,
} from '../../../../lambda/migrator/database/fingerprint.ts';
import { createHistory } from '../../../../lambda/migrator/database/history.ts';
import { makeDatabase, superuserOf, type TestDatabase, testServer } from '../../../setup/database.ts';
import { CHANGES, NEWER_CHANGES } from './fingerprint/changes.ts';

const FOLDER = join(import.meta.dirname, 'fingerprint');
const RICH = readFileSync(join(FOLDER, 'rich.sql'), 'utf8');
const GOLDEN = join(FOLDER, 'rich.txt');

let database: TestDatabase;
/** A superuser, who has made the objects. */
let client: pg.Client;
let before: string;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  client = await superuserOf(database)('test');
  await client.query(RICH);
  await client.query('BEGIN');
  await createHistory(client);
  await createFingerprints(client);
  before = await keepFingerprint(client);
  await client.query('COMMIT');
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

/** In a transaction that is rolled back. */
async function rolledBack<T>(work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

async function changesAfter(sql: string): Promise<string[]> {
  await client.query(sql);
  const { changes = [] } = (await readDifferences(client, before)) ?? {};
  return changes.map(({ object, change }) => `${object} ${change}`);
}

const asOwner = (text: string) => text.replaceAll('OWNER', testServer.user);

test.each(Object.keys(CHANGES))('%s is seen and named', async (kind) => {
  const [sql, ...named] = CHANGES[kind] as (typeof CHANGES)[string];
  expect(await rolledBack(() => changesAfter(sql))).toEqual(named.map(asOwner));
});

test.each(Object.keys(NEWER_CHANGES))('%s is seen and named, if the version has it', async (kind) => {
  const [major, sql, ...named] = NEWER_CHANGES[kind] as (typeof NEWER_CHANGES)[string];
  const { rows } = await client.query("SELECT current_setting('server_version_num')::int / 10000 AS major");
  if (rows[0].major < major) return;
  expect(await rolledBack(() => changesAfter(sql))).toEqual(named);
});

test('at least 60 kinds of changes are named, and none of them left a trace', async () => {
  expect(Object.keys(CHANGES).length).toBeGreaterThanOrEqual(60);
  expect(await readFingerprint(client)).toBe(before);
});

/** SQL that changes no object. */
const UNCHANGED: Readonly<Record<string, string>> = {
  'rows, and the values of sequences': `INSERT INTO app.base VALUES (1, 'x'); INSERT INTO app.items (name) VALUES ('x');
    SELECT pg_catalog.nextval('app.numbers'); DELETE FROM app.base`,
  statistics: 'ANALYZE app.base; ANALYZE app.items',
  'a table that is written again': 'TRUNCATE app.base; CLUSTER app.orders; REFRESH MATERIALIZED VIEW app.m1',
  'an index that is built again': 'REINDEX TABLE app.items',
  'an object that is made and dropped': 'CREATE TABLE app.fresh (a serial PRIMARY KEY); DROP TABLE app.fresh',
  'a column that is made and dropped': 'ALTER TABLE app.base ADD d integer; ALTER TABLE app.base DROP d',
  'a privilege that is granted and revoked':
    'GRANT UPDATE ON app.parts TO pg_monitor; REVOKE UPDATE ON app.parts FROM pg_monitor',
  'the default privileges of an object, written out': 'GRANT ALL ON app.unlogged TO CURRENT_USER',
  'settings that are set and reset': `ALTER TABLE app.items SET (fillfactor = 50); ALTER TABLE app.items RESET (fillfactor);
    ALTER TABLE app.orders ALTER note SET STATISTICS 9; ALTER TABLE app.orders ALTER note SET STATISTICS -1`,
  'temporary objects': `CREATE TEMPORARY TABLE t (a serial); CREATE TEMPORARY VIEW v AS SELECT 1 AS one;
    CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
  'objects of Backstop': `CREATE TABLE backstop.more (a integer); CREATE SCHEMA retired_001; CREATE TABLE retired_001.t (a serial);
    COMMENT ON TABLE retired_001.t IS 'c'; GRANT SELECT ON retired_001.t TO pg_monitor`,
  'the version table': `CREATE TABLE public.alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY);
    COMMENT ON TABLE public.alembic_version IS 'c'; GRANT SELECT ON public.alembic_version TO pg_monitor`,
};

test.each(Object.keys(UNCHANGED))('it does not change with %s', async (kind) => {
  expect(await rolledBack(() => changesAfter(UNCHANGED[kind] as string))).toEqual([]);
});

test('the temporary tables of other sessions are none of it', async () => {
  const other = await superuserOf(database)('test');
  await other.query('CREATE TEMPORARY TABLE t (a serial PRIMARY KEY)');
  expect(await readFingerprint(client)).toBe(before);
  await other.end();
});

const SETTINGS = {
  search_path: 'app',
  quote_all_identifiers: 'on',
  DateStyle: 'German',
  IntervalStyle: 'iso_8601',
  timezone: 'Pacific/Kiritimati',
  extra_float_digits: '-5',
  bytea_output: 'escape',
  lc_monetary: 'POSIX',
  lc_numeric: 'POSIX',
  standard_conforming_strings: 'off',
  work_mem: '64kB',
  jit: 'on',
};

test('no setting changes it, and it changes no setting', async () => {
  await rolledBack(async () => {
    for (const [name, value] of Object.entries(SETTINGS))
      await client.query(`SET LOCAL ${name} = '${value}'`);
    expect(await readFingerprint(client)).toBe(before);
    const { rows } = await client.query(
      `SELECT pg_catalog.jsonb_object_agg(name, pg_catalog.current_setting(name)) AS now FROM unnest($1::text[]) AS name`,
      [Object.keys(SETTINGS)],
    );
    expect(rows[0].now).toMatchObject({
      search_path: 'app',
      quote_all_identifiers: 'on',
      extra_float_digits: '-5',
      work_mem: '64kB',
      jit: 'on',
    });
  });
});

test('every version of PostgreSQL has the same lines for the same SQL', async () => {
  const { rows } = await client.query(
    'SELECT pg_catalog.pg_get_userbyid(datdba) AS name FROM pg_database WHERE datname = $1',
    [database.name],
  );
  const lines = (await readLines(client))
    .map((line) => line.replaceAll(rows[0].name, 'DATABASE_OWNER').replaceAll(testServer.user, 'OWNER'))
    // Extensions have other versions.
    .filter((line) => !line.startsWith('extension '))
    .sort();
  if (process.env.WRITE_GOLDEN) writeFileSync(GOLDEN, `${lines.join('\n')}\n`);
  expect(lines).toEqual(readFileSync(GOLDEN, 'utf8').trimEnd().split('\n'));
});

test('no secret is in it', async () => {
  expect((await readLines(client)).filter((line) => line.includes('sesame'))).toEqual([]);
});

test('a user without any privilege sees the same, but for the options of user mappings', async () => {
  const owner = await database.connect('test');
  const lines = await readLines(owner);
  const all = await readLines(client);
  expect(lines.filter((line) => !all.includes(line))).toEqual([
    `user mapping for ${testServer.user} on server srv\toptions not shown`,
  ]);
  await owner.end();
});

test('a transaction that may only read can read it', async () => {
  await client.query('BEGIN READ ONLY');
  expect(await readFingerprint(client)).toBe(before);
  expect(await readDifferences(client, before)).toEqual({ changes: [] });
  await client.query('ROLLBACK');
});

test('a transaction that reads it holds no lock of a table afterwards', async () => {
  await rolledBack(async () => {
    await readFingerprint(client);
    const { rows } = await client.query(
      `SELECT c.relname FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
       WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'app'::regnamespace`,
    );
    expect(rows).toEqual([]);
  });
});

test('the order in which objects were made is none of it', async () => {
  const parts = [
    'CREATE TABLE public.one (id integer PRIMARY KEY, name text NOT NULL, extra text);',
    "CREATE TYPE public.mood AS ENUM ('sad', 'ok');",
    'CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS $$SELECT 1$$;',
    'CREATE SEQUENCE public.numbers;',
    'CREATE TABLE public.two (a integer CHECK (a > 0), b integer);',
  ];
  const later = `CREATE INDEX one_name ON public.one (name); CREATE VIEW public.v AS SELECT o.name FROM public.one AS o WHERE o.id > 1;
    ALTER TABLE public.two ADD FOREIGN KEY (a) REFERENCES public.one; GRANT SELECT ON public.one TO pg_monitor, PUBLIC;`;
  const [first, second] = [
    await makeDatabase('empty', { extension: false }),
    await makeDatabase('empty', { extension: false }),
  ];
  await first.query(`${parts.join('')} ${later}`);
  await second.query(`${parts.toReversed().join('').replace('name text', 'gone integer, name text')}
    ALTER TABLE public.one DROP gone; ${later.replace('pg_monitor, PUBLIC', 'PUBLIC, pg_monitor')}`);
  const [one, other] = await Promise.all([first, second].map((made) => made.connect('test')));
  expect(await readLines(other as pg.Client)).toEqual(await readLines(one as pg.Client));
  for (const ended of [one, other]) await ended?.end();
  for (const made of [first, second]) await made.drop();
});

test.each(['alone', 'in a transaction'])(
  'a table that another session drops meanwhile does not fail it, %s',
  async (where) => {
    const [dropping, reading] = await Promise.all([
      superuserOf(database)('test'),
      superuserOf(database)('test'),
    ]);
    await client.query(
      'CREATE TABLE app.passing (a integer CHECK (a > 0)); CREATE VIEW app.passed AS SELECT a FROM app.passing',
    );
    await dropping.query('BEGIN; DROP TABLE app.passing CASCADE');
    if (where !== 'alone') await reading.query('BEGIN');
    const { rows } = await reading.query('SELECT pg_catalog.pg_backend_pid() AS pid');
    const answer = where === 'alone' ? readFingerprint(reading) : keepFingerprint(reading);
    const waits = async () => {
      const { rows: waiting } = await client.query('SELECT FROM pg_locks WHERE pid = $1 AND NOT granted', [
        rows[0].pid,
      ]);
      return waiting.length > 0;
    };
    while (!(await waits())) await sleep(10);
    await dropping.query('COMMIT');
    expect(await answer).toBe(before);
    if (where !== 'alone') await reading.query('COMMIT');
    await dropping.end();
    await reading.end();
  },
);

test('lines are kept once, and of a fingerprint that is not kept there are no differences', async () => {
  await rolledBack(async () => {
    const { rows: kept } = await client.query('SELECT hash FROM backstop.fingerprints');
    expect(await keepFingerprint(client)).toBe(before);
    expect((await client.query('SELECT hash FROM backstop.fingerprints')).rows).toEqual(kept);
    expect(await readDifferences(client, 'a'.repeat(64))).toBeUndefined();
    expect(await readDifferences(client, "' OR true --")).toBeUndefined();
    await client.query('CREATE TABLE app.fresh (a integer)');
    const now = await readDifferences(client, before);
    const after = await keepFingerprint(client);
    expect(await readDifferences(client, before, after)).toEqual(now);
    expect(now?.changes[0]).toEqual({ object: 'column app.fresh.a', change: 'added', after: 'integer' });
  });
});

test('of many differences the first and the last are listed, and the others counted', async () => {
  await rolledBack(async () => {
    await client.query(
      "DO $$ BEGIN FOR i IN 1000..1199 LOOP EXECUTE 'CREATE TABLE app.many_' || i || ' ()'; END LOOP; END $$",
    );
    const { changes, omitted } = (await readDifferences(client, before)) ?? { changes: [] };
    expect({ listed: changes.length, omitted }).toEqual({ listed: 100, omitted: { changes: 300 } });
    expect(changes.at(-1)).toMatchObject({ object: 'table app.many_1199', change: 'added' });
  });
});
