// The privileges that a run needs, asked for before anything happens: each that is missing has its statement.
import pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Script } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import { schemasOfNew } from './declared.ts';
import { foresee } from './foresee.ts';

/** The part of a run that needs more than the version table and the history. */
export interface Needs {
  /** Tables that the steps lock, as the headers have them: the user must own them. */
  readonly locks: readonly string[];
  /** Tables that the steps move to another schema. */
  readonly retires: readonly string[];
  /** The steps, whose statements show more. Default: none. */
  readonly scripts?: readonly Script[];
}

/** The schemas and tables that exist, and the user's rights on them; null for an object that does not exist. */
interface Found {
  readonly user: string;
  readonly database: string;
  readonly mayCreateSchema: boolean;
  readonly hasPublic: boolean;
  readonly mayUsePublic: boolean | null;
  readonly mayCreateInPublic: boolean | null;
  readonly mayWriteVersion: boolean | null;
  readonly hasBackstop: boolean;
  readonly mayUseBackstop: boolean | null;
  readonly mayCreateInBackstop: boolean | null;
  readonly mayWriteHistory: boolean | null;
  readonly mayWriteFingerprints: boolean | null;
  readonly mayWriteRecord: boolean | null;
}

/** By the names in the catalogue: to_regclass fails if a schema may not be used. */
const FOUND = `
  WITH schemas AS (SELECT (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public') AS public,
                          (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'backstop') AS backstop),
       tables AS (SELECT (SELECT oid FROM pg_catalog.pg_class
                          WHERE relnamespace = schemas.public AND relname = 'alembic_version') AS version,
                         (SELECT oid FROM pg_catalog.pg_class
                          WHERE relnamespace = schemas.backstop AND relname = 'history') AS history,
                         (SELECT oid FROM pg_catalog.pg_class
                          WHERE relnamespace = schemas.backstop AND relname = 'fingerprints') AS fingerprints,
                         (SELECT oid FROM pg_catalog.pg_class
                          WHERE relnamespace = schemas.backstop AND relname = 'retired') AS retired
                  FROM schemas)
  SELECT current_user AS "user", pg_catalog.current_database() AS database,
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS "mayCreateSchema",
         public IS NOT NULL AS "hasPublic",
         pg_catalog.has_schema_privilege(public, 'USAGE') AS "mayUsePublic",
         pg_catalog.has_schema_privilege(public, 'CREATE') AS "mayCreateInPublic",
         pg_catalog.has_table_privilege(version, 'SELECT') AND pg_catalog.has_table_privilege(version, 'INSERT')
           AND pg_catalog.has_table_privilege(version, 'UPDATE')
           AND pg_catalog.has_table_privilege(version, 'DELETE') AS "mayWriteVersion",
         backstop IS NOT NULL AS "hasBackstop",
         pg_catalog.has_schema_privilege(backstop, 'USAGE') AS "mayUseBackstop",
         pg_catalog.has_schema_privilege(backstop, 'CREATE') AS "mayCreateInBackstop",
         pg_catalog.has_table_privilege(history, 'SELECT')
           AND pg_catalog.has_table_privilege(history, 'INSERT') AS "mayWriteHistory",
         pg_catalog.has_table_privilege(fingerprints, 'SELECT')
           AND pg_catalog.has_table_privilege(fingerprints, 'INSERT') AS "mayWriteFingerprints",
         pg_catalog.has_table_privilege(retired, 'SELECT') AND pg_catalog.has_table_privilege(retired, 'INSERT')
           AND pg_catalog.has_table_privilege(retired, 'UPDATE')
           AND pg_catalog.has_table_privilege(retired, 'DELETE') AS "mayWriteRecord"
  FROM schemas, tables`;

/** A table that belongs to another role than the user is, or is a member of. */
interface Foreign {
  readonly table: string;
  readonly schema: string;
  readonly owner: string;
  readonly isSuperuser: boolean;
  readonly mayUse: boolean;
  /** The owner is a member of the user, who therefore cannot become a member of the owner. */
  readonly isMember: boolean;
}

const FOREIGN = `
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS table, n.nspname AS schema, o.rolname AS owner,
         o.rolsuper AS "isSuperuser", pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS "mayUse",
         pg_catalog.pg_has_role(o.oid, current_user::regrole, 'MEMBER') AS "isMember"
  FROM (SELECT c.oid
        FROM (SELECT pg_catalog.parse_ident(name, false) AS parts FROM pg_catalog.unnest($1::text[]) AS name) AS wanted
        JOIN pg_catalog.pg_namespace AS n ON n.nspname = parts[1]
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = parts[2] AND c.relkind IN ('r', 'p')
        UNION SELECT pg_catalog.unnest($2::oid[])) AS wanted
  JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
  WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
  ORDER BY 1`;

/** Statements that grant the other rights that the steps need: to create in a schema, to read a table, to write to it. */
const GRANTS = `
  SELECT pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I;', nspname, current_user) AS sql
  FROM pg_catalog.pg_namespace
  WHERE nspname = ANY ($1::text[]) AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE')
  UNION
  SELECT pg_catalog.format('GRANT %s ON %I.%I TO %I;', missing, n.nspname, c.relname, current_user)
  FROM (SELECT pg_catalog.unnest($2::oid[]) AS oid, 'SELECT' AS missing
        UNION SELECT pg_catalog.unnest($3::oid[]), 'SELECT, INSERT, UPDATE, DELETE') AS needed
  JOIN pg_catalog.pg_class AS c ON c.oid = needed.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT (pg_catalog.has_any_column_privilege(c.oid, pg_catalog.replace(missing, ', DELETE', ''))
             OR missing <> 'SELECT' AND pg_catalog.has_table_privilege(c.oid, 'DELETE'))
  ORDER BY 1`;

/**
 * Requires what a run needs: to write the version and the history, or to make them, and to alter the tables that its
 * headers name. Nothing is required for an object that is there already, besides to use it.
 *
 * @throws PrivilegeMissing with the statements that grant it
 */
export async function requirePrivileges(
  queries: Queries,
  { locks, retires, scripts = [] }: Needs,
): Promise<void> {
  const { rows } = await queries.query<Found>(FOUND);
  const found = rows[0] as Found;
  const shown = await readShown(queries, scripts);
  const { rows: foreign } = await queries.query<Foreign>(FOREIGN, [[...locks, ...retires], shown.owned]);
  const user = pg.escapeIdentifier(found.user);
  const missing = [
    ...forVersion(found, user),
    ...forHistory(found, user),
    ...(scripts.some(({ isRetiring }) => isRetiring) ? forRetiring(found, user) : []),
    ...((retires.length > 0 || shown.makesSchema) && !found.mayCreateSchema
      ? [createSchema(found, user)]
      : []),
    ...foreign.flatMap((table) => toOwn(table, user)),
    ...shown.grants,
  ];
  if (missing.length === 0) return;
  throw new BackstopError('PrivilegeMissing', {
    message: found.hasPublic
      ? `User "${found.user}" lacks a privilege that the run needs`
      : 'The database has no schema public, which holds the version table',
    detail: 'Nothing was changed.',
    hint: `As a user who may grant it: ${[...new Set(missing)].join(' ')}`,
  });
}

/** The needs that the statements show: tables that the user must own, by their oids, and the grants that are missing. */
interface Shown {
  readonly owned: readonly string[];
  readonly makesSchema: boolean;
  readonly grants: readonly string[];
}

async function readShown(queries: Queries, scripts: readonly Script[]): Promise<Shown> {
  const effects = effectsIn(scripts) ?? [];
  const foreseen = (await foresee(queries, effects)).filter(({ isNamed }) => isNamed);
  const oidsOf = (mode: string) => foreseen.filter((lock) => lock.mode === mode).map(({ oid }) => oid);
  const { rows } = await queries.query<{ sql: string }>(GRANTS, [
    schemasOfNew(effects),
    oidsOf('AccessShareLock'),
    oidsOf('RowExclusiveLock'),
  ]);
  const statements = scripts.flatMap(({ steps }) => steps.flatMap((step) => step.statements ?? []));
  return {
    owned: foreseen.filter(({ isOwned }) => isOwned).map(({ oid }) => oid),
    makesSchema:
      statements.some(({ kind }) => kind === 'CreateSchemaStmt') ||
      effects.some((effect) => 'retires' in effect && effect.retires === 'table'),
    grants: rows.map(({ sql }) => sql),
  };
}

function forVersion(found: Found, user: string): string[] {
  if (!found.hasPublic) return [`CREATE SCHEMA public; GRANT USAGE, CREATE ON SCHEMA public TO ${user};`];
  const mayCreate = found.mayWriteVersion !== null || found.mayCreateInPublic;
  return [
    ...(found.mayUsePublic ? [] : [`GRANT USAGE ON SCHEMA public TO ${user};`]),
    ...(mayCreate ? [] : [`GRANT CREATE ON SCHEMA public TO ${user};`]),
    ...(found.mayWriteVersion === false
      ? [`GRANT SELECT, INSERT, UPDATE, DELETE ON public.alembic_version TO ${user};`]
      : []),
  ];
}

function forHistory(found: Found, user: string): string[] {
  if (!found.hasBackstop) return found.mayCreateSchema ? [] : [createSchema(found, user)];
  const tables = { history: found.mayWriteHistory, fingerprints: found.mayWriteFingerprints };
  const mayCreate = !Object.values(tables).includes(null) || found.mayCreateInBackstop;
  return [
    ...(found.mayUseBackstop ? [] : [`GRANT USAGE ON SCHEMA backstop TO ${user};`]),
    ...(mayCreate ? [] : [`GRANT CREATE ON SCHEMA backstop TO ${user};`]),
    ...Object.entries(tables).flatMap(([table, mayWrite]) =>
      mayWrite === false ? [`GRANT SELECT, INSERT ON backstop.${table} TO ${user};`] : [],
    ),
  ];
}

/** Its functions are made in the schema by each run. */
function forRetiring(found: Found, user: string): string[] {
  return [
    ...(found.mayCreateInBackstop === false ? [`GRANT CREATE ON SCHEMA backstop TO ${user};`] : []),
    ...(found.mayWriteRecord === false
      ? [`GRANT SELECT, INSERT, UPDATE, DELETE ON backstop.retired TO ${user};`]
      : []),
  ];
}

function createSchema({ database }: Found, user: string): string {
  return `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(database)} TO ${user};`;
}

/** Only an owner may alter a table, and no privilege stands for it; a member of the owner may, too. */
function toOwn({ table, schema, owner, isSuperuser, isMember, mayUse }: Foreign, user: string): string[] {
  return [
    ...(mayUse ? [] : [`GRANT USAGE ON SCHEMA ${pg.escapeIdentifier(schema)} TO ${user};`]),
    isSuperuser || isMember
      ? `ALTER TABLE ${table} OWNER TO ${user};`
      : `GRANT ${pg.escapeIdentifier(owner)} TO ${user};`,
  ];
}
