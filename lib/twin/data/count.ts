// Counts every row of every table, so that no report has to be trusted.
import type pg from 'pg';

/** Table → rows, of all tables in `public` and in the schemas of retired tables; Backstop's and Alembic's own left out. */
export async function countRows(client: pg.Client): Promise<Record<string, number>> {
  const { rows: tables } = await client.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, tablename AS name FROM pg_catalog.pg_tables
     WHERE (schemaname = 'public' OR schemaname LIKE 'retired\\_%') AND tablename <> 'alembic_version'
     ORDER BY tablename`,
  );
  const counts: Record<string, number> = {};
  for (const { schema, name } of tables) {
    const identifier = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${identifier}`);
    counts[name] = Number(rows[0]?.count);
  }
  return counts;
}
