// The lines of grants, default privileges, comments and security labels.
import { FIRST_OID } from '../first-oid.ts';
import { hashed, type Kind, own, ROUTINE, role, THIS_DATABASE } from './scope.ts';

/**
 * Objects with an ACL: `kind` as acldefault() has it. An object without one has the default, which is not listed either: a line
 * says how an object's privileges differ from it.
 */
const GRANTED = `
  SELECT CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", CASE r.relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || r.place, r.relowner, r.relacl
  FROM relations AS r WHERE r.relacl IS NOT NULL AND r.relkind <> 'c'
  UNION ALL SELECT 'c', 'column ' || r.place || '.' || pg_catalog.quote_ident(a.attname), r.relowner, a.attacl
  FROM pg_catalog.pg_attribute AS a JOIN relations AS r ON r.oid = a.attrelid WHERE a.attacl IS NOT NULL
  UNION ALL SELECT 'f', 'routine ' || p.oid::regprocedure::text, p.proowner, p.proacl
  FROM pg_catalog.pg_proc AS p JOIN schemas AS s ON s.oid = p.pronamespace WHERE p.proacl IS NOT NULL AND ${ROUTINE}
  UNION ALL SELECT 'T', 'type ' || t.oid::regtype::text, t.typowner, t.typacl
  FROM pg_catalog.pg_type AS t JOIN schemas AS s ON s.oid = t.typnamespace WHERE t.typacl IS NOT NULL AND ${own('pg_type', 't.oid')}
  UNION ALL SELECT 'n', 'schema ' || s.name, s.nspowner, s.nspacl FROM schemas AS s WHERE s.nspacl IS NOT NULL
  UNION ALL SELECT 'l', 'language ' || pg_catalog.quote_ident(l.lanname), l.lanowner, l.lanacl
  FROM pg_catalog.pg_language AS l WHERE l.lanacl IS NOT NULL AND ${own('pg_language', 'l.oid')}
  UNION ALL SELECT 'F', 'foreign data wrapper ' || pg_catalog.quote_ident(w.fdwname), w.fdwowner, w.fdwacl
  FROM pg_catalog.pg_foreign_data_wrapper AS w WHERE w.fdwacl IS NOT NULL AND ${own('pg_foreign_data_wrapper', 'w.oid')}
  UNION ALL SELECT 'S', 'server ' || pg_catalog.quote_ident(v.srvname), v.srvowner, v.srvacl
  FROM pg_catalog.pg_foreign_server AS v WHERE v.srvacl IS NOT NULL AND ${own('pg_foreign_server', 'v.oid')}
  UNION ALL SELECT 'd', 'the database', d.datdba, d.datacl FROM pg_catalog.pg_database AS d WHERE ${THIS_DATABASE} AND d.datacl IS NOT NULL
  UNION ALL SELECT CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END,
         'default privileges on ' || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'routines' WHEN 'T' THEN 'types'
                          WHEN 'n' THEN 'schemas' ELSE 'large objects' END
         || ' of ' || ${role('d.defaclrole')} || coalesce(' in schema ' || s.name, ''),
         CASE WHEN d.defaclnamespace = 0 THEN d.defaclrole ELSE 0 END, d.defaclacl
  FROM pg_catalog.pg_default_acl AS d LEFT JOIN schemas AS s ON s.oid = d.defaclnamespace
  WHERE d.defaclnamespace = 0 OR s.oid IS NOT NULL`;

/**
 * Most objects have the ACL of many others: each is described once. All privileges together are ALL, and an owner
 * without some of them has ALL but those, because newer versions have more of them. Without an owner there is no default: an ACL of default privileges in a schema only adds.
 */
const GRANTS = `
  (WITH granted (kind, name, owner, acl) AS MATERIALIZED (${GRANTED}),
  acls AS MATERIALIZED (
    SELECT pg_catalog.row_number() OVER () AS number, kind, owner, acl, CASE owner WHEN 0 THEN '{}' ELSE pg_catalog.acldefault(kind, owner) END AS usual
    FROM (SELECT DISTINCT kind, owner, acl FROM granted) AS x),
  items AS (
    SELECT x.number, x.kind, x.owner, false AS is_default, e.*
    FROM acls AS x CROSS JOIN LATERAL pg_catalog.unnest(x.acl) AS item CROSS JOIN LATERAL pg_catalog.aclexplode(ARRAY[item]) AS e
    WHERE NOT item = ANY (x.usual)
    UNION ALL
    SELECT x.number, x.kind, x.owner, true, e.*
    FROM acls AS x CROSS JOIN LATERAL pg_catalog.unnest(x.usual) AS item CROSS JOIN LATERAL pg_catalog.aclexplode(ARRAY[item]) AS e
    WHERE NOT item = ANY (x.acl)),
  wholes AS MATERIALIZED (
    SELECT kind, pg_catalog.array_agg(a.privilege_type) AS privileges
    FROM (SELECT DISTINCT kind FROM acls) AS x
    CROSS JOIN LATERAL pg_catalog.aclexplode(pg_catalog.acldefault(CASE kind WHEN 'c' THEN 'r' ELSE kind END, 10)) AS a
    WHERE a.grantee = 10 AND (kind <> 'c' OR a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES'))
    GROUP BY kind),
  described AS (
    SELECT number, ${role('grantee')} AS grantee,
           coalesce(pg_catalog.string_agg(text, ', ' ORDER BY text COLLATE "C") FILTER (WHERE NOT is_default), 'nothing') AS text
    FROM (
      SELECT i.number, i.grantee, i.is_default,
             CASE WHEN i.privileges @> w.privileges THEN 'ALL'
                  WHEN i.grantee = i.owner THEN 'ALL but ' || (
                    SELECT pg_catalog.string_agg(p, ', ' ORDER BY p COLLATE "C") FROM pg_catalog.unnest(w.privileges) AS p
                    WHERE NOT p = ANY (i.privileges))
                  ELSE pg_catalog.array_to_string(i.privileges, ', ') END
             || CASE WHEN i.is_grantable THEN ' with grant option' ELSE '' END
             || CASE WHEN i.grantor = i.owner OR i.owner = 0 THEN '' ELSE ' by ' || ${role('i.grantor')} END AS text
      FROM (SELECT number, kind, owner, grantee, grantor, is_grantable, is_default,
                   pg_catalog.array_agg(privilege_type ORDER BY privilege_type COLLATE "C") AS privileges
            FROM items GROUP BY number, kind, owner, grantee, grantor, is_grantable, is_default) AS i
      JOIN wholes AS w ON w.kind = i.kind) AS by_grantor
    GROUP BY number, grantee)
  SELECT CASE WHEN g.name LIKE 'default %' THEN '' ELSE 'grant on ' END || g.name || ' to ' || d.grantee || E'\\t' || d.text
  FROM granted AS g JOIN acls AS x ON x.kind = g.kind AND x.owner = g.owner AND x.acl = g.acl JOIN described AS d ON d.number = x.number)`;

/** A text about an object. Objects of schemas that are left out and of extensions have no line. */
const about = (kind: string, catalogue: string, text: string, by: string) => `
  SELECT '${kind} on ' || pg_catalog.regexp_replace(i.type, '.* (column|constraint)$', E'\\\\1') || ' ' || i.identity || ${by} || E'\\t' || ${hashed(text)}
  FROM pg_catalog.${catalogue} AS d CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
  WHERE (d.objoid >= ${FIRST_OID} OR d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.objoid = 2200)
    AND d.classoid <> 'pg_catalog.pg_extension'::regclass
    AND NOT EXISTS (SELECT FROM members AS m WHERE m.class = d.classoid AND m.oid = d.objoid)
    AND coalesce(i.schema, '') !~ '^(pg_|retired_|backstop$)' AND i.identity !~ '( on |^)(backstop|pg_temp_[0-9]+|retired_[^.]*)([.]|$)'
    AND i.identity !~ '( on |^)public[.]alembic_version([.]|$)'`;

export const GRANT_LINES: readonly Kind[] = [
  { lines: GRANTS },
  { lines: about('comment', 'pg_description', 'd.description', "''") },
  { in: 'pg_catalog.pg_seclabel', lines: about('label', 'pg_seclabel', 'd.label', "' by ' || d.provider") },
];
