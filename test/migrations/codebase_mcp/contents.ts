// The contents of a database as text: schemas and rows, to be compared before and after.
import type pg from 'pg';
import type { TestDatabase } from '../../setup/database.ts';
import { dumpSchema } from '../../setup/schema-dump.ts';

/** Runs `work` in a session of the owner. */
export async function inSession<T>(db: TestDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await db.connect('test');
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export interface Contents {
  /** Schema → its dump. */
  readonly schemas: Readonly<Record<string, string>>;
  /** `schema.table` → number and hash of its rows. */
  readonly rows: Readonly<Record<string, string>>;
}

/** Everything except the schema in which Backstop keeps its history. */
export async function contentsOf(db: TestDatabase): Promise<Contents> {
  return inSession(db, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace
       WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'backstop') ORDER BY 1`,
    );
    const schemas: Record<string, string> = {};
    for (const { name } of rows) schemas[name] = await dumpSchema(client, name);
    return { schemas, rows: await hashRows(client, Object.keys(schemas)) };
  });
}

export async function schemaOf(db: TestDatabase): Promise<string> {
  return inSession(db, (client) => dumpSchema(client));
}

/** Number and hash of the rows of every table in public, without the columns named. */
export async function rowsOf(db: TestDatabase, without: readonly string[] = []): Promise<Contents['rows']> {
  return inSession(db, (client) => hashRows(client, ['public'], without));
}

async function hashRows(
  client: pg.Client,
  schemas: readonly string[],
  without: readonly string[] = [],
): Promise<Record<string, string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1`,
    [schemas],
  );
  const hashes: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ hash: string }>(
      `SELECT concat(count(*), ' ', md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C"))) AS hash
       FROM (SELECT (to_jsonb(held) - $1::text[])::text AS line FROM ${name} AS held) AS lines`,
      [without],
    );
    hashes[name] = rows[0]?.hash ?? '';
  }
  return hashes;
}

/** The files of tables and indexes, and their oids: both change if a table or an index is made again. */
export async function filesOf(db: TestDatabase): Promise<pg.QueryResultRow[]> {
  return db.query(`
    SELECT oid, oid::regclass::text AS name, relfilenode FROM pg_class
    WHERE relkind IN ('r', 'p', 'i', 'I', 'S', 'm') AND relnamespace IN (
      SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'backstop')
    )
    ORDER BY oid`);
}
