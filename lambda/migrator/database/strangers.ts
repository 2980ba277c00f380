// Overloads of others, which a statement of a revision could call in place of the object that it means (CVE-2018-1058).
//
// An overload whose argument types fit exactly wins from any schema of the search path, over those of pg_catalog too.
import { BackstopError } from '../model/errors.ts';
import { mergePaths, openSchemas } from '../revisions/search-path.ts';
import type { Queries } from '../session/client.ts';
import { FIRST_OID } from './first-oid.ts';
import { trust } from './trust.ts';

/** How many a message names. */
const NAMED = 3;

interface Stranger {
  readonly object: string;
  readonly owner: string;
  readonly remedy: string;
}

/**
 * A row of {@link Stranger} for each object of a role that is not trusted, in these schemas, that has the name of a
 * function, an operator or a type of pg_catalog, of a trusted role in these schemas, or of a function that the run makes; for each function of
 * a whole row, which is called like a column; and for each implicit cast of such a role.
 *
 * @param known the tables of {@link trust}, `schemas` the names of schemas, and `made` the names of the functions that the run
 *   makes, as expressions of type `text[]`
 */
export function strangersIn(known: string, schemas: string, made: string): string {
  return `
  WITH RECURSIVE ${trust(known)},
  path (oid) AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY (${schemas})),
  meant (oid) AS (SELECT oid FROM path UNION SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog'),
  -- The roles whose objects a revision may mean.
  authors (role) AS (SELECT role FROM trusted UNION SELECT role FROM kin),
  strangers (class, oid, owner) AS (
    SELECT 'pg_catalog.pg_proc'::regclass::oid, p.oid, p.proowner FROM pg_catalog.pg_proc AS p
    WHERE p.pronamespace IN (SELECT oid FROM path) AND p.proowner NOT IN (SELECT role FROM trusted)
      AND (EXISTS (SELECT FROM pg_catalog.pg_proc AS m
                   WHERE m.proname = p.proname AND m.pronamespace IN (SELECT oid FROM meant)
                     AND m.proowner <> p.proowner AND m.proowner IN (SELECT role FROM authors))
           OR p.proname = ANY (${made})
           OR p.pronargs = 1 AND EXISTS (SELECT FROM pg_catalog.pg_type AS t
                JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid WHERE t.oid = p.proargtypes[0]
                AND c.relkind <> 'c' AND c.relowner <> p.proowner AND c.relowner IN (SELECT role FROM authors)))
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::regclass, o.oid, o.oprowner FROM pg_catalog.pg_operator AS o
    WHERE o.oprnamespace IN (SELECT oid FROM path) AND o.oprowner NOT IN (SELECT role FROM trusted)
      AND EXISTS (SELECT FROM pg_catalog.pg_operator AS m
                  WHERE m.oprname = o.oprname AND m.oprnamespace IN (SELECT oid FROM meant)
                    AND m.oprowner <> o.oprowner AND m.oprowner IN (SELECT role FROM authors))
    UNION ALL
    -- The row type of a table is no type that anybody names.
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typowner FROM pg_catalog.pg_type AS t
    WHERE t.typnamespace IN (SELECT oid FROM path) AND t.typowner NOT IN (SELECT role FROM trusted)
      AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid)
      AND EXISTS (SELECT FROM pg_catalog.pg_type AS m
                  WHERE m.typname = t.typname AND m.typnamespace IN (SELECT oid FROM meant)
                    AND m.typowner <> t.typowner AND m.typowner IN (SELECT role FROM authors))
    UNION ALL
    -- A cast is in no schema. Its maker owns one of its types.
    SELECT 'pg_catalog.pg_cast'::regclass, k.oid, t.typowner
    FROM pg_catalog.pg_cast AS k JOIN pg_catalog.pg_type AS t ON t.oid IN (k.castsource, k.casttarget)
    WHERE k.castcontext <> 'e' AND t.typowner NOT IN (SELECT role FROM trusted))
  SELECT DISTINCT f.type || ' ' || pg_catalog.replace(f.identity, 'pg_catalog.', '') AS object, r.rolname AS owner,
         pg_catalog.format('DROP %s %s;', pg_catalog.upper(f.type), f.identity) AS remedy
  FROM strangers CROSS JOIN LATERAL pg_catalog.pg_identify_object(class, strangers.oid, 0) AS f
  JOIN pg_catalog.pg_roles AS r ON r.oid = owner
  ORDER BY 1`;
}

/** Whether other users than this one and superusers have anything in the schemas $1 that could be called, or a cast. */
const OTHERS = `
  WITH others AS (SELECT oid FROM pg_catalog.pg_roles WHERE NOT rolsuper AND rolname <> current_user),
       path AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text[]))
  SELECT EXISTS (SELECT FROM pg_catalog.pg_proc
                 WHERE pronamespace IN (SELECT oid FROM path) AND proowner IN (SELECT oid FROM others))
      OR EXISTS (SELECT FROM pg_catalog.pg_operator
                 WHERE oprnamespace IN (SELECT oid FROM path) AND oprowner IN (SELECT oid FROM others))
      OR EXISTS (SELECT FROM pg_catalog.pg_type
                 WHERE typnamespace IN (SELECT oid FROM path) AND typowner IN (SELECT oid FROM others))
      OR EXISTS (SELECT FROM pg_catalog.pg_cast AS k JOIN pg_catalog.pg_type AS t ON t.oid IN (k.castsource, k.casttarget)
                 WHERE k.oid >= ${FIRST_OID} AND t.typowner IN (SELECT oid FROM others)) AS others`;

/**
 * Requires that no stranger has put something into the search paths that SQL could call by mistake. Without a schema in
 * which others may create, nothing is asked.
 *
 * @param known tables by which the owner of the database's tables is known
 * @param paths the search paths, and `made` the names of the functions that the run makes
 * @throws StrangersOverload that names the objects
 */
export async function requireNoStrangers(
  queries: Queries,
  known: readonly string[],
  paths: readonly (readonly string[])[],
  made: readonly string[] = [],
): Promise<void> {
  const schemas = openSchemas(mergePaths(paths));
  if (schemas.length === 0) return;
  const { rows: seen } = await queries.query<{ others: boolean }>(OTHERS, [schemas]);
  if (seen[0]?.others === false) return;
  const { rows } = await queries.query<Stranger>(strangersIn('$1::text[]', '$2::text[]', '$3::text[]'), [
    known,
    schemas,
    made,
  ]);
  if (rows.length === 0) return;
  throw strangersOverload(rows);
}

function strangersOverload(rows: readonly Stranger[]): BackstopError {
  const named = rows.slice(0, NAMED);
  const more = rows.length - named.length;
  const list = `${named.map(({ object, owner }) => `${object} of ${owner}`).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return new BackstopError('StrangersOverload', {
    message: `The search path of the revisions leads to objects of others, which could run in place of PostgreSQL's own: ${list}`,
    detail: 'Nothing of them has run, and nothing was changed.',
    hint: `If they are not needed: ${named.map(({ remedy }) => remedy).join(' ')} Otherwise name every object with its schema, and write "-- Search path: pg_catalog, pg_temp" in the header of upgrade.sql.`,
  });
}
