// The lines of indexes and constraints. An index that a constraint has made is part of the constraint's line.
import { FIRST_OID } from '../first-oid.ts';
import { type Kind, short, shown } from './scope.ts';

/** A column `c` of an index `i`, with its operator class `o` unless that is the server's own default, and its direction. */
const keyed = (at: string, name: string) => `
  ${name}
  || CASE WHEN i.indcollation[${at}] = 0 OR i.indcollation[${at}] = c.attcollation THEN ''
          ELSE ' COLLATE ' || i.indcollation[${at}]::regcollation::text END
  || CASE WHEN o.opcdefault AND o.oid < ${FIRST_OID} THEN ''
          ELSE ' ' || CASE WHEN o.oid < ${FIRST_OID} THEN '' ELSE o.opcnamespace::regnamespace::text || '.' END || pg_catalog.quote_ident(o.opcname) END
  || CASE i.indoption[${at}] WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE '' END`;

/** Most indexes are B-trees of columns: those are read from the catalogue, which is quicker than to ask for their SQL. */
const INDEXES = `
  SELECT CASE WHEN con.oid IS NULL THEN 'index ' || n.name || '.' || pg_catalog.quote_ident(x.relname)
              ELSE 'constraint ' || pg_catalog.quote_ident(con.conname) || ' on ' || r.place END
         || E'\\t' || CASE WHEN con.oid IS NULL THEN 'on ' || r.place ELSE '' END
         || CASE WHEN con.oid IS NOT NULL AND x.relam <> 403 THEN coalesce(pg_catalog.pg_get_constraintdef(con.oid), '?')
                 WHEN con.contype = 'p' THEN 'PRIMARY KEY' WHEN con.contype = 'u' THEN 'UNIQUE'
                 WHEN con.contype IS NULL AND i.indisunique THEN ' UNIQUE' ELSE '' END
         || CASE WHEN con.oid IS NOT NULL AND x.relam <> 403 THEN ''
                 WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR x.relam NOT IN (403, 405) THEN
              ' ' || coalesce(${short("pg_catalog.substring(pg_catalog.pg_get_indexdef(i.indexrelid), ' USING (.*)')")}, '?')
              || coalesce((SELECT ' STATISTICS ' || pg_catalog.string_agg(a.attnum::text || ' ' || a.attstattarget::text, ', ' ORDER BY a.attnum)
                           FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0), '')
            ELSE CASE WHEN x.relam = 405 THEN ' hash (' ELSE ' (' END
              || CASE WHEN i.indnatts = 1 THEN ${keyed('0', 'c.name')} ELSE (
                   SELECT pg_catalog.string_agg(CASE WHEN at < i.indnkeyatts THEN ${keyed('at', 'pg_catalog.quote_ident(c.attname)')}
                                                     ELSE 'INCLUDE ' || pg_catalog.quote_ident(c.attname) END, ', ' ORDER BY at)
                   FROM pg_catalog.generate_series(0, i.indnatts - 1) AS at
                   JOIN pg_catalog.pg_attribute AS c ON c.attrelid = i.indrelid AND c.attnum = i.indkey[at]
                   LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[at]) END
              || ')' || CASE WHEN x.reloptions IS NULL THEN '' ELSE ' WITH (' || ${shown('x.reloptions')} || ')' END
              || CASE WHEN i.indisunique AND NOT i.indisprimary AND pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct' = 'true'
                      THEN ' NULLS NOT DISTINCT' ELSE '' END END
         || CASE WHEN con.condeferrable AND x.relam = 403 THEN ' DEFERRABLE' ELSE '' END
         || CASE WHEN con.condeferred AND x.relam = 403 THEN ' INITIALLY DEFERRED' ELSE '' END
         || CASE WHEN x.reltablespace = 0 THEN '' ELSE ', tablespace ' || (
              SELECT pg_catalog.quote_ident(t.spcname) FROM pg_catalog.pg_tablespace AS t WHERE t.oid = x.reltablespace) END
         || CASE WHEN i.indisclustered THEN ', clustered' ELSE '' END || CASE WHEN i.indisreplident THEN ', replica identity' ELSE '' END
         || CASE WHEN i.indisvalid THEN '' ELSE ', invalid' END
         || CASE WHEN NOT x.relispartition THEN '' ELSE coalesce((
              SELECT ', attached to ' || h.inhparent::regclass::text FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = x.oid), '') END
  FROM pg_catalog.pg_index AS i JOIN relations AS r ON r.oid = i.indrelid
  JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid JOIN schemas AS n ON n.oid = x.relnamespace
  LEFT JOIN columns AS c ON c.attrelid = i.indrelid AND c.attnum = i.indkey[0] AND i.indnatts = 1
  LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[0]
  LEFT JOIN (SELECT k.* FROM pg_catalog.pg_constraint AS k WHERE k.contype IN ('p', 'u', 'x') OFFSET 0) AS con
         ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid
  WHERE i.indrelid >= ${FIRST_OID}`;

/**
 * From PostgreSQL 18 on, NOT NULL is a constraint, too. It is in its column's line, as in earlier versions, and here only if it
 * is less than they had.
 */
const CONSTRAINTS = `
  SELECT 'constraint ' || pg_catalog.quote_ident(c.conname) || ' on ' || coalesce(r.place, 'domain ' || c.contypid::regtype::text) || E'\\t'
         || coalesce(${short('pg_catalog.pg_get_constraintdef(c.oid)')}, '?')
         || CASE WHEN c.coninhcount = 0 THEN '' WHEN c.conislocal THEN ' (own and inherited)' ELSE ' (inherited)' END
         || coalesce((SELECT ', triggers ' || pg_catalog.string_agg(DISTINCT t.tgenabled::text, '')
                      FROM pg_catalog.pg_trigger AS t WHERE c.contype = 'f' AND t.tgconstraint = c.oid AND t.tgenabled <> 'O'), '')
  FROM pg_catalog.pg_constraint AS c JOIN schemas AS s ON s.oid = c.connamespace
  LEFT JOIN relations AS r ON r.oid = c.conrelid
  WHERE (c.contype IN ('c', 'f') OR c.contype = 'n' AND (c.connoinherit OR NOT c.convalidated)) AND c.conparentid = 0
    AND (r.oid IS NOT NULL OR c.contypid <> 0 AND c.contypid NOT IN (
           SELECT m.oid FROM members AS m WHERE m.class = 'pg_catalog.pg_type'::regclass))`;

export const CONSTRAINT_LINES: readonly Kind[] = [{ lines: INDEXES }, { lines: CONSTRAINTS }];
