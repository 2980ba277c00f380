// The statements that make tables again, empty, with everything that belongs to them; as SQL.
import { optionsOf, SEQUENCE } from './parts.ts';

const NAME = 't.oid::regclass';

/** The comments on objects of a kind, which have their names in a table; a part of the query. */
const comments = (kind: string, catalogue: string, table: string, name: string) => `
    SELECT 81, t.place, format('COMMENT ON ${kind} %I ON %s IS %L', x.${name}, ${NAME}, obj_description(x.oid, '${catalogue}'))
    FROM t JOIN ${catalogue} AS x ON x.${table} = t.oid WHERE obj_description(x.oid, '${catalogue}') IS NOT NULL`;

/**
 * In the order of phase, place and text, in which each statement finds the objects that it needs. There are no statements for a foreign
 * table, and for a table that follows a type.
 */
export const DEFINITIONS = `CREATE FUNCTION backstop.retiring_definitions(tables oid[]) RETURNS TABLE (phase integer, place bigint, sql text)
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  WITH t AS (
    SELECT u.place, c.* FROM unnest($1) WITH ORDINALITY AS u (oid, place) JOIN pg_class AS c ON c.oid = u.oid
    WHERE c.relkind IN ('r', 'p') AND c.reloftype = 0),
  owned AS (
    SELECT t.place, t.oid AS relation, s.oid, s.relacl, s.relpersistence, s.relowner, d.refobjsubid AS attnum, d.deptype
    FROM t JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.deptype IN ('a', 'i')
      AND d.classid = 'pg_class'::regclass AND d.refobjsubid > 0
    JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'),
  columns AS (
    SELECT t.place, t.relispartition, t.relkind, a.*, y.typcollation, y.typstorage, pg_get_expr(d.adbin, d.adrelid) AS value,
           -- From PostgreSQL 18 on, NOT NULL is a constraint with a name.
           k.oid AS constraint_oid, k.conname, k.conislocal, k.connoinherit, k.convalidated
    FROM t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_constraint AS k ON k.contype = 'n' AND k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum]),
  definitions (phase, place, sql) AS (
    SELECT 10, o.place, format('CREATE %sSEQUENCE %s AS %s ', CASE o.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, o.oid::regclass, format_type(q.seqtypid, NULL)) || ${SEQUENCE}
    FROM owned AS o JOIN pg_sequence AS q ON q.seqrelid = o.oid WHERE o.deptype = 'a'
    UNION ALL
    SELECT 20, t.place, concat('CREATE ', CASE t.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, 'TABLE ', ${NAME}, ' (',
      (SELECT string_agg(concat(format('%I %s', c.attname, format_type(c.atttypid, c.atttypmod)),
                CASE WHEN c.attcollation <> c.typcollation THEN format(' COLLATE %s', c.attcollation::regcollation) END,
                CASE c.attgenerated WHEN 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', c.value)
                  WHEN 'v' THEN format(' GENERATED ALWAYS AS (%s) VIRTUAL', c.value) ELSE ' DEFAULT ' || c.value END,
                CASE WHEN c.constraint_oid IS NULL THEN CASE WHEN c.attnotnull THEN ' NOT NULL' END
                  WHEN c.convalidated AND (c.conislocal OR c.relispartition)
                  THEN format(' CONSTRAINT %I NOT NULL%s', c.conname, CASE WHEN c.connoinherit THEN ' NO INHERIT' END) END), ', ' ORDER BY c.attnum)
       FROM columns AS c WHERE c.attrelid = t.oid AND (c.attislocal OR c.relispartition)), ')',
      (SELECT format(' INHERITS (%s)', string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno))
       FROM pg_inherits AS i WHERE i.inhrelid = t.oid AND NOT t.relispartition HAVING count(*) > 0),
      ' PARTITION BY ' || pg_get_partkeydef(t.oid),
      (SELECT format(' USING %I', m.amname) FROM pg_am AS m WHERE m.oid = t.relam AND m.amname <> 'heap'),
      ' WITH (' || nullif(concat_ws(', ', ${optionsOf('t.reloptions')},
         (SELECT string_agg(format('toast.%s=%L', o.option_name, o.option_value), ', ')
          FROM pg_class AS toast, pg_options_to_table(toast.reloptions) AS o WHERE toast.oid = t.reltoastrelid)), '') || ')',
      (SELECT format(' TABLESPACE %I', s.spcname) FROM pg_tablespace AS s WHERE s.oid = t.reltablespace))
    FROM t
    UNION ALL
    SELECT 25, o.place, format('ALTER SEQUENCE %s OWNED BY %s.%I', o.oid::regclass, o.relation::regclass, a.attname)
    FROM owned AS o JOIN pg_attribute AS a ON a.attrelid = o.relation AND a.attnum = o.attnum WHERE o.deptype = 'a'
    UNION ALL
    SELECT 30, c.place, format('ALTER TABLE ONLY %s ALTER COLUMN %I ', c.attrelid::regclass, c.attname) || v.action
    FROM columns AS c CROSS JOIN LATERAL (VALUES
      (CASE WHEN c.attstorage <> c.typstorage THEN 'SET STORAGE ' || CASE c.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
              WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
      (CASE c.attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END),
      (CASE WHEN c.attstattarget >= 0 THEN 'SET STATISTICS ' || c.attstattarget END),
      ('SET (' || ${optionsOf('c.attoptions')} || ')'),
      (CASE WHEN c.attislocal OR c.relispartition OR c.attgenerated <> '' THEN NULL WHEN c.value IS NULL THEN 'DROP DEFAULT'
        ELSE 'SET DEFAULT ' || c.value END),
      (CASE WHEN c.attnotnull AND c.constraint_oid IS NULL AND NOT c.attislocal AND NOT c.relispartition THEN 'SET NOT NULL' END)) AS v (action)
    WHERE v.action IS NOT NULL
    UNION ALL
    SELECT 35, t.place, format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s', i.inhparent::regclass, ${NAME}, pg_get_expr(t.relpartbound, t.oid))
    FROM t JOIN pg_inherits AS i ON i.inhrelid = t.oid WHERE t.relispartition
    UNION ALL
    SELECT 36, o.place, format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)', o.relation::regclass, a.attname,
      CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, o.oid::regclass, ${SEQUENCE})
    FROM owned AS o JOIN pg_sequence AS q ON q.seqrelid = o.oid JOIN pg_attribute AS a ON a.attrelid = o.relation AND a.attnum = o.attnum
    WHERE o.deptype = 'i'
    UNION ALL
    SELECT 40, t.place, format('ALTER TABLE %s ADD CONSTRAINT %I %s', ${NAME}, k.conname, pg_get_constraintdef(k.oid))
    FROM t JOIN pg_constraint AS k ON k.conrelid = t.oid
    WHERE k.contype = 'c' AND k.conislocal
       OR k.contype = 'n' AND k.conislocal AND (NOT k.convalidated OR NOT t.relispartition AND EXISTS (
         SELECT FROM columns AS c WHERE c.constraint_oid = k.oid AND NOT c.attislocal))
    UNION ALL
    SELECT 45, t.place, CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
      ELSE format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', ${NAME}, k.conname, pg_get_constraintdef(k.oid)) END
    FROM t JOIN pg_index AS i ON i.indrelid = t.oid
    LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 46, t.place, format('ALTER INDEX %s SET (%s)', x.oid::regclass, ${optionsOf('x.reloptions')})
    FROM t JOIN pg_constraint AS k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x') JOIN pg_class AS x ON x.oid = k.conindid
    WHERE x.reloptions IS NOT NULL
    UNION ALL
    SELECT 47, -t.place, format('ALTER INDEX %s ATTACH PARTITION %s', h.inhparent::regclass, i.indexrelid::regclass)
    FROM t JOIN pg_index AS i ON i.indrelid = t.oid JOIN pg_inherits AS h ON h.inhrelid = i.indexrelid
    UNION ALL
    SELECT 48, t.place, format('ALTER TABLE %s %s', ${NAME}, v.action)
    FROM t LEFT JOIN pg_index AS i ON i.indrelid = t.oid CROSS JOIN LATERAL (VALUES
      (CASE WHEN i.indisclustered THEN format('CLUSTER ON %I', (SELECT x.relname FROM pg_class AS x WHERE x.oid = i.indexrelid)) END),
      (CASE WHEN i.indisreplident AND t.relreplident = 'i'
        THEN format('REPLICA IDENTITY USING INDEX %I', (SELECT x.relname FROM pg_class AS x WHERE x.oid = i.indexrelid)) END)) AS v (action)
    WHERE v.action IS NOT NULL
    UNION ALL
    SELECT 48, t.place, format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', ${NAME}, CASE t.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
    FROM t WHERE t.relreplident IN ('f', 'n')
    UNION ALL
    SELECT 50, t.place, pg_get_statisticsobjdef(s.oid) FROM t JOIN pg_statistic_ext AS s ON s.stxrelid = t.oid
    UNION ALL
    SELECT 51, t.place, format('ALTER STATISTICS %I.%I ', n.nspname, s.stxname) || v.action
    FROM t JOIN pg_statistic_ext AS s ON s.stxrelid = t.oid JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    CROSS JOIN LATERAL (VALUES
      (CASE WHEN s.stxstattarget >= 0 THEN 'SET STATISTICS ' || s.stxstattarget END),
      (format('OWNER TO %I', pg_get_userbyid(s.stxowner)))) AS v (action)
    WHERE v.action IS NOT NULL
    UNION ALL
    SELECT 60, t.place, format('ALTER TABLE %s %s', ${NAME}, v.action)
    FROM t CROSS JOIN LATERAL (VALUES (CASE WHEN t.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END),
      (CASE WHEN t.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END)) AS v (action)
    WHERE v.action IS NOT NULL
    UNION ALL
    SELECT 61, t.place, backstop.retiring_policy(p.oid) FROM t JOIN pg_policy AS p ON p.polrelid = t.oid
    UNION ALL
    SELECT 65, t.place, pg_get_triggerdef(g.oid) FROM t JOIN pg_trigger AS g ON g.tgrelid = t.oid
    WHERE NOT g.tgisinternal AND g.tgparentid = 0
    UNION ALL
    SELECT 66, t.place, format('ALTER TABLE ONLY %s %s TRIGGER %I', ${NAME}, CASE g.tgenabled WHEN 'D' THEN 'DISABLE'
      WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname)
    FROM t JOIN pg_trigger AS g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal AND g.tgenabled <> 'O'
    UNION ALL
    SELECT 67, t.place, rtrim(pg_get_ruledef(w.oid), ';') FROM t JOIN pg_rewrite AS w ON w.ev_class = t.oid
    UNION ALL
    SELECT 68, t.place, format('ALTER TABLE %s %s RULE %I', ${NAME}, CASE w.ev_enabled WHEN 'D' THEN 'DISABLE'
      WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, w.rulename)
    FROM t JOIN pg_rewrite AS w ON w.ev_class = t.oid WHERE w.ev_enabled <> 'O'
    UNION ALL
    SELECT 70, t.place, format('ALTER TABLE %s ADD CONSTRAINT %I %s', ${NAME}, k.conname, pg_get_constraintdef(k.oid))
    FROM t JOIN pg_constraint AS k ON k.conrelid = t.oid WHERE k.contype = 'f' AND k.conparentid = 0
    UNION ALL
    SELECT 80, t.place, format('COMMENT ON TABLE %s IS %L', ${NAME}, obj_description(t.oid, 'pg_class'))
    FROM t WHERE obj_description(t.oid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT 80, c.place, format('COMMENT ON COLUMN %s.%I IS %L', c.attrelid::regclass, c.attname, col_description(c.attrelid, c.attnum))
    FROM columns AS c WHERE col_description(c.attrelid, c.attnum) IS NOT NULL
    UNION ALL${comments('CONSTRAINT', 'pg_constraint', 'conrelid', 'conname')}
    UNION ALL${comments('TRIGGER', 'pg_trigger', 'tgrelid', 'tgname')}
    UNION ALL${comments('POLICY', 'pg_policy', 'polrelid', 'polname')}
    UNION ALL${comments('RULE', 'pg_rewrite', 'ev_class', 'rulename')}
    UNION ALL
    SELECT 81, t.place, format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, obj_description(i.indexrelid, 'pg_class'))
    FROM t JOIN pg_index AS i ON i.indrelid = t.oid WHERE obj_description(i.indexrelid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT 81, o.place, format('COMMENT ON SEQUENCE %s IS %L', o.oid::regclass, obj_description(o.oid, 'pg_class'))
    FROM owned AS o WHERE obj_description(o.oid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT 81, t.place, format('COMMENT ON STATISTICS %I.%I IS %L', n.nspname, s.stxname, obj_description(s.oid, 'pg_statistic_ext'))
    FROM t JOIN pg_statistic_ext AS s ON s.stxrelid = t.oid JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    WHERE obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL
    UNION ALL
    SELECT 85, t.place, backstop.retiring_publication(r.oid) FROM t JOIN pg_publication_rel AS r ON r.prrelid = t.oid
    UNION ALL
    SELECT 90, t.place, format('ALTER TABLE %s OWNER TO %I', ${NAME}, pg_get_userbyid(t.relowner)) FROM t
    UNION ALL
    SELECT 95, t.place, format('SELECT backstop.retiring_grant(%L, %L, %L)', 'TABLE', ${NAME}, coalesce(t.relacl, acldefault('r', t.relowner))) FROM t
    UNION ALL
    SELECT 95, o.place, format('SELECT backstop.retiring_grant(%L, %L, %L)', 'SEQUENCE', o.oid::regclass, coalesce(o.relacl, acldefault('s', o.relowner)))
    FROM owned AS o
    UNION ALL
    SELECT 96, c.place, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, c.attname, c.attrelid::regclass,
      CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM columns AS c CROSS JOIN LATERAL aclexplode(c.attacl) AS g
  )
  SELECT d.phase, d.place, d.sql FROM definitions AS d ORDER BY d.phase, d.place, d.sql
$fn$`;
