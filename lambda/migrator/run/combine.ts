// The reports of the transactions of one run, as one report.
import type { RowCounts, RunReport } from '../model/report.ts';

/** @param reports of transactions that followed each other, in their order; at least one */
export function combine(reports: readonly RunReport[]): RunReport {
  const [first, ...others] = reports;
  if (first === undefined) throw new Error('there is no report to combine');
  if (others.length === 0) return first;
  return { ...others.reduce(join, first), transactions: reports.map(placeOf) };
}

function placeOf({ runId, from, to, revisions, durationMs }: RunReport) {
  return { runId, from, to, revisions, durationMs };
}

function join(a: RunReport, b: RunReport): RunReport {
  return {
    ...a,
    to: b.to,
    revisions: [...new Set([...a.revisions, ...b.revisions])],
    steps: [...a.steps, ...b.steps],
    retired: union(a.retired, b.retired),
    restored: union(a.restored, b.restored),
    // A table that was made and dropped again leaves nothing.
    created: union(without(a.created, b.dropped), b.created),
    dropped: union(a.dropped, without(b.dropped, a.created)),
    rows: addRows(a.rows, b.rows),
    ...((a.own ?? b.own) && { own: [...(a.own ?? []), ...(b.own ?? [])] }),
    ...((a.losses ?? b.losses) && { losses: [...(a.losses ?? []), ...(b.losses ?? [])] }),
    exclusiveMs: longest(a.exclusiveMs, b.exclusiveMs),
    walBytes: a.walBytes + b.walBytes,
    attempts: Math.max(a.attempts, b.attempts),
    blockers: [...a.blockers, ...b.blockers],
    ...(a.fingerprint &&
      b.fingerprint && { fingerprint: { before: a.fingerprint.before, after: b.fingerprint.after } }),
    ...(b.comparison && { comparison: b.comparison }),
    // Counted from the beginning of the run.
    durationMs: b.durationMs,
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}

function addRows(a: readonly RowCounts[], b: readonly RowCounts[]): RowCounts[] {
  const sums = new Map<string, RowCounts>();
  for (const { relation, inserted, updated, deleted } of [...a, ...b]) {
    const sum = sums.get(relation) ?? { inserted: 0, updated: 0, deleted: 0 };
    sums.set(relation, {
      relation,
      inserted: sum.inserted + inserted,
      updated: sum.updated + updated,
      deleted: sum.deleted + deleted,
    });
  }
  return [...sums.values()].sort((one, other) => (one.relation < other.relation ? -1 : 1));
}

/** Each transaction releases its locks. */
function longest(a: RunReport['exclusiveMs'], b: RunReport['exclusiveMs']): Record<string, number> {
  const times: Record<string, number> = { ...a };
  for (const [relation, ms] of Object.entries(b)) times[relation] = Math.max(ms, times[relation] ?? 0);
  return times;
}
