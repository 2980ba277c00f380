// The whole contents of a database as text, to compare before and after.
import type { TestDatabase } from '../../setup/database.ts';
import { dumpSchema } from '../../setup/schema-dump.ts';

/** Schemas, objects and rows, also those of alembic_version and the history. */
export async function contentsOf({ connect }: TestDatabase): Promise<string> {
  const client = await connect('test');
  try {
    const schemas = await client.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1",
    );
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' ORDER BY 1`,
    );
    const parts: string[] = [];
    for (const { name } of schemas.rows) parts.push(await dumpSchema(client, name));
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`SELECT t::text AS row FROM ${name} AS t ORDER BY 1`);
      parts.push(name, ...rows.map(({ row }) => row));
    }
    return parts.join('\n');
  } finally {
    await client.end();
  }
}
