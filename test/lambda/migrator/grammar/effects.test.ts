// The effects of statements are the truth: each is run on a server, which says what it locked, rewrote and read.

import type { Node } from '@pgsql/types';
import { loadModule, parseSync } from 'libpg-query';
import type pg from 'pg';
import { foresee } from '../../../../lambda/migrator/database/foresee.ts';
import { decideWork, type Job } from '../../../../lambda/migrator/database/work.ts';
import { blocksWrites, LOCK_MODES, type LockMode } from '../../../../lambda/migrator/grammar/effect.ts';
import { effectsOf } from '../../../../lambda/migrator/grammar/effects.ts';
import { makeDatabase, type TestDatabase } from '../../../setup/database.ts';
import { FIXTURE, STATEMENTS } from './statements.ts';

let database: TestDatabase;
let client: pg.Client;
let serverVersion = 0;
beforeAll(async () => {
  await loadModule();
  database = await makeDatabase('empty', { extension: false });
  await database.query(FIXTURE);
  client = await database.connect('test');
  await client.query("SET TIME ZONE 'UTC'");
  const { rows } = await client.query("SELECT current_setting('server_version_num')::integer AS version");
  serverVersion = rows[0].version;
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** The statements of a text, as the grammar reads them. */
const read = (sql: string) => (parseSync(sql).stmts ?? []).map(({ stmt }: { stmt?: Node }) => stmt as Node);

interface Table {
  readonly oid: string;
  readonly name: string;
  readonly parent: string | null;
  readonly file: string | null;
  readonly scans: number;
}

async function readTables(): Promise<Map<string, Table>> {
  const { rows } = await client.query<Table>(`
    SELECT c.oid::text, n.nspname || '.' || c.relname AS name, inhparent::text AS parent,
           pg_relation_filenode(c.oid)::text AS file, pg_stat_get_xact_numscans(c.oid)::integer AS scans
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace LEFT JOIN pg_inherits ON inhrelid = c.oid
    WHERE relkind IN ('r', 'p', 'm', 'f', 'v') AND nspname IN ('public', 'other')`);
  return new Map(rows.map((row) => [row.oid, row]));
}

async function readLocks(): Promise<{ oid: string; mode: string }[]> {
  const { rows } = await client.query<{ oid: string; mode: string }>(
    `SELECT relation::text AS oid, mode FROM pg_locks
     WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted`,
  );
  return rows;
}

/** Runs the SQL in a transaction that is rolled back. */
async function measure(sql: string) {
  await client.query('BEGIN');
  try {
    // Within the transaction, because the server resets its counters between transactions.
    const before = await readTables();
    await client.query(sql);
    return { before, after: await readTables(), locks: await readLocks() };
  } finally {
    await client.query('ROLLBACK');
  }
}

const strength = (mode: string) => LOCK_MODES.indexOf(mode as LockMode);

/** Table → its strongest lock. */
function strongest(locks: readonly { name: string | undefined; mode: string }[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, mode } of locks) {
    if (name !== undefined && strength(mode) > strength(found[name] ?? '')) found[name] = mode;
  }
  return Object.fromEntries(Object.entries(found).sort());
}

/** The locks to compare: all that keep others from writing, and weaker locks that were foreseen. */
const comparable = (locks: Record<string, string>, foreseen: Record<string, string>) =>
  Object.fromEntries(Object.entries(locks).filter(([name, mode]) => name in foreseen || blocksWrites(mode)));

const cases = STATEMENTS.map((entry): [sql: string, since: number] =>
  /^\d\d: /.test(entry) ? [entry.slice(4), Number(entry.slice(0, 2))] : [entry, 0],
);

/** Statements whose tables are read or written by their rows, or filled: only a plan knows. */
const BY_ROWS =
  /^(INSERT|UPDATE|DELETE|MERGE|WITH|DECLARE|EXPLAIN|SELECT [*(]|TRUNCATE|REFRESH|CREATE (TABLE|MATER))/;

test.each(cases)('the server locks, rewrites and reads the foreseen tables: %s', async (sql, since) => {
  if (since * 10_000 > serverVersion) return;
  const foreseen = await foresee(client, read(sql).flatMap(effectsOf));
  const jobs = await decideWork(client, foreseen);
  const { before, after, locks } = await measure(sql);
  const expected = strongest(foreseen.map(({ oid, mode }) => ({ name: before.get(oid)?.name, mode })));
  const really = strongest(locks.map(({ oid, mode }) => ({ name: before.get(oid)?.name, mode })));
  expect(expected).toEqual(comparable(really, expected));
  if (!BY_ROWS.test(sql)) expect(workOf(jobs, before, after)).toEqual(workDone(before, after));
});

type Tables = ReadonlyMap<string, Table>;

/** Tables with a file that are there before and after. */
const stored = (before: Tables, after: Tables) =>
  [...before.values()].filter(({ oid, file }) => file !== null && after.has(oid));

/** The names of the tables that the jobs rewrite, and of the tables that they read. */
function workOf(jobs: readonly Job[], before: Tables, after: Tables) {
  const named = (oids: readonly string[]) =>
    stored(before, after).flatMap(({ oid, name }) => (oids.includes(oid) ? [name] : []));
  const tree = ({ oid, withChildren }: Job): string[] => {
    const children = [...before.values()].filter(({ parent }) => withChildren && parent === oid);
    return [oid, ...children.map((child) => child.oid)];
  };
  const isRead = ({ isRewrite, isPass, indexes, rebuilds }: Job) =>
    isRewrite || isPass || indexes.length > 0 || rebuilds !== false;
  const keys = jobs.flatMap(({ foreignKeys }) => foreignKeys);
  return {
    rewritten: named(jobs.filter(({ isRewrite }) => isRewrite).flatMap(tree)),
    read: named([
      ...jobs.filter(isRead).flatMap(tree),
      ...keys.flatMap((key) => [key.table, key.references]),
    ]),
  };
}

/** The same, as the server's files and counters say. */
function workDone(before: Tables, after: Tables) {
  const tables = stored(before, after);
  const now = (oid: string) => after.get(oid) as Table;
  return {
    rewritten: tables.filter(({ oid, file }) => now(oid).file !== file).map(({ name }) => name),
    read: tables.filter(({ oid, scans }) => now(oid).scans > scans).map(({ name }) => name),
  };
}
