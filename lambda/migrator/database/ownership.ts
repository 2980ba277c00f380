// Ownership and privileges of new objects: they are the owner's of the database's tables, and closed to others.
//
// So every runner that may migrate may also go back: the owner, each member of it, both users of an alternating secret.
import type { Queries } from '../session/client.ts';
import { FIRST_OID } from './first-oid.ts';
import { trust } from './trust.ts';

/** The role that gets what a run makes. */
export interface Heir {
  /** The role, quoted as SQL; undefined if this user keeps what it makes. */
  readonly role: string | undefined;
  /** Oids of the objects that this user owned before; empty without a role. */
  readonly before: readonly string[];
}

/**
 * All objects of this user that can be given away: class, oid and schema. A sequence of a column goes with its table, as a
 * type of a table does; an extension keeps its objects.
 */
const OBJECTS = `
  objects (class, oid, schema) AS (
    SELECT * FROM (
      SELECT 'pg_catalog.pg_namespace'::regclass::oid, oid, oid, nspowner FROM pg_catalog.pg_namespace
      UNION ALL
      SELECT 'pg_catalog.pg_class'::regclass, c.oid, relnamespace, relowner FROM pg_catalog.pg_class AS c
      WHERE relkind IN ('r', 'p', 'v', 'm', 'f') OR relkind = 'S' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i'))
      UNION ALL
      SELECT 'pg_catalog.pg_type'::regclass, t.oid, typnamespace, typowner FROM pg_catalog.pg_type AS t
      -- From PostgreSQL 17 on, a multirange type goes with its range, and cannot be given away by itself.
      WHERE typtype IN ('d', 'e', 'r') OR typtype = 'm' AND pg_catalog.current_setting('server_version_num')::int < 170000
         OR typtype = 'c' AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = typrelid AND c.relkind = 'c')
      UNION ALL
      SELECT 'pg_catalog.pg_proc'::regclass, oid, pronamespace, proowner FROM pg_catalog.pg_proc
      UNION ALL
      SELECT 'pg_catalog.pg_operator'::regclass, oid, oprnamespace, oprowner FROM pg_catalog.pg_operator
      UNION ALL
      SELECT 'pg_catalog.pg_collation'::regclass, oid, collnamespace, collowner FROM pg_catalog.pg_collation
      UNION ALL
      SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, stxnamespace, stxowner FROM pg_catalog.pg_statistic_ext
      UNION ALL
      SELECT 'pg_catalog.pg_ts_config'::regclass, oid, cfgnamespace, cfgowner FROM pg_catalog.pg_ts_config
      UNION ALL
      SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, dictnamespace, dictowner FROM pg_catalog.pg_ts_dict
    ) AS owned (class, oid, schema, owner)
    WHERE owner = current_user::regrole AND oid >= ${FIRST_OID} AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = class AND d.objid = owned.oid AND d.deptype = 'e')
      AND schema NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname ~ '^pg_')
  )`;

/** Whether this user owns all the known tables; without a table, whether it owns the database or is a superuser. */
const KEEPS = `
  SELECT coalesce(pg_catalog.bool_and(c.relowner = current_user::regrole), (
           SELECT r.rolsuper OR EXISTS (
             SELECT FROM pg_catalog.pg_database AS d
             WHERE d.datname = pg_catalog.current_database() AND d.datdba = r.oid)
           FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)) AS keeps
  FROM pg_catalog.unnest($1::text[]) AS k (name)
  CROSS JOIN LATERAL pg_catalog.parse_ident(k.name) AS parts
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = parts[1]
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = parts[2] AND c.relkind IN ('r', 'p')`;

/**
 * Finds the heir: the owner of the tables; in a database without tables the role that lets this user create: the owner of
 * the database, or who was granted CREATE. A superuser keeps what he makes there.
 */
export async function findHeir(queries: Queries, known: readonly string[]): Promise<Heir> {
  const { rows: owning } = await queries.query<{ keeps: boolean }>(KEEPS, [known]);
  if (owning[0]?.keeps) return { role: undefined, before: [] };
  const { rows } = await queries.query<{ role: string }>(
    `WITH RECURSIVE ${trust('$1::text[]')},
     database AS (SELECT datdba, datacl FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
     creator (role) AS (
       SELECT datdba FROM database
       UNION ALL
       (SELECT a.grantee FROM database, pg_catalog.aclexplode(datacl) AS a
        WHERE a.privilege_type = 'CREATE' ORDER BY a.grantee <> current_user::regrole)),
     heir (role) AS (
       SELECT coalesce((SELECT role FROM owner),
                       (SELECT c.role FROM creator AS c WHERE c.role IN (SELECT role FROM above) LIMIT 1)))
     SELECT pg_catalog.quote_ident(r.rolname) AS role
     FROM heir JOIN pg_catalog.pg_roles AS r ON r.oid = heir.role
     JOIN pg_catalog.pg_roles AS mine ON mine.rolname = current_user
     WHERE r.oid <> mine.oid AND CASE WHEN mine.rolsuper THEN EXISTS (SELECT FROM owner) ELSE
       pg_catalog.pg_has_role(r.oid, CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
                                          THEN 'SET' ELSE 'MEMBER' END) END`,
    [known],
  );
  const role = rows[0]?.role;
  return { role, before: role === undefined ? [] : await readObjects(queries) };
}

async function readObjects(queries: Queries): Promise<string[]> {
  const { rows } = await queries.query<{ oid: string }>(
    `WITH ${OBJECTS} SELECT oid::text AS oid FROM objects`,
  );
  return rows.map(({ oid }) => oid);
}

/** Backstop's own objects, which are given away even if an earlier run made them. */
const OWN = `
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'backstop'
  UNION ALL
  SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = 'backstop' AND c.relname IN ('history', 'fingerprints', 'retired') OR n.nspname = 'public' AND c.relname = 'alembic_version'`;

/**
 * Gives Backstop's own objects of this user to the heir, and, unless `before` is undefined, all that is not in it. An
 * object stays with this user if the heir may not own it in its schema.
 */
export async function handOver(
  queries: Queries,
  { role, before }: Pick<Heir, 'role'> & { readonly before?: readonly string[] | undefined },
): Promise<void> {
  if (role === undefined) return;
  const given = before === undefined ? `oid IN (${OWN})` : 'oid <> ALL ($2::oid[])';
  const { rows } = await queries.query<{ sql: string }>(
    `WITH ${OBJECTS},
     given AS (SELECT * FROM objects WHERE ${given}),
     heir AS (SELECT $1::regrole::oid AS oid)
     SELECT pg_catalog.format('ALTER %s %s OWNER TO %s;',
              pg_catalog.upper(pg_catalog.replace(f.type, ' object', '')), f.identity, $1) AS sql
     FROM given CROSS JOIN heir CROSS JOIN LATERAL pg_catalog.pg_identify_object(class, given.oid, 0) AS f
     JOIN pg_catalog.pg_roles AS mine ON mine.rolname = current_user
     WHERE CASE WHEN mine.rolsuper THEN true
                WHEN class = 'pg_catalog.pg_namespace'::regclass
                THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
                ELSE pg_catalog.has_schema_privilege(heir.oid, given.schema, 'CREATE')
                     OR given.schema IN (SELECT g.oid FROM given AS g) END
     ORDER BY class <> 'pg_catalog.pg_namespace'::regclass, f.identity`,
    before === undefined ? [role] : [role, before],
  );
  if (rows.length > 0) await queries.query(rows.map(({ sql }) => sql).join('\n'));
}

/**
 * Takes from others what default privileges have given them on objects that were just made. Another role keeps what a step
 * has granted it. So does the owner of a table in the schema: foreign keys of others are checked in its name.
 *
 * @param schemas and `tables` (with their schemas) by name; a sequence of a table's column is closed with it. Schemas that the
 *   open transaction has not made are left alone.
 */
export async function closeToOthers(
  queries: Queries,
  {
    schemas = [],
    tables = [],
  }: { readonly schemas?: readonly string[]; readonly tables?: readonly string[] },
): Promise<void> {
  if (schemas.length + tables.length === 0) return;
  const { rows } = await queries.query<{ sql: string }>(
    `SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s;', class, name,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END) AS sql
     FROM (SELECT 'SCHEMA', pg_catalog.quote_ident(nspname), nspowner, nspacl, oid FROM pg_catalog.pg_namespace
           WHERE nspname = ANY ($1::text[]) AND pg_catalog.age(xmin) <= 0
           UNION ALL
           SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                  pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner, c.relacl, NULL
           FROM pg_catalog.unnest($2::text[]) AS t (name)
           CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(t.name)::oid AS oid) AS made
           JOIN pg_catalog.pg_class AS c ON c.oid = made.oid OR c.relkind = 'S' AND EXISTS (
             SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid AND d.refobjid = made.oid AND d.deptype IN ('a', 'i'))
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          ) AS made (class, name, owner, acl, schema)
     CROSS JOIN LATERAL pg_catalog.aclexplode(acl) AS a
     WHERE a.grantee <> owner AND EXISTS (
       SELECT FROM pg_catalog.pg_default_acl AS d CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS given
       WHERE d.defaclrole = made.owner AND given.grantee = a.grantee
         AND d.defaclobjtype = CASE class WHEN 'SCHEMA' THEN 'n' WHEN 'SEQUENCE' THEN 'S' ELSE 'r' END)
     AND NOT EXISTS (
       SELECT FROM pg_catalog.pg_class AS own WHERE own.relnamespace = made.schema AND own.relowner = a.grantee)`,
    [schemas, tables],
  );
  if (rows.length > 0) await queries.query(rows.map(({ sql }) => sql).join('\n'));
}
