// The sizes of tables with their children, as the catalogue and the statistics have them.
import type { Queries } from '../session/client.ts';
import { briefly, orElse } from './briefly.ts';

/** For the sizes of all tables, in ms: only the catalogue is read. */
const SIZES_MS = 1_000;
export const PAGE_BYTES = 8_192;

export interface Size {
  readonly oid: string;
  /** As the header has it; of a table that no header names, its schema and name. */
  readonly name: string;
  readonly sql: string;
  /** As the statistics say. */
  readonly rows: number;
  readonly bytes: number;
  /** To read this column, the server must read all of the row before it. */
  readonly lastColumn: string;
}

/**
 * The tables among the names, in their order, and those with these oids, with their child tables. If one is locked, its
 * statistics are used.
 */
export async function readSizes(
  queries: Queries,
  names: readonly string[],
  oids: readonly string[] = [],
): Promise<Size[]> {
  const exact = 'pg_catalog.pg_relation_size(part.oid)';
  const known = `part.relpages * ${PAGE_BYTES}::float8`;
  return orElse(
    briefly(queries, { withinMs: SIZES_MS }, () => querySizes(queries, names, oids, exact)),
    () => querySizes(queries, names, oids, known),
  );
}

async function querySizes(
  queries: Queries,
  names: readonly string[],
  oids: readonly string[],
  bytes: string,
): Promise<Size[]> {
  const { rows } = await queries.query<Size>(
    `WITH RECURSIVE tree (place, name, root, oid) AS (
       SELECT wanted.place, wanted.name, c.oid, c.oid
       FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS wanted(name, place)
       JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(wanted.name) AND c.relkind IN ('r', 'p')
       UNION
       SELECT 1000000 + wanted.place, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.oid, c.oid
       FROM pg_catalog.unnest($2::oid[]) WITH ORDINALITY AS wanted(oid, place)
       JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid AND c.relkind IN ('r', 'p', 'm')
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       WHERE c.oid <> ALL (ARRAY(SELECT pg_catalog.to_regclass(name)::oid FROM pg_catalog.unnest($1::text[]) AS known(name)
                                 WHERE pg_catalog.to_regclass(name) IS NOT NULL))
       UNION
       SELECT tree.place, tree.name, tree.root, i.inhrelid
       FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid)
     SELECT tree.root::text AS oid, tree.name, tree.root::regclass::text AS sql,
            coalesce(sum(CASE WHEN part.reltuples < 0 THEN pg_catalog.pg_stat_get_live_tuples(part.oid)
                              ELSE part.reltuples END), 0)::float8 AS rows,
            coalesce(sum(${bytes}), 0)::float8 AS bytes,
            coalesce((SELECT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
                      WHERE attrelid = tree.root AND attnum > 0 AND NOT attisdropped
                      ORDER BY attnum DESC LIMIT 1), 'NULL') AS "lastColumn"
     FROM tree LEFT JOIN pg_catalog.pg_class AS part ON part.oid = tree.oid AND part.relkind IN ('r', 'm')
     GROUP BY tree.place, tree.name, tree.root ORDER BY tree.place`,
    [names, oids],
  );
  return rows;
}
