// A schema as text, from the catalogue and by pg_dump: two texts are equal only if the schemas are.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type pg from 'pg';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';

/**
 * Everything that makes up a schema, one object a line, in one order and without oids. The objects of an
 * extension count as the extension's, not as the schema's.
 */
export async function dumpSchema(client: pg.Client, schema = 'public'): Promise<string> {
  const { rows: settings } = await client.query("SELECT current_setting('search_path') AS path");
  // Names are qualified wherever they are printed, whatever the session's own path is.
  await setSearchPath(client, '');
  const lines: string[] = [];
  for (const [kind, sql] of Object.entries(CATALOGUE)) {
    const { rows } = await client.query<Record<string, unknown>>(sql, [schema]);
    for (const row of rows) lines.push(`${kind} ${JSON.stringify(withoutEmpty(row))}\n`);
  }
  await setSearchPath(client, settings[0].path);
  return lines.join('');
}

async function setSearchPath(client: pg.Client, path: string): Promise<void> {
  await client.query("SELECT set_config('search_path', $1, false)", [path]);
}

function withoutEmpty(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).filter(([, value]) => value !== null && value !== false && value !== ''),
  );
}

/** Privileges in one order; before any GRANT, the default privileges of the owner. */
const privileges = (kind: string, acl: string, owner: string) => `(
  SELECT array_agg(item::text ORDER BY item::text COLLATE "C")
  FROM unnest(coalesce(${acl}, acldefault(${kind}, ${owner}))) AS item
)`;

/** True for what no extension brought. */
const own = (catalogue: string, oid: string) => `NOT EXISTS (
  SELECT FROM pg_depend
  WHERE classid = 'pg_catalog.${catalogue}'::regclass AND objid = ${oid} AND deptype = 'e'
)`;

const comment = (catalogue: string, oid: string) => `obj_description(${oid}, '${catalogue}') AS comment`;

/** Relations of the schema $1, as `relation`. */
const RELATIONS = `pg_class AS relation
  JOIN pg_namespace ON pg_namespace.oid = relation.relnamespace AND nspname = $1 AND ${own('pg_class', 'relation.oid')}`;

/** Kind of object → query that returns a row for each, sorted. */
const CATALOGUE: Readonly<Record<string, string>> = {
  schema: `
    SELECT nspname AS name, nspowner::regrole::text AS owner, ${privileges("'n'", 'nspacl', 'nspowner')} AS privileges,
      ${comment('pg_namespace', 'oid')}
    FROM pg_namespace WHERE nspname = $1`,

  // Objects without their own line below have at least their name here.
  member: `
    SELECT DISTINCT member.type, member.identity
    FROM pg_namespace
    JOIN pg_depend AS membership ON membership.refclassid = 'pg_namespace'::regclass AND membership.refobjid = pg_namespace.oid
    CROSS JOIN LATERAL pg_identify_object(membership.classid, membership.objid, 0) AS member
    WHERE nspname = $1 AND membership.deptype = 'n' AND member.type <> 'extension' AND NOT EXISTS (
      SELECT FROM pg_depend AS brought
      WHERE brought.classid = membership.classid AND brought.objid = membership.objid AND brought.deptype = 'e'
    )
    ORDER BY 1, 2`,

  extension: `
    SELECT extname AS name, extversion AS version
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE nspname = $1 ORDER BY 1`,

  default_privileges: `
    SELECT defaclrole::regrole::text AS role, defaclobjtype AS objects,
      ARRAY(SELECT item::text FROM unnest(defaclacl) AS item ORDER BY 1) AS privileges
    FROM pg_default_acl JOIN pg_namespace ON pg_namespace.oid = defaclnamespace WHERE nspname = $1 ORDER BY 1, 2`,

  relation: `
    SELECT relation.relname AS name, relation.relkind AS kind, relation.relpersistence AS persistence,
      relation.relowner::regrole::text AS owner,
      ${privileges(`(CASE relation.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char"`, 'relation.relacl', 'relation.relowner')} AS privileges,
      pg_am.amname AS access_method, spcname AS tablespace,
      (SELECT array_agg(item ORDER BY item) FROM unnest(relation.reloptions) AS item) AS options,
      toast.reloptions AS toast_options,
      relation.relrowsecurity AS row_security, relation.relforcerowsecurity AS force_row_security,
      relation.relreplident AS replica_identity,
      pg_get_partkeydef(relation.oid) AS partition_key, pg_get_expr(relation.relpartbound, relation.oid) AS partition_bound,
      (SELECT array_agg(inhparent::regclass::text ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = relation.oid) AS parents,
      nullif(relation.reloftype, 0)::regtype::text AS of_type,
      ${comment('pg_class', 'relation.oid')}
    FROM ${RELATIONS}
    LEFT JOIN pg_am ON pg_am.oid = relation.relam
    LEFT JOIN pg_tablespace ON pg_tablespace.oid = relation.reltablespace
    LEFT JOIN pg_class AS toast ON toast.oid = relation.reltoastrelid
    WHERE relation.relkind NOT IN ('i', 'I') ORDER BY 1`,

  // Numbered again, because a dropped column leaves an invisible gap.
  column: `
    SELECT relation.relname AS relation, row_number() OVER (PARTITION BY relation.oid ORDER BY attnum) AS position,
      attname AS name, format_type(atttypid, atttypmod) AS type,
      CASE WHEN attcollation <> typcollation THEN attcollation::regcollation::text END AS collation,
      attnotnull AS not_null, pg_get_expr(adbin, adrelid) AS default, attidentity AS identity, attgenerated AS generated,
      attstorage AS storage, attcompression AS compression, nullif(attstattarget, -1) AS statistics,
      attoptions AS options, NOT attislocal AS inherited,
      (SELECT array_agg(item::text ORDER BY item::text) FROM unnest(attacl) AS item) AS privileges,
      col_description(attrelid, attnum) AS comment
    FROM ${RELATIONS}
    JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relation.relkind NOT IN ('i', 'I', 'S') ORDER BY relation.relname, attnum`,

  // The definition says whether it is deferrable, inherited, enforced and validated.
  constraint: `
    SELECT coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) AS of, conname AS name,
      pg_get_constraintdef(pg_constraint.oid) AS definition, nullif(conindid, 0)::regclass::text AS index,
      NOT conislocal AS inherited, ${comment('pg_constraint', 'pg_constraint.oid')}
    FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace
    WHERE nspname = $1 AND ${own('pg_class', 'conrelid')} AND ${own('pg_type', 'contypid')} ORDER BY 1, 2`,

  index: `
    SELECT relation.relname AS name, pg_get_indexdef(indexrelid) AS definition, indisvalid AS valid, indisready AS ready,
      indisclustered AS clustered, indisreplident AS replica_identity,
      spcname AS tablespace,
      (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = indexrelid) AS parent,
      ${comment('pg_class', 'indexrelid')}
    FROM ${RELATIONS}
    JOIN pg_index ON indexrelid = relation.oid
    LEFT JOIN pg_tablespace ON pg_tablespace.oid = relation.reltablespace
    ORDER BY 1`,

  statistics: `
    SELECT stxname AS name, pg_get_statisticsobjdef(pg_statistic_ext.oid) AS definition, stxowner::regrole::text AS owner,
      nullif(stxstattarget, -1) AS target, ${comment('pg_statistic_ext', 'pg_statistic_ext.oid')}
    FROM pg_statistic_ext JOIN pg_namespace ON pg_namespace.oid = stxnamespace WHERE nspname = $1 ORDER BY 1`,

  sequence: `
    SELECT relation.relname AS name, seqtypid::regtype::text AS type, seqstart AS start, seqincrement AS increment,
      seqmin AS minimum, seqmax AS maximum, seqcache AS cache, seqcycle AS cycle,
      (SELECT format('%s.%s', refobjid::regclass, attname)
       FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
       WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype IN ('a', 'i')) AS owned_by
    FROM ${RELATIONS} JOIN pg_sequence ON seqrelid = relation.oid ORDER BY 1`,

  view: `
    SELECT relation.relname AS name, pg_get_viewdef(relation.oid) AS definition
    FROM ${RELATIONS} WHERE relation.relkind IN ('v', 'm') ORDER BY 1`,

  // Those of foreign keys are named by an oid: their constraint stands for it.
  trigger: `
    SELECT relation.relname AS on, coalesce(conname, tgname) AS name,
      CASE WHEN tgisinternal THEN tgfoid::regproc::text ELSE pg_get_triggerdef(pg_trigger.oid) END AS definition,
      tgenabled AS enabled, ${comment('pg_trigger', 'pg_trigger.oid')}
    FROM ${RELATIONS} JOIN pg_trigger ON tgrelid = relation.oid
    LEFT JOIN pg_constraint ON pg_constraint.oid = tgconstraint
    ORDER BY 1, 2, 3`,

  rule: `
    SELECT relation.relname AS on, rulename AS name, pg_get_ruledef(pg_rewrite.oid) AS definition, ev_enabled AS enabled,
      ${comment('pg_rewrite', 'pg_rewrite.oid')}
    FROM ${RELATIONS} JOIN pg_rewrite ON ev_class = relation.oid
    WHERE rulename <> '_RETURN' ORDER BY 1, 2`,

  policy: `
    SELECT relation.relname AS on, polname AS name, polcmd AS command, polpermissive AS permissive,
      ARRAY(SELECT CASE role WHEN 0 THEN 'public' ELSE role::regrole::text END FROM unnest(polroles) AS role ORDER BY 1) AS roles,
      pg_get_expr(polqual, polrelid) AS using, pg_get_expr(polwithcheck, polrelid) AS check,
      ${comment('pg_policy', 'pg_policy.oid')}
    FROM ${RELATIONS} JOIN pg_policy ON polrelid = relation.oid ORDER BY 1, 2`,

  function: `
    SELECT pg_proc.oid::regprocedure::text AS name, proowner::regrole::text AS owner,
      ${privileges("'f'", 'proacl', 'proowner')} AS privileges,
      CASE WHEN prokind <> 'a' THEN pg_get_functiondef(pg_proc.oid) END AS definition,
      aggtransfn AS transition, aggtranstype::regtype::text AS state, nullif(aggfinalfn, 0) AS final, agginitval AS initial,
      ${comment('pg_proc', 'pg_proc.oid')}
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    LEFT JOIN pg_aggregate ON aggfnoid = pg_proc.oid
    WHERE nspname = $1 AND ${own('pg_proc', 'pg_proc.oid')} ORDER BY 1`,

  // The row types of tables, and arrays, say nothing that is not said above.
  type: `
    SELECT typname AS name, typtype AS kind, typowner::regrole::text AS owner,
      ${privileges("'T'", 'typacl', 'typowner')} AS privileges,
      (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid) AS labels,
      CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END AS base, typnotnull AS not_null, typdefault AS default,
      nullif(typcollation, 0)::regcollation::text AS collation, rngsubtype::regtype::text AS range_of,
      typinput::text AS input, typstorage AS storage, ${comment('pg_type', 'pg_type.oid')}
    FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace
    LEFT JOIN pg_range ON rngtypid = pg_type.oid
    LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE nspname = $1 AND typcategory <> 'A' AND (typrelid = 0 OR relkind = 'c') AND ${own('pg_type', 'pg_type.oid')}
    ORDER BY 1`,
};

const run = promisify(execFile);

/**
 * Schema public as pg_dump writes it.
 *
 * @returns undefined if pg_dump is not on the path, or is older than the server
 */
export async function pgDump(settings: ConnectionSettings): Promise<string | undefined> {
  if ((await majorOfPgDump()) < (await majorOfServer(settings))) return undefined;
  const { host, port, database, user, password, tls } = settings;
  const { stdout } = await run('pg_dump', ['--schema-only', '--schema=public'], {
    env: {
      ...process.env,
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: user,
      PGPASSWORD: password,
      // The engine's own connections prove the certificate; this one reads a test's database.
      PGSSLMODE: tls.mode === 'off' ? 'disable' : 'require',
    },
  });
  // The key of these two lines is drawn by lot.
  return stdout.replace(/^\\(un)?restrict .*\n/gm, '');
}

/** Returns 0 if pg_dump is not installed. */
async function majorOfPgDump(): Promise<number> {
  const { stdout } = await run('pg_dump', ['--version']).catch(() => ({ stdout: '' }));
  return Number(/\d+/.exec(stdout)?.[0] ?? 0);
}

async function majorOfServer(settings: ConnectionSettings): Promise<number> {
  const client = await connectorTo(settings)('schema dump');
  try {
    const { rows } = await client.query<{ number: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS number",
    );
    return rows[0]?.number ?? 0;
  } finally {
    await client.end();
  }
}
