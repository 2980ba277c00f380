// Backstop's own objects, known by owner, kind and shape: one of the same name that a stranger has made is refused.
import { BackstopError } from '../model/errors.ts';
import type { Queries } from '../session/client.ts';
import { FUNCTION_NAMES } from './retiring/functions.ts';
import { RETIRED_COLUMNS } from './retiring/record.ts';
import { knownTables, type Telling, trust } from './trust.ts';

/** The columns of the history, with their types as the server writes them. */
export const HISTORY_COLUMNS = {
  id: 'bigint',
  run_id: 'uuid',
  execution_arn: 'text',
  database_user: 'text',
  direction: 'text',
  from_revision: 'text',
  to_revision: 'text',
  started_at: 'timestamp with time zone',
  duration_ms: 'double precision',
  outcome: 'text',
  checksums: 'jsonb',
  report: 'jsonb',
} as const;

/** Tables of the schema → their columns, likewise. */
const COLUMNS = {
  history: HISTORY_COLUMNS,
  fingerprints: { hash: 'text', lines: 'text' },
  retired: RETIRED_COLUMNS,
} as const;

const TABLES = Object.keys(COLUMNS);

/** The objects to look at, and the tables by which the owner of the database's tables is known. */
export interface Own {
  readonly known: readonly string[];
  /** Schemas of the retired objects of the chain's revisions. */
  readonly schemas: readonly string[];
}

/** The names are as many as the revisions that retire something. */
export function ownObjects(database: Telling): Own {
  const retiring = database.chain.revisions.filter(({ finalize }) => finalize);
  return { known: knownTables(database), schemas: retiring.map(({ id }) => `retired_${id}`) };
}

/** An object that is not Backstop's: the sentence's first words, what is wrong with it, and the SQL that mends it. */
interface Fault {
  readonly object: string;
  readonly fault: string;
  readonly remedy: string;
}

const strings = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');

/**
 * A row of {@link Fault} for each fault, the first one first: an owner comes before a shape.
 *
 * @param known the tables of {@link trust}, and `schemas` the names of schemas, as expressions of type `text[]`
 */
export function faultsOf(known: string, schemas: string): string {
  return `
  WITH RECURSIVE ${trust(known)},
  found (place, class, kind, oid, name, owner, acl) AS (
    SELECT 1, 'schema', 'schema', n.oid, pg_catalog.quote_ident(nspname), nspowner, nspacl FROM pg_catalog.pg_namespace AS n
    WHERE nspname = 'backstop' OR nspname = ANY (${schemas})
    UNION ALL
    SELECT 2, CASE relkind WHEN 'c' THEN 'type' ELSE 'table' END,
           CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'i' THEN 'index'
                        WHEN 'S' THEN 'sequence' WHEN 'p' THEN 'partitioned table' WHEN 'c' THEN 'type' ELSE 'table' END,
           c.oid, n.nspname || '.' || c.relname, c.relowner, c.relacl
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'backstop' AND c.relname IN (${strings(TABLES)}) OR n.nspname = 'public' AND c.relname = 'alembic_version'),
  tables AS (SELECT * FROM found WHERE place = 2),
  known (relation, name, type) AS (
    SELECT 'backstop.' || t.key, c.* FROM pg_catalog.jsonb_each('${JSON.stringify(COLUMNS)}') AS t
    CROSS JOIN LATERAL pg_catalog.jsonb_each_text(t.value) AS c),
  columns AS (
    SELECT t.name AS relation, a.attname, pg_catalog.format_type(a.atttypid, -1) AS type, a.attnotnull, a.attidentity, a.attgenerated,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS value
    FROM tables AS t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum),
  misshapen (relation, fault) AS (
    SELECT t.name, 'is no ordinary table'
    FROM tables AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
    WHERE c.relkind <> 'r' OR c.relpersistence <> 'p' OR c.reloftype <> 0
       OR EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE c.oid IN (i.inhparent, i.inhrelid))
    UNION ALL
    SELECT relation, 'has a column "' || attname || '" that Backstop does not know' FROM columns
    WHERE relation = 'public.alembic_version'
      AND (attname <> 'version_num' OR columns.type NOT IN ('character varying', 'text', 'character') OR value IS NOT NULL)
    UNION ALL
    SELECT c.relation, 'has a column "' || attname || '" that Backstop does not know'
    FROM columns AS c LEFT JOIN known AS k ON k.relation = c.relation AND k.name = attname
    WHERE c.relation <> 'public.alembic_version' AND NOT coalesce(
      CASE WHEN k.name IS NULL THEN NOT attnotnull AND attidentity = '' AND value IS NULL
           ELSE c.type = k.type AND attgenerated = '' AND (attidentity <> '') = (attname = 'id')
                AND (value IS NULL OR value = 'SESSION_USER' AND attname = 'database_user') END, false)
    UNION ALL
    SELECT k.relation, 'has no column "' || k.name || '"' FROM known AS k JOIN tables AS t ON t.name = k.relation
    WHERE NOT EXISTS (SELECT FROM columns AS c WHERE c.relation = k.relation AND c.attname = k.name)
    UNION ALL
    SELECT t.name, 'has the constraint "' || n.conname || '"'
    FROM tables AS t JOIN pg_catalog.pg_constraint AS n ON n.conrelid = t.oid WHERE n.contype NOT IN ('p', 'u', 'n')
    UNION ALL
    SELECT t.name, 'has an index of an expression'
    FROM tables AS t JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid
    WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
    UNION ALL
    SELECT t.name, 'has row-level security' FROM tables AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
    WHERE c.relrowsecurity)
  SELECT object, fault, remedy FROM (
    SELECT place, 1 AS rank, kind || ' ' || name AS object,
           pg_catalog.format('belongs to %I, who is neither this user nor the owner of the tables', r.rolname) AS fault,
           pg_catalog.format('If it is not Backstop''s: ALTER %s %s RENAME TO %s; if it is: ALTER %1$s %2$s OWNER TO %4$I;',
             pg_catalog.upper(class), name,
             pg_catalog.quote_ident(pg_catalog.concat((pg_catalog.parse_ident(name))[pg_catalog.cardinality(pg_catalog.parse_ident(name))], '_of_others')),
             coalesce((SELECT rolname FROM pg_catalog.pg_roles WHERE oid IN (SELECT role FROM owner)), current_user)) AS remedy
    FROM found JOIN pg_catalog.pg_roles AS r ON r.oid = owner WHERE owner NOT IN (SELECT role FROM ours)
    UNION ALL
    SELECT 3, 1, 'function ' || p.oid::regprocedure, pg_catalog.format('belongs to %I, who is neither this user nor the owner of the tables', r.rolname),
           pg_catalog.format('DROP FUNCTION %s;', p.oid::regprocedure)
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
    WHERE n.nspname = 'backstop' AND p.proname IN (${strings(FUNCTION_NAMES)}) AND p.proowner NOT IN (SELECT role FROM ours)
    UNION ALL
    SELECT 2, 2, kind || ' ' || relation, fault,
           pg_catalog.format('ALTER %s %s RENAME TO %s_of_others;', pg_catalog.upper(class), relation, pg_catalog.split_part(relation, '.', 2))
    FROM misshapen JOIN tables ON name = relation
    UNION ALL
    SELECT 2, 3, kind || ' ' || t.name, pg_catalog.format('has the trigger %I, whose function belongs to %I', g.tgname, r.rolname),
           pg_catalog.format('DROP TRIGGER %I ON %s;', g.tgname, t.name)
    FROM tables AS t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')
    JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
    WHERE p.proowner NOT IN (SELECT role FROM trusted)
    UNION ALL
    SELECT 2, 3, kind || ' ' || t.name, pg_catalog.format('has the rule %I', w.rulename),
           pg_catalog.format('DROP RULE %I ON %s;', w.rulename, t.name)
    FROM tables AS t JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = t.oid AND w.ev_enabled IN ('O', 'A')
    UNION ALL
    SELECT place, 4, kind || ' ' || name, CASE class WHEN 'schema' THEN 'lets everybody create in it' ELSE 'lets everybody write to it' END,
           pg_catalog.format('REVOKE ALL ON %s %s FROM PUBLIC;', class, name)
    FROM found WHERE name <> 'public.alembic_version' AND EXISTS (
      SELECT FROM pg_catalog.aclexplode(acl) AS a
      WHERE a.grantee = 0 AND a.privilege_type IN (${strings(['CREATE', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'])}))
  ) AS all_faults ORDER BY rank, place, object, fault`;
}

/** The columns as {@link UNUSUAL} compares them. */
const usual = (columns: Readonly<Record<string, string>>) =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type} ${name === 'database_user' ? 'SESSION_USER' : ''}`)
    .join(',');

const USUAL = Object.entries(COLUMNS)
  .map(([table, columns]) => `WHEN '${table}' THEN '${usual(columns)}'`)
  .join(' ');

/**
 * Whether one of the objects is anything else than this user has made it, or just another user's. The server plans this in a
 * tenth of the time that the whole question takes. $1 are the names of the schemas.
 */
const UNUSUAL = `
  SELECT EXISTS (
    SELECT FROM pg_catalog.pg_namespace
    WHERE (nspname = 'backstop' OR nspname = ANY ($1::text[])) AND (nspowner <> current_user::regrole OR nspacl IS NOT NULL)
  ) OR EXISTS (
    SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname IN (${strings([...TABLES, 'alembic_version'])})
      AND n.nspname = CASE c.relname WHEN 'alembic_version' THEN 'public' ELSE 'backstop' END
      AND NOT (c.relowner = current_user::regrole AND c.relkind = 'r' AND c.relpersistence = 'p' AND c.reloftype = 0
        AND c.relchecks = 0
        AND NOT (c.relhasrules OR c.relhastriggers OR c.relrowsecurity OR c.relhassubclass OR c.relispartition)
        AND (c.relacl IS NULL OR c.relname = 'alembic_version')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                        WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS x WHERE x.conrelid = c.oid AND x.contype NOT IN ('p', 'u', 'n'))
        AND CASE c.relname ${USUAL} ELSE 'version_num character varying ' END IS NOT DISTINCT FROM (
          SELECT pg_catalog.string_agg(pg_catalog.concat(a.attname, ' ', pg_catalog.format_type(a.atttypid, -1), ' ',
                                         pg_catalog.pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
          LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
  ) OR EXISTS (
    SELECT FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = 'backstop' AND p.proname IN (${strings(FUNCTION_NAMES)}) AND p.proowner <> current_user::regrole
  ) AS unusual`;

/**
 * Requires that what has the name of an object of Backstop's is one: the schema, the history and the fingerprints, the version
 * table, the schemas of retired objects. An object that is not there is none.
 *
 * @throws StrangersObject
 */
export async function requireOurs(queries: Queries, { known, schemas }: Own): Promise<void> {
  const { rows: seen } = await queries.query<{ unusual: boolean }>(UNUSUAL, [schemas]);
  if (seen[0]?.unusual === false) return;
  const { rows } = await queries.query<Fault>(faultsOf('$1::text[]', '$2::text[]'), [known, schemas]);
  const [first] = rows;
  if (first === undefined) return;
  // The first fault of an object is the reason for its others.
  const others = rows
    .filter(({ object }, index) => rows.findIndex((row) => row.object === object) === index)
    .slice(1);
  throw new BackstopError('StrangersObject', {
    message: `The ${first.object} ${first.fault}`,
    detail: [
      'Backstop has an object of that name. Nothing of this one was used, and nothing was changed.',
      ...others.map(({ object, fault }) => `Likewise the ${object} ${fault}.`),
    ].join(' '),
    hint: first.remedy,
  });
}
