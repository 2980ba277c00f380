// The two databases of Socrates, and the queries of its tests.

import { join } from 'node:path';
import type pg from 'pg';
import { readChain } from '../../../lambda/migrator/revisions/chain.ts';
import type { Check, Phase } from '../../../lambda/migrator/revisions/check.ts';
import type { Database } from '../../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../../lib/paths.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { reader } from '../../setup/revisions.ts';
import { dumpSchema } from '../../setup/schema-dump.ts';

export const socratesAuth = databaseIn('socrates_auth', 'DATABASE_URL_AUTH');
export const socratesSpecs = databaseIn('socrates_specs', 'DATABASE_URL_SPECS');

function databaseIn(name: string, urlVariable: string): Database {
  const definition = { name, folder: name, urlVariable, extensions: [] };
  return { definition, chain: readChain(join(MIGRATIONS, name), reader) };
}

/** By the labels of their branches. */
export const CHAINS: [string, Database][] = [
  ['auth', socratesAuth],
  ['specs', socratesSpecs],
];

export const makeEmpty = (): Promise<TestDatabase> => makeDatabase('empty', { extension: false });

export const migrator = (db: TestDatabase, database: Database) => migratorOn(db, { database });

/** Runs `work` in a transaction of the owner, which is rolled back. */
export async function rolledBack<T>(db: TestDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await db.connect('test');
  try {
    await client.query('BEGIN');
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The checks of one phase, of the revisions up to `last`. */
export function checksOf({ chain }: Database, phase: Phase, last = chain.head): Check[] {
  const end = chain.revisions.findIndex(({ id }) => id === last);
  return chain.revisions.slice(0, end + 1).flatMap(({ checks }) => checks[phase]);
}

/**
 * Number and title of each check that finds violations, with the violations. The gather of a check becomes a part of
 * its query, because the revisions give their gathers the same name.
 */
export async function findings(
  client: pg.Client,
  checks: readonly Check[],
): Promise<Record<string, pg.QueryResultRow[]>> {
  const found: Record<string, pg.QueryResultRow[]> = {};
  for (const { id, title, sql, gathers = [] } of checks) {
    const gathered = gathers.map(({ table, query }) => `${table} AS MATERIALIZED (${query.sql})`);
    const { rows } = await client.query(gathered.length > 0 ? `WITH ${gathered.join(', ')}\n${sql}` : sql);
    if (rows.length > 0) found[`${id} ${title}`] = [...(found[`${id} ${title}`] ?? []), ...rows];
  }
  return found;
}

/** The schema of the revisions alone: the first upgrade brings alembic_version, and it stays. */
export async function schemaOf(db: TestDatabase): Promise<string[]> {
  const dump = await rolledBack(db, (client) => dumpSchema(client));
  return dump.split('\n').filter((line) => !line.includes('alembic_version'));
}

/** Names of the tables that the revisions made. */
export const TABLES = `
  SELECT relname::text AS table_name FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'`;

/** Their columns; `attnum` and `attrelid` lead on. */
export const COLUMNS = `
  SELECT table_name, attname::text AS column_name, format_type(atttypid, atttypmod) AS type, attrelid, attnum
  FROM (${TABLES}) AS made
  JOIN pg_attribute ON attrelid = to_regclass('public.' || table_name) AND attnum > 0 AND NOT attisdropped`;
