// The states that a database can be in, as fingerprints: the version, the schema, every row of the thirteen tables.
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { dumpSchema } from '../setup/schema-dump.ts';

/** Equal only if version, schema and rows are. */
export interface Fingerprint {
  /** As alembic_version says. */
  readonly version: string;
  /** Digest of the schemas public and retired_002. */
  readonly schema: string;
  /** Table → how many rows it has and their digest, without the column that 002 adds. The schema does not matter. */
  readonly rows: Readonly<Record<string, string>>;
}

export async function readFingerprint(client: pg.Client): Promise<Fingerprint> {
  const { rows } = await client.query<{ version: string; retired: boolean }>(
    `SELECT string_agg(version_num, ', ') AS version, to_regnamespace('retired_002') IS NOT NULL AS retired
     FROM public.alembic_version`,
  );
  const [{ version, retired } = { version: '', retired: true }] = rows;
  const schemas = [
    await dumpSchema(client, 'public'),
    retired ? await dumpSchema(client, 'retired_002') : '',
  ];
  return {
    version,
    schema: createHash('sha256').update(schemas.join('\n')).digest('hex'),
    rows: await readRows(client),
  };
}

async function readRows(client: pg.Client): Promise<Record<string, string>> {
  const { rows: tables } = await client.query<{ name: string; qualified: string }>(
    `SELECT relname AS name, format('%I.%I', nspname, relname) AS qualified
     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind = 'r' AND nspname IN ('public', 'retired_002') AND relname <> 'alembic_version'`,
  );
  const digests = tables.map(
    ({ name, qualified }) =>
      `SELECT '${name}' AS name, count(*) || ' rows ' || coalesce(md5(string_agg(line, E'\\n' ORDER BY line)), '') AS digest
       FROM (SELECT (to_jsonb(t) - 'project_id')::text AS line FROM ${qualified} AS t) AS line`,
  );
  const { rows } = await client.query<{ name: string; digest: string }>(
    `${digests.join(' UNION ALL ')} ORDER BY name`,
  );
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
