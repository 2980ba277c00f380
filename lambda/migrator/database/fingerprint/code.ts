// The lines of views and of functions, procedures and aggregates. Their texts are hashed.
import { FIRST_OID } from '../first-oid.ts';
import { hashed, type Kind, ROUTINE, role, short, shown } from './scope.ts';

/**
 * The text of a view as every version of PostgreSQL has it: from 16 on, a view of one table does without its name before
 * each column, so that all such names are taken out of it. Literals stay as they are.
 */
const canonical = (text: string) => `
  CASE WHEN ${text} ~ E'\\n(UNION|INTERSECT|EXCEPT)' OR from_clause ~ E'\\n    [^ ]|\\n     [A-Z]' OR from_clause ~ '^[(](?! *(SELECT|VALUES))'
       THEN ${text}
       ELSE pg_catalog.regexp_replace(${text}, $re$('(?:[^']|'')*'|"(?:[^"]|"")+"(?![.]))|(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)[.]$re$, E'\\\\1', 'g') END`;

/** The columns that the view reads, because they may be left out of its text. */
const VIEWS = `
  SELECT CASE r.relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || r.place || E'\\t' || 'owner ' || ${role('r.relowner')}
         || CASE WHEN r.reloptions IS NULL THEN '' ELSE ', with (' || ${shown('r.reloptions')} || ')' END
         || CASE WHEN r.relam IN (0, 2) THEN '' ELSE ', access method ' || (
              SELECT pg_catalog.quote_ident(m.amname) FROM pg_catalog.pg_am AS m WHERE m.oid = r.relam) END
         || CASE WHEN r.reltablespace = 0 THEN '' ELSE ', tablespace ' || (
              SELECT pg_catalog.quote_ident(t.spcname) FROM pg_catalog.pg_tablespace AS t WHERE t.oid = r.reltablespace) END
         || ', query ' || coalesce(${hashed(`${canonical('v.text')} || coalesce(d.read, '')`)}, '?')
  FROM relations AS r
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_viewdef(r.oid) AS text OFFSET 0) AS v
  CROSS JOIN LATERAL (
    SELECT pg_catalog.substring(v.text, E'\\n   FROM (.*?)(?:\\n ? ?[A-Z]|;$)') AS from_clause) AS f
  LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg(DISTINCT d.refobjid::regclass::text || '.' || a.attname, ',') AS read
    FROM pg_catalog.pg_rewrite AS w
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
                                  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.refobjid <> r.oid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE w.ev_class = r.oid AND w.rulename = '_RETURN') AS d ON true
  WHERE r.relkind IN ('v', 'm')`;

const routines = (...columns: readonly string[]) =>
  columns.map((column) => `g.${column}::oid::regprocedure`).join(', ');

const ROUTINES = `
  SELECT CASE p.prokind WHEN 'a' THEN 'aggregate ' WHEN 'p' THEN 'procedure ' ELSE 'function ' END || p.oid::regprocedure::text || E'\\t'
         || 'owner ' || ${role('p.proowner')} || ', (' || ${short('coalesce(args.text, $q$?$q$)')} || ')'
         || coalesce(' returns ' || pg_catalog.pg_get_function_result(p.oid), '')
         || ' language ' || (SELECT pg_catalog.quote_ident(l.lanname) FROM pg_catalog.pg_language AS l WHERE l.oid = p.prolang)
         || CASE p.provolatile WHEN 'i' THEN ' immutable' WHEN 's' THEN ' stable' ELSE '' END
         || CASE WHEN p.prokind = 'w' THEN ' window' ELSE '' END
         || CASE WHEN p.proisstrict THEN ' strict' ELSE '' END || CASE WHEN p.prosecdef THEN ' security definer' ELSE '' END
         || CASE WHEN p.proleakproof THEN ' leakproof' ELSE '' END
         || CASE p.proparallel WHEN 's' THEN ' parallel safe' WHEN 'r' THEN ' parallel restricted' ELSE '' END
         || ' cost ' || p.procost::text || CASE WHEN p.prorows = 0 THEN '' ELSE ' rows ' || p.prorows::text END
         || CASE WHEN p.prosupport = 0 THEN '' ELSE ' support ' || p.prosupport::regprocedure::text END
         || CASE WHEN p.protrftypes IS NULL THEN '' ELSE ' transform ' || p.protrftypes::regtype[]::text END
         || CASE WHEN p.proconfig IS NULL THEN '' ELSE ' set (' || ${shown('p.proconfig')} || ')' END
         || ', body ' || ${hashed(`coalesce(CASE WHEN p.prosqlbody IS NULL THEN p.prosrc || coalesce(p.probin, '')
                                         ELSE pg_catalog.pg_get_function_sqlbody(p.oid) END, '?')`)}
         || coalesce((
              SELECT ', ' || pg_catalog.concat_ws(' ', g.aggkind, ${routines(
                'aggtransfn',
                'aggfinalfn',
                'aggcombinefn',
                'aggserialfn',
                'aggdeserialfn',
                'aggmtransfn',
                'aggminvtransfn',
                'aggmfinalfn',
              )}, 'state', g.aggtranstype::regtype, g.aggtransspace,
                g.agginitval, g.aggfinalextra, g.aggfinalmodify, 'moving', g.aggmtranstype::regtype, g.aggmtransspace, g.aggminitval,
                g.aggmfinalextra, g.aggmfinalmodify, 'sort', g.aggsortop::regoperator)
              FROM pg_catalog.pg_aggregate AS g WHERE g.aggfnoid = p.oid), '')
  FROM pg_catalog.pg_proc AS p JOIN schemas AS s ON s.oid = p.pronamespace
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_function_arguments(p.oid) AS text OFFSET 0) AS args
  WHERE ${ROUTINE}`;

export const CODE_LINES: readonly Kind[] = [
  { in: `pg_catalog.pg_rewrite WHERE oid >= ${FIRST_OID}`, lines: VIEWS },
  { in: `pg_catalog.pg_proc WHERE oid >= ${FIRST_OID}`, lines: ROUTINES },
];
