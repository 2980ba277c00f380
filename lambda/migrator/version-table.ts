// Alembic's own table, alembic_version: read as Alembic reads it, written so that a race cannot go unnoticed.
import type pg from 'pg';
import { MigrationFailed, UnknownRevision } from './errors.ts';
import { BASE, type RevisionId } from './report.ts';

/** The revision that the database says it is at; base where the table is missing or empty. Throws UnknownRevision. */
export async function readVersion(client: pg.Client): Promise<RevisionId> {
  const { rows: tables } = await client.query(
    "SELECT pg_catalog.to_regclass('public.alembic_version') AS oid",
  );
  if (tables[0]?.oid === null) return BASE;
  const { rows } = await client.query<{ version_num: string }>(
    'SELECT version_num FROM public.alembic_version ORDER BY version_num',
  );
  if (rows.length > 1) {
    throw new UnknownRevision({
      message: `The database says that it is at ${rows.length} revisions at once`,
      detail: `public.alembic_version holds ${rows.map((row) => row.version_num).join(', ')}.`,
      hint: 'Delete the rows that do not describe this database, and keep one.',
    });
  }
  return rows[0]?.version_num ?? BASE;
}

/**
 * Moves the version from one revision to the next, inside the transaction of the change.
 *
 * @throws MigrationFailed where the version is no longer `from`: exactly one row must be touched
 */
export async function moveVersion(client: pg.Client, from: RevisionId, to: RevisionId): Promise<void> {
  const touched =
    from === BASE
      ? await insertVersion(client, to)
      : to === BASE
        ? await client.query('DELETE FROM public.alembic_version WHERE version_num = $1', [from])
        : await client.query('UPDATE public.alembic_version SET version_num = $2 WHERE version_num = $1', [
            from,
            to,
          ]);
  if (touched.rowCount !== 1) {
    throw new MigrationFailed({
      message: `The version of the database changed while ${to} ran`,
      detail: `It was ${from} at the start; ${touched.rowCount ?? 0} rows of public.alembic_version matched at the end.`,
      hint: 'Another tool wrote it at the same time. All was rolled back: run again.',
    });
  }
}

async function insertVersion(client: pg.Client, to: RevisionId): Promise<pg.QueryResult> {
  // The names are Alembic's, so that Alembic finds its table.
  await client.query(`CREATE TABLE IF NOT EXISTS public.alembic_version (
    version_num varchar(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))`);
  return client.query(
    'INSERT INTO public.alembic_version SELECT $1 WHERE NOT EXISTS (SELECT FROM public.alembic_version)',
    [to],
  );
}
