// The comparison after a downgrade: is the schema as it was before the upgrades, and is anything of theirs gone for good?
import type { Comparison, OwnTable, RowLoss } from '../model/losses.ts';
import type { RevisionId, RunReport } from '../model/report.ts';
import { BASE } from '../model/report.ts';
import type { Chain } from '../revisions/chain.ts';
import type { Queries } from '../session/client.ts';
import { type Pair, readDifferences } from './fingerprint.ts';

/** A run of the history that moved the version, or finalized. */
export interface Past {
  readonly id: string;
  readonly outcome: RunReport['outcome'];
  readonly from: RevisionId;
  readonly to: RevisionId;
  readonly fingerprint: RunReport['fingerprint'] | null;
  readonly revisions: readonly RevisionId[];
  readonly losses: readonly RowLoss[] | null;
  readonly own: readonly OwnTable[] | null;
}

/** A downgrade to `to`, with the fingerprints at its beginning and at its end: both are kept. */
interface Compared {
  readonly to: RevisionId;
  /** As {@link readRunsSince} read them before it. */
  readonly runs: readonly Past[];
  readonly before: string;
  readonly after: string;
}

/** So many runs may lie between an upgrade and its downgrade. */
const RUNS_READ = 1_000;

/**
 * Compares the schema at the end of a downgrade to `to` with the one from before the upgrades that it takes back. A change
 * that was made between two runs, and is still there, is not the downgrade's.
 *
 * @returns undefined if the history does not know how the database was at `to`
 */
export async function readComparison(
  queries: Queries,
  chain: Chain,
  { to, runs, before, after }: Compared,
): Promise<Comparison | undefined> {
  const [upgrade] = runs;
  if (!upgrade?.fingerprint || !stayedAbove(chain, to, runs.slice(1))) return undefined;
  const found = await readDifferences(queries, upgrade.fingerprint.before, after, driftOf(runs, before));
  if (found === undefined) return undefined;
  const losses = runs.flatMap((run) => run.losses ?? []);
  const finalized = runs.flatMap(({ outcome, revisions }) => (outcome === 'finalized' ? revisions : []));
  return {
    same: found.changes.length === 0,
    ...found,
    ...(losses.length > 0 && { losses }),
    ...(finalized.length > 0 && { finalized: [...new Set(finalized)] }),
  };
}

/** The last upgrade from `to`, and the runs after it. */
export async function readRunsSince(queries: Queries, to: RevisionId): Promise<Past[]> {
  const { rows } = await queries.query<Past>(
    `SELECT h.id::text AS id, outcome, from_revision AS "from", to_revision AS "to", report -> 'fingerprint' AS fingerprint,
            coalesce(report -> 'revisions', '[]') AS revisions, report -> 'losses' AS losses, report -> 'own' AS own
     FROM backstop.history AS h
     WHERE h.id >= (SELECT pg_catalog.max(u.id) FROM backstop.history AS u WHERE u.outcome = 'upgraded' AND u.from_revision = $1)
       AND outcome IN ('upgraded', 'downgraded', 'stamped', 'finalized')
     ORDER BY h.id LIMIT ${RUNS_READ}`,
    [to],
  );
  return rows;
}

/** oid → how many columns a table had before these upgrades. */
export function ownIn(runs: readonly Past[]): ReadonlyMap<string, number> {
  const own = new Map<string, number>();
  for (const { oid, columns } of runs.flatMap((run) => run.own ?? [])) {
    if (!own.has(oid)) own.set(oid, columns);
  }
  return own;
}

/** Whether no run went below `to` since, or was a stamp: then the way up was another one. */
function stayedAbove({ revisions }: Chain, to: RevisionId, runs: readonly Past[]): boolean {
  const ids = [BASE, ...revisions.map(({ id }) => id)];
  const isAbove = (id: RevisionId) => ids.indexOf(id) >= ids.indexOf(to);
  return runs.every((run) => run.outcome !== 'stamped' && isAbove(run.from) && isAbove(run.to));
}

/** The pairs of fingerprints between which somebody else has changed something. */
function driftOf(runs: readonly Past[], before: string): Pair[] {
  return runs.flatMap(({ fingerprint }, index) => {
    const next = index + 1 < runs.length ? runs[index + 1]?.fingerprint?.before : before;
    if (!fingerprint || next === undefined || next === fingerprint.after) return [];
    return [{ before: fingerprint.after, after: next }];
  });
}
