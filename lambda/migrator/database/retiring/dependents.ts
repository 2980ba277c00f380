// The objects of others that depend on retired tables, and the statements that make them again; as SQL.

const OUTSIDE = '<> ALL ($1)';
const grantee = "CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END";
const comment = (what: string, oid: string, catalogue: string) =>
  `'COMMENT ON ' || ${what} || ' IS ' || quote_literal(obj_description(${oid}, '${catalogue}'))`;

/**
 * All that DROP TABLE … CASCADE would take along, apart from the parts of the tables. Each has one row for each of its
 * statements, or the SQL that takes it out of the way, `remedy`, if it holds data or cannot be made again.
 */
export const DEPENDENTS = `CREATE FUNCTION backstop.retiring_dependents(tables oid[])
RETURNS TABLE (type text, identity text, remedy text, phase integer, place bigint, sql text)
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  WITH RECURSIVE reached (classid, objid, objsubid) AS (
    SELECT 'pg_class'::regclass::oid, u.oid, 0 FROM unnest($1) AS u (oid)
    UNION
    SELECT next.classid, next.objid, next.objsubid
    FROM reached CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.objsubid FROM pg_depend AS d
      WHERE d.refclassid = reached.classid AND d.refobjid = reached.objid
        AND (reached.objsubid = 0 OR d.refobjsubid = reached.objsubid) AND d.deptype <> 'e'
      UNION ALL
      -- The object that contains it, such as the view of a rule: the whole is dropped with its part.
      SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_depend AS d
      WHERE d.classid = reached.classid AND d.objid = reached.objid AND d.deptype = 'i'
        AND d.refclassid <> 'pg_extension'::regclass) AS next),
  views AS (
    SELECT v.* FROM pg_class AS v
    WHERE v.relkind IN ('v', 'm') AND v.oid IN (SELECT r.objid FROM reached AS r WHERE r.classid = 'pg_class'::regclass)),
  found (classid, objid, objsubid, type, identity, remedy, phase, place, sql) AS (
    -- Tables, and types with columns: their rows would be lost.
    SELECT r.classid, r.objid, r.objsubid,
           CASE WHEN r.objsubid > 0 THEN 'column' WHEN c.relispartition THEN 'partition' ELSE 'table' END, NULL,
           CASE WHEN r.objsubid > 0 AND c.relkind = 'c' THEN format('ALTER TYPE %s DROP ATTRIBUTE %I;', c.oid::regclass, a.attname)
             WHEN r.objsubid > 0 THEN format('ALTER TABLE %s DROP COLUMN %I;', c.oid::regclass, a.attname)
             ELSE (SELECT string_agg(CASE WHEN c.relispartition THEN format('ALTER TABLE %s DETACH PARTITION %s;', i.inhparent::regclass, c.oid::regclass)
                     ELSE format('ALTER TABLE %s NO INHERIT %s;', c.oid::regclass, i.inhparent::regclass) END, ' ')
                   FROM pg_inherits AS i WHERE i.inhrelid = c.oid AND i.inhparent = ANY ($1)) END,
           0, 0::bigint, NULL
    FROM reached AS r JOIN pg_class AS c ON r.classid = 'pg_class'::regclass AND c.oid = r.objid AND c.oid ${OUTSIDE}
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = r.objsubid AND r.objsubid > 0
    WHERE c.relkind IN ('r', 'p', 'f', 'c')
    UNION ALL
    SELECT r.classid, r.objid, 0, NULL, NULL, format('ALTER TABLE %s DROP COLUMN %I;', a.attrelid::regclass, a.attname), 0, 0, NULL
    FROM reached AS r JOIN pg_attrdef AS d ON r.classid = 'pg_attrdef'::regclass AND d.oid = r.objid AND d.adrelid ${OUTSIDE}
    JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
    UNION ALL
    SELECT r.classid, r.objid, 0, NULL, NULL, format('DROP %s %s;', upper(o.type), o.identity), 0, 0, NULL
    FROM reached AS r CROSS JOIN LATERAL pg_identify_object(r.classid, r.objid, 0) AS o
    WHERE r.classid <> ALL (ARRAY['pg_class', 'pg_attrdef', 'pg_constraint', 'pg_rewrite', 'pg_policy', 'pg_trigger', 'pg_publication_rel']::regclass[])
      AND NOT EXISTS (SELECT FROM pg_proc AS p WHERE r.classid = 'pg_proc'::regclass AND p.oid = r.objid AND p.prokind <> 'a')
      AND NOT EXISTS (SELECT FROM pg_statistic_ext AS s WHERE r.classid = 'pg_statistic_ext'::regclass AND s.oid = r.objid AND s.stxrelid = ANY ($1))
      -- The row types of tables and views, and arrays of them.
      AND NOT EXISTS (SELECT FROM pg_type AS y WHERE r.classid = 'pg_type'::regclass AND y.oid = r.objid AND (y.typrelid <> 0 OR y.typcategory = 'A'))
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, CASE k.contype WHEN 'f' THEN 'foreign key' END, NULL, NULL, v.phase, k.oid::bigint, v.sql
    FROM reached AS r JOIN pg_constraint AS k ON r.classid = 'pg_constraint'::regclass AND k.oid = r.objid
    CROSS JOIN LATERAL (VALUES
      (79, format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))),
      (82, ${comment("format('CONSTRAINT %I ON %s', k.conname, k.conrelid::regclass)", 'k.oid', 'pg_constraint')})) AS v (phase, sql)
    WHERE k.conrelid ${OUTSIDE} AND k.conrelid <> 0 AND k.conparentid = 0 AND k.contype <> 'n'
    UNION ALL
    SELECT 'pg_class'::regclass, v.oid, 0, NULL, NULL, NULL, s.phase, v.oid::bigint, s.sql
    FROM views AS v
    CROSS JOIN LATERAL (SELECT CASE v.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END) AS w (kind)
    CROSS JOIN LATERAL (VALUES
      (75, concat('CREATE ', w.kind, ' ', v.oid::regclass,
             (SELECT format(' WITH (%s)', string_agg(format('%s=%L', o.option_name, o.option_value), ', '))
              FROM pg_options_to_table(v.reloptions) AS o HAVING count(*) > 0),
             ' AS ', rtrim(pg_get_viewdef(v.oid), ';'), CASE WHEN NOT v.relispopulated THEN ' WITH NO DATA' END)),
      (82, ${comment("w.kind || ' ' || v.oid::regclass", 'v.oid', 'pg_class')}),
      (90, format('ALTER %s %s OWNER TO %I', w.kind, v.oid::regclass, pg_get_userbyid(v.relowner))),
      (95, format('SELECT backstop.retiring_grant(%L, %L, %L)', 'TABLE', v.oid::regclass, coalesce(v.relacl, acldefault('r', v.relowner))))) AS s (phase, sql)
    UNION ALL
    SELECT 'pg_class'::regclass, v.oid, 0, NULL, NULL, NULL, s.phase, v.oid::bigint, s.sql
    FROM views AS v JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0
    CROSS JOIN LATERAL (
      SELECT 82, format('COMMENT ON COLUMN %s.%I IS %L', v.oid::regclass, a.attname, col_description(v.oid, a.attnum))
      WHERE col_description(v.oid, a.attnum) IS NOT NULL
      UNION ALL
      SELECT 96, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, a.attname, v.oid::regclass, ${grantee},
        CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END) FROM aclexplode(a.attacl) AS g) AS s (phase, sql)
    UNION ALL
    SELECT 'pg_class'::regclass, i.indexrelid, 0, NULL, NULL, NULL, 76, i.indexrelid::bigint, pg_get_indexdef(i.indexrelid)
    FROM reached AS r JOIN pg_index AS i ON r.classid = 'pg_class'::regclass AND i.indexrelid = r.objid
    WHERE i.indrelid ${OUTSIDE} AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid)
      AND NOT EXISTS (SELECT FROM pg_class AS toast WHERE toast.oid = i.indrelid AND toast.relkind = 't')
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, NULL, NULL, NULL, s.phase, p.oid::bigint, s.sql
    FROM reached AS r JOIN pg_proc AS p ON r.classid = 'pg_proc'::regclass AND p.oid = r.objid AND p.prokind <> 'a'
    CROSS JOIN LATERAL (VALUES
      (75, pg_get_functiondef(p.oid)),
      (82, ${comment("format('ROUTINE %s', p.oid::regprocedure)", 'p.oid', 'pg_proc')}),
      (90, format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, pg_get_userbyid(p.proowner))),
      (95, format('SELECT backstop.retiring_grant(%L, %L, %L)', 'ROUTINE', p.oid::regprocedure, coalesce(p.proacl, acldefault('f', p.proowner))))) AS s (phase, sql)
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, NULL, NULL, NULL, s.phase, p.oid::bigint, s.sql
    FROM reached AS r JOIN pg_policy AS p ON r.classid = 'pg_policy'::regclass AND p.oid = r.objid AND p.polrelid ${OUTSIDE}
    CROSS JOIN LATERAL (VALUES (77, backstop.retiring_policy(p.oid)),
      (82, ${comment("format('POLICY %I ON %s', p.polname, p.polrelid::regclass)", 'p.oid', 'pg_policy')})) AS s (phase, sql)
    UNION ALL
    SELECT 'pg_rewrite'::regclass, w.oid, 0, NULL, NULL, NULL, s.phase, w.oid::bigint, s.sql
    FROM reached AS r JOIN pg_rewrite AS w ON r.classid = 'pg_rewrite'::regclass AND w.oid = r.objid AND w.ev_class ${OUTSIDE}
    CROSS JOIN LATERAL (VALUES (77, rtrim(pg_get_ruledef(w.oid), ';')),
      (82, ${comment("format('RULE %I ON %s', w.rulename, w.ev_class::regclass)", 'w.oid', 'pg_rewrite')})) AS s (phase, sql)
    WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'pg_trigger'::regclass, g.oid, 0, NULL, NULL, NULL, s.phase, g.oid::bigint, s.sql
    FROM reached AS r JOIN pg_trigger AS g ON r.classid = 'pg_trigger'::regclass AND g.oid = r.objid AND g.tgrelid ${OUTSIDE}
    CROSS JOIN LATERAL (VALUES (77, pg_get_triggerdef(g.oid)),
      (78, CASE WHEN g.tgenabled <> 'O' THEN format('ALTER TABLE %s %s TRIGGER %I', g.tgrelid::regclass, CASE g.tgenabled WHEN 'D' THEN 'DISABLE'
        WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname) END),
      (82, ${comment("format('TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass)", 'g.oid', 'pg_trigger')})) AS s (phase, sql)
    WHERE NOT g.tgisinternal AND g.tgparentid = 0
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, 0, NULL, NULL, NULL, 77, d.oid::bigint,
           format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', d.adrelid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid))
    FROM reached AS r JOIN pg_attrdef AS d ON r.classid = 'pg_attrdef'::regclass AND d.oid = r.objid AND d.adrelid ${OUTSIDE}
    JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
  )
  SELECT coalesce(f.type, o.type), coalesce(f.identity, o.identity), f.remedy, f.phase, f.place, f.sql
  FROM found AS f CROSS JOIN LATERAL pg_identify_object(f.classid, f.objid, f.objsubid) AS o
  WHERE f.sql IS NOT NULL OR f.phase = 0
  ORDER BY f.phase, f.place, f.sql
$fn$`;
