// The statements that make a retired column again, without its values; as SQL.
import { optionsOf, SEQUENCE } from './parts.ts';

/** The statements that make a column again, in the table that is then called `name`: without NOT NULL if nothing fills it. */
export const COLUMN_DEFINITIONS = `CREATE FUNCTION backstop.retiring_column_definitions(root oid, column_name name, name text)
RETURNS TABLE (phase integer, place bigint, sql text)
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  WITH columns AS (
    SELECT t.place, CASE t.oid WHEN $1 THEN $3 ELSE t.oid::regclass::text END AS relation, a.*, y.typcollation, y.typstorage,
           pg_get_expr(d.adbin, d.adrelid) AS value
    FROM backstop.retiring_tree($1) AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = $2
    JOIN pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum),
  owned AS (
    SELECT c.place, c.relation, c.attname, d.objid AS oid, d.deptype, ${SEQUENCE} AS options, format_type(q.seqtypid, NULL) AS type, s.relacl, s.relowner
    FROM columns AS c JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.attrelid AND d.refobjsubid = c.attnum
      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_sequence AS q ON q.seqrelid = d.objid JOIN pg_class AS s ON s.oid = d.objid)
  SELECT 10, o.place, format('CREATE SEQUENCE %s AS %s %s', o.oid::regclass, o.type, o.options) FROM owned AS o WHERE o.deptype = 'a'
  UNION ALL
  SELECT 20, c.place, concat(format('ALTER TABLE %s ADD COLUMN %I %s', c.relation, c.attname, format_type(c.atttypid, c.atttypmod)),
    CASE WHEN c.attcollation <> c.typcollation THEN format(' COLLATE %s', c.attcollation::regcollation) END,
    CASE WHEN c.attidentity <> '' THEN (SELECT format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)',
           CASE c.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, o.oid::regclass, o.options) FROM owned AS o WHERE o.deptype = 'i')
      WHEN c.attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', c.value)
      WHEN c.attgenerated = 'v' THEN format(' GENERATED ALWAYS AS (%s) VIRTUAL', c.value) ELSE ' DEFAULT ' || c.value END,
    CASE WHEN c.attnotnull THEN coalesce((SELECT format(' CONSTRAINT %I', k.conname) FROM pg_constraint AS k
           WHERE k.contype = 'n' AND k.conrelid = c.attrelid AND k.conkey = ARRAY[c.attnum]), '') || ' NOT NULL' END)
  FROM columns AS c WHERE c.attrelid = $1
  UNION ALL
  SELECT 25, o.place, format('ALTER SEQUENCE %s OWNED BY %s.%I', o.oid::regclass, o.relation, o.attname) FROM owned AS o WHERE o.deptype = 'a'
  UNION ALL
  SELECT 30, c.place, format('ALTER TABLE ONLY %s ALTER COLUMN %I ', c.relation, c.attname) || v.action
  FROM columns AS c CROSS JOIN LATERAL (VALUES
    (CASE WHEN c.attstorage <> c.typstorage THEN 'SET STORAGE ' || CASE c.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
            WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
    (CASE c.attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END),
    (CASE WHEN c.attstattarget >= 0 THEN 'SET STATISTICS ' || c.attstattarget END),
    ('SET (' || ${optionsOf('c.attoptions')} || ')'),
    (CASE WHEN c.attrelid = $1 OR c.attgenerated <> '' OR c.attidentity <> '' THEN NULL WHEN c.value IS NULL THEN 'DROP DEFAULT'
      ELSE 'SET DEFAULT ' || c.value END)) AS v (action)
  WHERE v.action IS NOT NULL
  UNION ALL
  SELECT 80, c.place, format('COMMENT ON COLUMN %s.%I IS %L', c.relation, c.attname, col_description(c.attrelid, c.attnum))
  FROM columns AS c WHERE col_description(c.attrelid, c.attnum) IS NOT NULL
  UNION ALL
  SELECT 80, o.place, format('COMMENT ON SEQUENCE %s IS %L', o.oid::regclass, obj_description(o.oid, 'pg_class'))
  FROM owned AS o WHERE obj_description(o.oid, 'pg_class') IS NOT NULL
  UNION ALL
  SELECT 95, o.place, format('SELECT backstop.retiring_grant(%L, %L, %L)', 'SEQUENCE', o.oid::regclass, coalesce(o.relacl, acldefault('s', o.relowner)))
  FROM owned AS o
  UNION ALL
  SELECT 96, c.place, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, c.attname, c.relation,
    CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
  FROM columns AS c CROSS JOIN LATERAL aclexplode(c.attacl) AS g
$fn$`;
