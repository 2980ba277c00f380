// Drift: how the schema differs from the schema after the last run.
import type { Differences } from '../model/differences.ts';
import type { Queries } from '../session/client.ts';
import { readDifferences, readFingerprint } from './fingerprint.ts';
import { lastFingerprint } from './fingerprints-of-runs.ts';

/** Undefined if nothing differs, or no run has left a fingerprint. */
export async function readDrift(queries: Queries): Promise<Differences | undefined> {
  const last = await lastFingerprint(queries);
  if (last === undefined || (await readFingerprint(queries)) === last) return undefined;
  const differences = await readDifferences(queries, last);
  return differences && differences.changes.length > 0 ? differences : undefined;
}
