// The record of retired tables and columns, backstop.retired: one row for each call, until it has come back.
import type { Queries } from '../../session/client.ts';
import { RETIRED_PREFIX } from '../evidence.ts';

/** The columns of the record, with their types as the server writes them. A row with `column_name` is of a column. */
export const RETIRED_COLUMNS = {
  id: 'bigint',
  revision: 'text',
  schema_name: 'text',
  table_name: 'text',
  column_name: 'text',
  kept_as: 'text',
  record: 'jsonb',
} as const;

/** Makes the record where it is missing. Asked first: IF NOT EXISTS needs the right to create, even if all is there. */
export const MAKE_RECORD = `DO LANGUAGE plpgsql $do$
BEGIN
  IF pg_catalog.to_regclass('backstop.retired') IS NOT NULL THEN
    RETURN;
  END IF;
  IF pg_catalog.to_regnamespace('backstop') IS NULL THEN
    CREATE SCHEMA backstop;
  END IF;
  CREATE TABLE backstop.retired (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    column_name text,
    kept_as text NOT NULL,
    record jsonb NOT NULL);
  COMMENT ON TABLE backstop.retired IS 'What revisions have retired, and how it comes back';
END
$do$`;

/** Ids of the revisions whose retired objects still exist: by the record, or by their schema if they were moved by hand. */
export async function readRetiredRevisions(queries: Queries): Promise<string[]> {
  const { rows } = await queries.query<{ id: string }>(
    `SELECT pg_catalog.substr(nspname, $1) AS id FROM pg_catalog.pg_namespace
     WHERE pg_catalog.starts_with(nspname, $2) ORDER BY nspname`,
    [RETIRED_PREFIX.length + 1, RETIRED_PREFIX],
  );
  const schemas = rows.map(({ id }) => id);
  if (!(await mayRead(queries))) return schemas;
  const { rows: recorded } = await queries.query<{ revision: string; isThere: boolean }>(
    `SELECT revision, pg_catalog.bool_or(NOT record ? 'finalized') AS "isThere" FROM backstop.retired GROUP BY revision`,
  );
  const known = new Map(recorded.map(({ revision, isThere }) => [revision, isThere]));
  const there = [...known].flatMap(([revision, isThere]) => (isThere ? [revision] : []));
  return [...schemas.filter((id) => !known.has(id)), ...there].sort();
}

/** A retired column of a table that is not retired. */
interface RetiredColumn {
  /** As SQL, where it was when it was retired. */
  readonly table: string;
  /** As SQL. */
  readonly column: string;
  /** For people, such as `orders.status`. */
  readonly name: string;
}

/** The retired columns of a revision that finalize would drop. */
export async function readRetiredColumns(queries: Queries, revision: string): Promise<RetiredColumn[]> {
  if (!(await mayRead(queries))) return [];
  const { rows } = await queries.query<RetiredColumn>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS table, pg_catalog.quote_ident(r.kept_as) AS column,
            r.table_name || '.' || r.column_name AS name
     FROM backstop.retired AS r
     JOIN pg_catalog.pg_attribute AS a ON a.attname = r.kept_as AND NOT a.attisdropped
     JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE r.revision = $1 AND NOT r.record ? 'finalized'
       AND (c.oid::text = r.record ->> 'oid' OR n.nspname = r.schema_name AND c.relname = r.table_name)
     ORDER BY r.id`,
    [revision],
  );
  return rows;
}

async function mayRead(queries: Queries): Promise<boolean> {
  const { rows } = await queries.query(
    `SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = 'backstop' AND c.relname = 'retired' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
       AND pg_catalog.has_table_privilege(c.oid, 'SELECT')`,
  );
  return rows.length > 0;
}
