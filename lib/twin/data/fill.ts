// Fills an existing database, in one transaction, and only if its tables are empty.
import type pg from 'pg';
import { formatError } from '../../../lambda/migrator/model/errors.ts';
import { type DataProgress, generateData } from './generate.ts';
import type { TableData } from './table-data.ts';
import { codebaseMcpTables, type DataSize } from './tables.ts';

/**
 * Fills all thirteen tables in one transaction.
 *
 * @returns table → rows
 * @throws Error in the shape of the engine's errors; the database is then as it was
 */
export async function fillDatabase(
  client: pg.Client,
  size: DataSize,
  progress: DataProgress,
): Promise<Record<string, number>> {
  const tables = codebaseMcpTables(size);
  await client.query('BEGIN');
  try {
    await requireTables(client, tables);
    await requireEmpty(client, tables);
    const rows = await generateData(client, size, progress).catch(explain);
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    // If the session is lost, the server has rolled back by itself.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Looks at tables and columns, not at the version: only they decide whether the data fits. */
async function requireTables(client: pg.Client, tables: readonly TableData[]): Promise<void> {
  const wanted = tables.flatMap(({ table, columns }) => columns.map((column) => [table, column] as const));
  const { rows } = await client.query<{ table: string }>(
    `SELECT DISTINCT wanted.table FROM unnest($1::text[], $2::text[]) AS wanted("table", "column")
     WHERE NOT EXISTS (
       SELECT FROM pg_catalog.pg_attribute
       WHERE attrelid = pg_catalog.to_regclass('public.' || wanted.table) AND attname = wanted.column AND NOT attisdropped)
     ORDER BY 1`,
    [wanted.map(([table]) => table), wanted.map(([, column]) => column)],
  );
  if (rows.length === 0) return;
  throw new Error(
    formatError({
      message: 'The database has not all tables of revision 005',
      detail: `Missing in schema public, or without one of their columns: ${rows.map(({ table }) => table).join(', ')}.`,
      hint: 'Run: npx backstop upgrade 005 (if the database is past it: npx backstop downgrade 005).',
    }),
  );
}

async function requireEmpty(client: pg.Client, tables: readonly TableData[]): Promise<void> {
  const names = tables.map(({ table }) => `public.${table}`);
  const { rows } = await client.query<{ name: string }>(
    names.map((name) => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM ${name})`).join(' UNION ALL '),
  );
  if (rows.length === 0) return;
  throw new Error(
    formatError({
      message: 'The database has rows already',
      detail: `In ${rows.map(({ name }) => name).join(', ')}.`,
      hint: `Fill another database; or, if you do not need these rows, run: TRUNCATE ${names.join(', ')};`,
    }),
  );
}

function explain(cause: Error & { readonly hint?: string }): never {
  const { message, hint } = cause;
  throw new Error(
    formatError({
      message: 'The test data could not be written; the database is as it was',
      detail: message,
      hint,
    }),
    { cause },
  );
}
