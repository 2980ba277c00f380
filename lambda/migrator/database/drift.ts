// Drift: how the schema differs from the schema after the last run.
import type { Differences } from '../model/differences.ts';
import { requireNoDrift } from '../model/drifted.ts';
import type { Queries } from '../session/client.ts';
import { orElse, rollBack } from './briefly.ts';
import { readDifferences, readFingerprint } from './fingerprint.ts';
import { lastFingerprint } from './fingerprints-of-runs.ts';

/** For a lock that the reading needs, and for all of it, in ms. */
const LOCK_MS = 500;
const WITHIN_MS = 30_000;

/**
 * Reads it in a separate transaction. Undefined if nothing differs, if no run has left a fingerprint, or if the schema
 * cannot be read now, because a session holds a table; {@link refuseDrift} looks again.
 */
export async function readDrift(queries: Queries): Promise<Differences | undefined> {
  const last = await lastFingerprint(queries);
  if (last === undefined) return undefined;
  return orElse(readSince(queries, last), () => undefined);
}

async function readSince(queries: Queries, last: string): Promise<Differences | undefined> {
  await queries.query('BEGIN READ ONLY');
  try {
    await queries.query(
      "SELECT pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true)",
      [`${LOCK_MS}ms`, `${WITHIN_MS}ms`],
    );
    return (await readFingerprint(queries)) === last ? undefined : await differencesSince(queries, last);
  } finally {
    await rollBack(queries);
  }
}

async function differencesSince(
  queries: Queries,
  last: string,
  now?: string,
): Promise<Differences | undefined> {
  const differences = await readDifferences(queries, last, now);
  return differences && differences.changes.length > 0 ? differences : undefined;
}

/**
 * Compares a fingerprint that the open transaction has kept with the fingerprint after the last run.
 *
 * @throws Drifted
 */
export async function refuseDrift(queries: Queries, now: string): Promise<void> {
  const last = await lastFingerprint(queries);
  if (last === undefined || last === now) return;
  const drift = await differencesSince(queries, last, now);
  requireNoDrift(drift ? { drift } : {});
}
