// The fingerprints that the runs of the history have left.
import type { Queries } from '../session/client.ts';
import { hasHistory, mayReadHistory } from './history.ts';

/** The fingerprint of the schema after the last committed run; undefined if it left none. */
export async function lastFingerprint(queries: Queries): Promise<string | undefined> {
  if (!(await mayReadHistory(queries))) return undefined;
  const { rows } = await queries.query<{ hash: string | null }>(
    `SELECT report -> 'fingerprint' ->> 'after' AS hash FROM backstop.history
     WHERE outcome IN ('upgraded', 'downgraded', 'finalized', 'stamped') ORDER BY id DESC LIMIT 1`,
  );
  return rows[0]?.hash ?? undefined;
}

/** A run, and the fingerprint that it left; null if the history has none of it. */
export interface RunFingerprint {
  readonly runId: string;
  readonly after: string | null;
}

/** Runs whose ids begin so; two at most, which is one too many. */
export async function findRuns(queries: Queries, start: string): Promise<RunFingerprint[]> {
  if (!(await hasHistory(queries))) return [];
  const { rows } = await queries.query<RunFingerprint>(
    `SELECT run_id AS "runId", pg_catalog.max(report -> 'fingerprint' ->> 'after') AS after
     FROM backstop.history WHERE pg_catalog.starts_with(run_id::text, $1) GROUP BY run_id LIMIT 2`,
    [start.toLowerCase()],
  );
  return rows;
}
