// The query that finds the tables that a lock reaches: children, tables of an index, all that depends on what goes.

/** An object, and how far its lock reaches. */
export interface Target {
  readonly place: number;
  readonly of: string;
  readonly oid: string;
  readonly children: boolean;
  readonly reaches: string | null;
  /** It goes, or this column or constraint of it. */
  readonly drops: boolean;
  readonly column: string | null;
  readonly constraint: string | null;
}

/** A table that the lock at `place` reaches. */
export interface Reached {
  readonly place: number;
  readonly oid: string;
  /** Schema and name, without quotes. */
  readonly relation: string;
  /** As a statement must write it. */
  readonly sql: string;
  /** r for a table, p for a partitioned one, m for a materialized view, f for a foreign table, v for a view. */
  readonly kind: string;
  /** Whether the statement names it or its index; otherwise it is a child, or depends on it. */
  readonly isNamed: boolean;
  /** A child of the named relation, which LOCK TABLE locks with it. */
  readonly isChild: boolean;
  /** Whether LOCK TABLE may lock it in any mode. */
  readonly mayLock: boolean;
  /** The index that the statement names. */
  readonly index: string | null;
}

/** $1 are the {@link Target}s as JSON. The rows are {@link Reached}, in the order of the places, the named one first. */
export const REACHED = `
  WITH RECURSIVE target AS (
    SELECT * FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS row (place integer, of text, oid oid, children boolean,
      reaches text, drops boolean, "column" text, "constraint" text)
  ), root AS (
    SELECT place, coalesce(i.indrelid, target.oid) AS oid, children, reaches, i.indexrelid AS index
    FROM target LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = target.oid
    WHERE of = 'relation' AND "column" IS NULL AND "constraint" IS NULL AND reaches IS DISTINCT FROM 'default partition'
  ), tree (place, oid, children, reaches) AS (
    SELECT place, oid, children, reaches FROM root
    UNION
    SELECT tree.place, next.oid, tree.children, tree.reaches
    FROM tree CROSS JOIN LATERAL (
      SELECT inhrelid FROM pg_catalog.pg_inherits WHERE tree.children AND inhparent = tree.oid
      UNION ALL
      SELECT conrelid FROM pg_catalog.pg_constraint
      WHERE tree.reaches = 'referring tables' AND contype = 'f' AND confrelid = tree.oid) AS next (oid)
  ), going (place, class, oid, sub) AS (
    SELECT place, first.class, first.oid, first.sub
    FROM target CROSS JOIN LATERAL (
      SELECT CASE of WHEN 'schema' THEN 'pg_catalog.pg_namespace'::regclass::oid
                     WHEN 'extension' THEN 'pg_catalog.pg_extension'::regclass::oid
                     WHEN 'function' THEN 'pg_catalog.pg_proc'::regclass::oid
                     WHEN 'relation' THEN 'pg_catalog.pg_class'::regclass::oid
                     ELSE 'pg_catalog.pg_type'::regclass::oid END, target.oid, 0
      WHERE "column" IS NULL AND "constraint" IS NULL
      UNION ALL
      SELECT 'pg_catalog.pg_class'::regclass::oid, attrelid, attnum::integer FROM pg_catalog.pg_attribute
      WHERE "column" IS NOT NULL AND attrelid = target.oid AND attname = "column"
      UNION ALL
      SELECT 'pg_catalog.pg_constraint'::regclass::oid, c.oid, 0 FROM pg_catalog.pg_constraint AS c
      WHERE "constraint" IS NOT NULL AND conrelid = target.oid AND conname = "constraint") AS first (class, oid, sub)
    WHERE drops
    UNION
    SELECT going.place, d.classid, d.objid, d.objsubid
    FROM going JOIN pg_catalog.pg_depend AS d
      ON d.refclassid = going.class AND d.refobjid = going.oid AND (going.sub = 0 OR d.refobjsubid = going.sub)
  ), reached (place, oid) AS (
    SELECT place, oid FROM tree
    UNION SELECT place, attrelid FROM target JOIN pg_catalog.pg_attribute ON of = 'domain' AND atttypid = target.oid
    UNION SELECT place, c.oid FROM target JOIN pg_catalog.pg_class AS c
            ON of = 'schema' AND NOT drops AND relnamespace = target.oid AND relkind IN ('r', 'm')
    UNION SELECT place, coalesce(i.indrelid, going.oid) FROM going
            LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = going.oid WHERE class = 'pg_catalog.pg_class'::regclass
    UNION SELECT place, partdefid FROM target JOIN pg_catalog.pg_partitioned_table ON partrelid = target.oid
            WHERE reaches = 'default partition'
    UNION SELECT place, unnest(ARRAY[inhparent, partdefid]) FROM going
            JOIN pg_catalog.pg_inherits ON inhrelid = going.oid
            JOIN pg_catalog.pg_partitioned_table ON partrelid = inhparent
            JOIN pg_catalog.pg_class AS c ON c.oid = inhrelid AND c.relispartition
            WHERE class = 'pg_catalog.pg_class'::regclass AND sub = 0
    UNION SELECT place, adrelid FROM going JOIN pg_catalog.pg_attrdef AS d ON d.oid = going.oid
            WHERE class = 'pg_catalog.pg_attrdef'::regclass
    UNION SELECT place, unnest(ARRAY[conrelid, confrelid]) FROM going
            JOIN pg_catalog.pg_constraint AS c ON c.oid = going.oid WHERE class = 'pg_catalog.pg_constraint'::regclass
    UNION SELECT place, tgrelid FROM going JOIN pg_catalog.pg_trigger AS t ON t.oid = going.oid
            WHERE class = 'pg_catalog.pg_trigger'::regclass
    UNION SELECT place, ev_class FROM going JOIN pg_catalog.pg_rewrite AS r ON r.oid = going.oid
            WHERE class = 'pg_catalog.pg_rewrite'::regclass
    UNION SELECT place, polrelid FROM going JOIN pg_catalog.pg_policy AS p ON p.oid = going.oid
            WHERE class = 'pg_catalog.pg_policy'::regclass
  )
  SELECT reached.place, reached.oid::text AS oid, n.nspname || '.' || c.relname AS relation,
         reached.oid::regclass::text AS sql, c.relkind::text AS kind, root.oid IS NOT NULL AS "isNamed",
         root.index::regclass::text AS index,
         root.oid IS NULL AND tree.oid IS NOT NULL AND tree.reaches IS NULL AS "isChild",
         c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') AS "mayLock"
  FROM reached JOIN pg_catalog.pg_class AS c ON c.oid = reached.oid AND c.relkind IN ('r', 'p', 'm', 'f', 'v')
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN root ON root.place = reached.place AND root.oid = reached.oid
  LEFT JOIN tree ON tree.place = reached.place AND tree.oid = reached.oid
  ORDER BY reached.place, root.oid IS NULL, 3`;
