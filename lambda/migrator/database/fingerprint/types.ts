// The lines of types: enums, domains, ranges, base types; a composite type has the lines of a table.
import { FIRST_OID } from '../first-oid.ts';
import { type Kind, own, role, short } from './scope.ts';

const TYPES = `
  SELECT CASE t.typtype WHEN 'd' THEN 'domain ' ELSE 'type ' END || t.oid::regtype::text || E'\\t' || 'owner ' || ${role('t.typowner')}
         || CASE t.typtype
              WHEN 'e' THEN ', enum ' || coalesce((
                SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid), '')
              WHEN 'd' THEN ', ' || pg_catalog.format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
                || coalesce(' DEFAULT ' || ${short('t.typdefault')}, '')
                || CASE WHEN t.typcollation IN (0, 100) THEN '' ELSE ' COLLATE ' || t.typcollation::regcollation::text END
              WHEN 'r' THEN coalesce((
                SELECT ', range of ' || g.rngsubtype::regtype::text || ' multirange ' || g.rngmultitypid::regtype::text
                       || CASE g.rngcollation WHEN 0 THEN '' ELSE ' COLLATE ' || g.rngcollation::regcollation::text END
                       || ' by ' || (SELECT pg_catalog.quote_ident(o.opcname) FROM pg_catalog.pg_opclass AS o WHERE o.oid = g.rngsubopc)
                       || ' canonical ' || g.rngcanonical::oid::regprocedure::text || ' difference ' || g.rngsubdiff::oid::regprocedure::text
                FROM pg_catalog.pg_range AS g WHERE g.rngtypid = t.oid), '')
              ELSE CASE WHEN t.typisdefined THEN ', ' || pg_catalog.concat_ws(' ', t.typinput::oid::regprocedure,
                t.typoutput::oid::regprocedure, t.typreceive::oid::regprocedure, t.typsend::oid::regprocedure, t.typmodin::oid::regprocedure,
                t.typmodout::oid::regprocedure, t.typanalyze::oid::regprocedure, t.typsubscript::oid::regprocedure,
                'length', t.typlen, t.typbyval, t.typalign, t.typstorage, 'category', t.typcategory, t.typispreferred, t.typdelim,
                'element', t.typelem::regtype, 'default', t.typdefault, 'collation', t.typcollation::regcollation) ELSE ', a shell' END END
  FROM pg_catalog.pg_type AS t JOIN schemas AS s ON s.oid = t.typnamespace
  WHERE t.oid >= ${FIRST_OID} AND (t.typtype IN ('e', 'd', 'r')
         OR t.typtype IN ('b', 'p') AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_type AS e WHERE e.oid = t.typelem AND e.typarray = t.oid))
    AND ${own('pg_type', 't.oid')}`;

export const TYPE_LINES: readonly Kind[] = [
  {
    in: `pg_catalog.pg_type WHERE oid >= ${FIRST_OID} AND typtype <> 'c' AND typcategory <> 'A'`,
    lines: TYPES,
  },
];
