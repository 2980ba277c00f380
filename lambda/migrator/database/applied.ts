// The revisions that were applied to this database, as its history says, compared with the chain.
import { BASE, type RevisionId } from '../model/report.ts';
import { type Chain, position } from '../revisions/chain.ts';
import type { Queries } from '../session/client.ts';
import { type Move, readMoves } from './history.ts';

/** How the chain differs from the applied revisions; all lists are empty if it does not. */
export interface Difference {
  /** Revisions that no run applied, although the current revision is the same or above. */
  readonly skipped: readonly RevisionId[];
  /** Revisions that were applied already, although the current revision is below. */
  readonly ahead: readonly RevisionId[];
  /** Applied revisions that have no folder any more. */
  readonly gone: readonly RevisionId[];
  /** Revisions that were applied before a revision that the chain has below them. */
  readonly reordered: readonly RevisionId[];
}

const SAME: Difference = { skipped: [], ahead: [], gone: [], reordered: [] };

/** Revision id → the run that applied it, counted from 1; 0 if it was there before the history began. */
type Applied = Map<RevisionId, number>;

/** Compares the chain with the history of a database that is at `current`. */
export async function readDifference(
  queries: Queries,
  chain: Chain,
  current: RevisionId,
): Promise<Difference> {
  const moves = await readMoves(queries);
  return moves.length === 0 ? SAME : compare(chain, current, replay(chain, moves, current));
}

/** Whether nothing differs, so that the version alone says all. */
export function isSame({ skipped, ahead, gone, reordered }: Difference): boolean {
  return skipped.length + ahead.length + gone.length + reordered.length === 0;
}

/**
 * Goes through the runs in their order. The version may have been moved by another tool before the first of them, or
 * in between: then every revision below its new place counts as applied, because the history cannot know.
 */
function replay(chain: Chain, moves: readonly Move[], current: RevisionId): Applied {
  const applied: Applied = new Map();
  let at: RevisionId | undefined;
  for (const [index, move] of moves.entries()) {
    const run = at === undefined ? 0 : index + 1;
    const stamped = move.outcome === 'stamped';
    if (stamped) applied.clear();
    const [from, to] = stamped ? [undefined, move.to] : [at, move.from];
    if (from !== to) assume(chain, applied, { from, to, run: stamped ? 0 : run });
    note(applied, move, index + 1);
    at = move.to;
  }
  if (at !== current) assume(chain, applied, { from: at, to: current, run: moves.length + 1 });
  return applied;
}

function note(applied: Applied, { outcome, revisions }: Move, run: number): void {
  for (const id of revisions) {
    if (outcome === 'upgraded') applied.set(id, run);
    else applied.delete(id);
  }
}

/** Another tool moved the version. */
function assume(
  chain: Chain,
  applied: Applied,
  { from, to, run }: { readonly from: RevisionId | undefined; readonly to: RevisionId; readonly run: number },
): void {
  const ids = chain.revisions.map(({ id }) => id);
  const end = placeOf(ids, to);
  const below = new Set(ids.slice(0, end));
  for (const id of [...applied.keys()]) {
    if (!below.has(id)) applied.delete(id);
  }
  // If a place has no folder any more, all that may lie before it counts.
  for (const id of ids.slice(placeOf(ids, from) ?? 0, end)) {
    if (!applied.has(id)) applied.set(id, run);
  }
}

/** How many revisions are below the place or at it; undefined for a place that has no folder. */
function placeOf(ids: readonly RevisionId[], id: RevisionId | undefined): number | undefined {
  if (id === BASE || id === undefined) return 0;
  const index = ids.indexOf(id);
  return index < 0 ? undefined : index + 1;
}

function compare(chain: Chain, current: RevisionId, applied: Applied): Difference {
  const ids = chain.revisions.map(({ id }) => id);
  const known = new Set(ids);
  const count = position(chain, current);
  const below = ids.slice(0, count);
  let last = 0;
  const reordered = below.filter((id) => {
    const run = applied.get(id) ?? last;
    last = Math.max(last, run);
    return run < last;
  });
  return {
    skipped: below.filter((id) => !applied.has(id)),
    ahead: ids.slice(count).filter((id) => applied.has(id)),
    gone: [...applied.keys()].filter((id) => !known.has(id)),
    reordered,
  };
}
