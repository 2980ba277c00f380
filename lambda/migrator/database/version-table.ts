// Alembic's own table, alembic_version: read as Alembic reads it, written so that a race cannot go unnoticed.
import pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import { BASE, type RevisionId } from '../model/report.ts';
import type { Queries } from '../session/client.ts';
import { closeToOthers } from './ownership.ts';

/**
 * Requires that there is no version table in another schema only, as Alembic's `version_table_schema` makes it: a run
 * would take the database to be at base, and run every revision again.
 *
 * @throws UnknownRevision that names the schemas
 */
export async function requireNoOther(queries: Queries): Promise<void> {
  const { rows } = await queries.query<{ schema: string }>(
    `SELECT n.nspname AS schema
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
     ORDER BY n.nspname = 'public' DESC, n.nspname`,
  );
  const [first] = rows;
  if (first === undefined || first.schema === 'public') return;
  const table = `${pg.escapeIdentifier(first.schema)}.alembic_version`;
  const others = rows.length === 1 ? '' : ` and in ${rows.length - 1} more`;
  throw new BackstopError('UnknownRevision', {
    message: `The version table is in the schema "${first.schema}"${others}, and Backstop reads public.alembic_version`,
    detail: 'A run would take the database to be at base, and run every revision again.',
    hint: `If it is the version of these revisions: ALTER TABLE ${table} SET SCHEMA public; if it belongs to another application: CREATE TABLE public.alembic_version (version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY);`,
  });
}

/** The rows of the version table: no row at base, usually one revision, more if Alembic uses branches. */
export async function readVersions(queries: Queries): Promise<RevisionId[]> {
  const { rows: tables } = await queries.query(
    "SELECT pg_catalog.to_regclass('public.alembic_version') AS oid",
  );
  if (tables[0]?.oid === null) return [];
  const { rows } = await queries.query<{ version_num: RevisionId }>(
    'SELECT version_num FROM public.alembic_version ORDER BY version_num',
  );
  return rows.map(({ version_num }) => version_num);
}

/** Makes the table; the names are Alembic's, so that Alembic finds it. */
export const CREATE_VERSION_TABLE = `CREATE TABLE IF NOT EXISTS public.alembic_version (
  version_num varchar(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)`;

/** Asks first: IF NOT EXISTS needs the right to create in the schema even if the table exists. */
async function createVersionTable(queries: Queries): Promise<void> {
  const { rows } = await queries.query("SELECT pg_catalog.to_regclass('public.alembic_version') AS oid");
  if (rows[0]?.oid !== null) return;
  await queries.query(CREATE_VERSION_TABLE);
  await closeToOthers(queries, { tables: ['public.alembic_version'] });
}

/** The statement that moves the version from one revision to the next; right only if it touches exactly one row. */
export function versionStatement(from: RevisionId, to: RevisionId): string {
  const [before, after] = [pg.escapeLiteral(from), pg.escapeLiteral(to)];
  if (from === BASE) {
    return `INSERT INTO public.alembic_version SELECT ${after} WHERE NOT EXISTS (SELECT FROM public.alembic_version)`;
  }
  if (to === BASE) return `DELETE FROM public.alembic_version WHERE version_num = ${before}`;
  return `UPDATE public.alembic_version SET version_num = ${after} WHERE version_num = ${before}`;
}

/**
 * Moves the version from one revision to the next, inside the transaction of the change.
 *
 * @throws MigrationFailed if the version is no longer `from`: exactly one row must be touched
 */
export async function moveVersion(queries: Queries, from: RevisionId, to: RevisionId): Promise<void> {
  if (from === BASE) await createVersionTable(queries);
  const touched = await queries.query(versionStatement(from, to));
  if (touched.rowCount !== 1) {
    throw new BackstopError('MigrationFailed', {
      message: `The version of the database changed while ${to} ran`,
      detail: `It was ${from} at the start; ${touched.rowCount ?? 0} rows of public.alembic_version matched at the end.`,
      hint: 'Another tool wrote it at the same time. Everything was rolled back: run again.',
    });
  }
}
