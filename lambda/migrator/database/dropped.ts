// The query that finds what a script drops: tables with their rows, columns with their values, and objects in the way.

/** An object that is dropped or emptied, in the order of the script. */
export interface DropTarget {
  readonly place: number;
  readonly of: string;
  readonly oid: string;
  readonly children: boolean;
  readonly reaches: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
  readonly cascade: boolean;
  /** Only rows go. */
  readonly empties: boolean;
  /** The transaction that applied the revision: objects that it has made beside are no surprise. */
  readonly xid: string | null;
}

/** A row of {@link DROPPED}. */
export interface Dropped {
  readonly place: number;
  /** Rows of a table, or values of a column, are lost; an object stops the script, or goes by its CASCADE. */
  readonly kind: 'rows' | 'values' | 'stops' | 'goes';
  /** Schema and name, without quotes; of an object its kind, too. */
  readonly name: string;
  /** As a statement must write it; for an object, the statement that removes it. */
  readonly sql: string;
  /** The name of the relation, without its schema and quotes. */
  readonly relation: string;
  readonly column: string | null;
  /** The constant default of the column, as SQL, and the value of rows that are older than the column. */
  readonly constant: string | null;
  readonly missing: string | null;
}

const CLASS = "'pg_catalog.pg_class'::regclass::oid";
/** Objects that go with the object on which they depend, whatever DROP says. */
const SILENT = "IN ('a', 'i', 'P', 'S')";
/** A default that is a literal: no function is called to read it. */
const LITERAL = String.raw`'^\(?(''([^'']|'''')*''|-?[0-9.]+|true|false)\)?(::[a-z0-9_ ."(),\[\]]+)?$'`;

/** $1 are the {@link DropTarget}s as JSON. The rows are {@link Dropped}, in the order of the places. */
export const DROPPED = `
  WITH RECURSIVE target AS (
    SELECT * FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS row (place integer, of text, oid oid, children boolean,
      reaches text, "column" text, "constraint" text, cascade boolean, empties boolean, xid text)
  ), family (place, oid) AS (
    SELECT place, oid FROM target WHERE of = 'relation'
    UNION
    SELECT place, next.oid FROM family JOIN target USING (place) CROSS JOIN LATERAL (
      SELECT inhrelid FROM pg_catalog.pg_inherits WHERE children AND inhparent = family.oid
      UNION ALL
      SELECT conrelid FROM pg_catalog.pg_constraint
      WHERE reaches = 'referring tables' AND contype = 'f' AND confrelid = family.oid) AS next (oid)
  ), first (place, cascade, class, oid, sub) AS (
    SELECT place, cascade, CASE of WHEN 'schema' THEN 'pg_catalog.pg_namespace'::regclass::oid
                                   WHEN 'extension' THEN 'pg_catalog.pg_extension'::regclass::oid
                                   WHEN 'function' THEN 'pg_catalog.pg_proc'::regclass::oid
                                   WHEN 'relation' THEN ${CLASS}
                                   ELSE 'pg_catalog.pg_type'::regclass::oid END, oid, 0
    FROM target WHERE NOT empties AND "column" IS NULL AND "constraint" IS NULL
    UNION ALL
    SELECT place, cascade, ${CLASS}, attrelid, attnum::integer
    FROM target JOIN family USING (place) JOIN pg_catalog.pg_attribute ON attrelid = family.oid AND attname = "column"
    WHERE attrelid = target.oid OR (attinhcount > 0 AND NOT attislocal)
    UNION ALL
    SELECT place, cascade, 'pg_catalog.pg_constraint'::regclass::oid, c.oid, 0
    FROM target JOIN pg_catalog.pg_constraint AS c ON conrelid = target.oid AND conname = "constraint"
  ), silent (class, oid, sub) AS (
    SELECT class, oid, sub FROM first
    UNION
    SELECT d.classid, d.objid, d.objsubid
    FROM silent JOIN pg_catalog.pg_depend AS d
      ON refclassid = class AND refobjid = silent.oid AND (sub = 0 OR refobjsubid = sub) AND deptype ${SILENT}
  ), gone (place, cascade, class, oid, sub) AS (
    SELECT * FROM first
    UNION
    SELECT place, cascade, next.class, next.oid, next.sub
    FROM gone CROSS JOIN LATERAL (
      SELECT classid, objid, objsubid FROM pg_catalog.pg_depend
      WHERE refclassid = gone.class AND refobjid = gone.oid AND (gone.sub = 0 OR refobjsubid = gone.sub)
        AND (cascade OR deptype ${SILENT})
      UNION ALL
      SELECT ${CLASS}, ev_class, 0 FROM pg_catalog.pg_rewrite AS r
      WHERE gone.class = 'pg_catalog.pg_rewrite'::regclass AND r.oid = gone.oid AND rulename = '_RETURN'
    ) AS next (class, oid, sub)
  ), lost (place, oid, attnum) AS (
    SELECT place, oid, NULL::integer FROM gone WHERE class = ${CLASS} AND sub = 0
    UNION SELECT place, family.oid, NULL FROM family JOIN target USING (place) WHERE empties
    UNION SELECT place, oid, sub FROM gone WHERE class = ${CLASS} AND sub > 0
            AND NOT EXISTS (SELECT FROM gone AS whole WHERE whole.class = ${CLASS} AND whole.oid = gone.oid AND whole.sub = 0)
  ), reached (place, kind, class, oid) AS (
    SELECT place, 'stops', d.classid, d.objid FROM gone JOIN pg_catalog.pg_depend AS d
      ON refclassid = gone.class AND refobjid = gone.oid AND (sub = 0 OR refobjsubid = sub) AND deptype = 'n'
    WHERE NOT cascade AND (d.classid <> ${CLASS} OR d.refclassid = ${CLASS})
    UNION SELECT place, 'goes', class, oid FROM gone WHERE cascade AND sub = 0
  ), object (place, kind, class, oid, name, sql, relation, xid) AS (
    SELECT place, kind, ${CLASS}, c.oid,
           pg_catalog.concat(CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'child table ' END,
             n.nspname, '.', c.relname),
           pg_catalog.format(CASE relkind WHEN 'v' THEN 'DROP VIEW %s;' WHEN 'm' THEN 'DROP MATERIALIZED VIEW %s;'
             ELSE 'ALTER TABLE %s NO INHERIT %s;' END, c.oid::regclass, target.oid::regclass),
           c.relname, c.xmin::text
    FROM reached JOIN target USING (place)
    LEFT JOIN pg_catalog.pg_rewrite AS r ON class = 'pg_catalog.pg_rewrite'::regclass AND r.oid = reached.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = coalesce(r.ev_class, reached.oid)
      AND (c.relkind IN ('v', 'm') OR (c.relkind IN ('r', 'f') AND kind = 'stops' AND class = ${CLASS}))
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE class IN (${CLASS}, 'pg_catalog.pg_rewrite'::regclass)
    UNION
    SELECT place, kind, class, f.oid, pg_catalog.concat('foreign key ', conname, ' of ', n.nspname, '.', c.relname),
           pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I;', c.oid::regclass, conname), c.relname, f.xmin::text
    FROM reached JOIN pg_catalog.pg_constraint AS f
      ON class = 'pg_catalog.pg_constraint'::regclass AND f.oid = reached.oid AND contype = 'f'
    JOIN pg_catalog.pg_class AS c ON c.oid = conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM silent WHERE silent.class = ${CLASS} AND silent.oid = conrelid AND sub = 0)
  )
  (SELECT DISTINCT ON (c.oid, a.attnum) place, CASE WHEN a.attnum IS NULL THEN 'rows' ELSE 'values' END AS kind,
         n.nspname || '.' || c.relname AS name, c.oid::regclass::text AS sql, c.relname::text AS relation,
         attname::text AS "column",
         CASE WHEN pg_catalog.pg_get_expr(adbin, adrelid) ~ ${LITERAL}
           THEN pg_catalog.format('(%s)::%s', pg_catalog.pg_get_expr(adbin, adrelid), pg_catalog.format_type(atttypid, atttypmod))
         END AS constant,
         (attmissingval::text::text[])[1] AS missing
  FROM lost JOIN pg_catalog.pg_class AS c ON c.oid = lost.oid AND c.relkind IN ('r', 'm')
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute AS a ON attrelid = c.oid AND a.attnum = lost.attnum
  LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = a.attnum
  WHERE lost.attnum IS NULL OR (attgenerated = '' AND c.relkind = 'r')
  ORDER BY c.oid, a.attnum, place)
  UNION ALL
  SELECT place, kind, name, sql, relation, NULL, NULL, NULL
  FROM object JOIN target USING (place)
  WHERE NOT EXISTS (SELECT FROM silent WHERE silent.class = object.class AND silent.oid = object.oid AND sub = 0)
    AND (kind = 'stops' OR object.xid IS DISTINCT FROM target.xid)
  ORDER BY place, kind, name, "column"`;
