// The lines of fingerprints, kept in the database: one table, backstop.fingerprints.
import type { Queries } from '../../session/client.ts';
import { closeToOthers } from '../ownership.ts';

/**
 * Creates the table where it is missing; the schema must be there. A user who may not create it can still write the history
 * of a failure: a run has asked for the privilege before.
 */
export async function createFingerprints(queries: Queries): Promise<void> {
  if (await hasFingerprints(queries)) return;
  const { rows } = await queries.query<{ may: boolean }>(
    "SELECT pg_catalog.has_schema_privilege('backstop', 'CREATE') AS may",
  );
  if (!rows[0]?.may) return;
  await queries.query('CREATE TABLE backstop.fingerprints (hash text PRIMARY KEY, lines text NOT NULL)');
  await queries.query(
    "COMMENT ON TABLE backstop.fingerprints IS 'The catalogue before and after the runs of Backstop, as text'",
  );
  await closeToOthers(queries, { tables: ['backstop.fingerprints'] });
}

export async function hasFingerprints(queries: Queries): Promise<boolean> {
  const { rows } = await queries.query<{ oid: string | null }>(
    "SELECT pg_catalog.to_regclass('backstop.fingerprints') AS oid",
  );
  return rows[0]?.oid !== null;
}
