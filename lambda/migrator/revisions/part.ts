// A part of a run: one revision in one direction, and the move of the version that ends it.
import type { Direction, RevisionId } from '../model/report.ts';
import { type Chain, idAt, position, revisionOf } from './chain.ts';
import type { Revision, Script } from './revision.ts';

/** `from` and `to` are equal if the version does not move, as in a finalize. */
export interface Part {
  readonly direction: Direction;
  readonly revision: RevisionId;
  readonly script: Script;
  readonly from: RevisionId;
  readonly to: RevisionId;
  /** The checksum that the history keeps for this revision; undefined if the part neither applies it nor takes it back. */
  readonly checksum?: string | undefined;
}

/** The upgrade, downgrade or finalize of a revision. Throws UnknownRevision; RevisionInvalid if it cannot be run. */
export function partOf(chain: Chain, direction: 'upgrade' | 'downgrade' | 'finalize', id: RevisionId): Part {
  const revision = revisionOf(chain, id);
  const before = idAt(chain, position(chain, id) - 1);
  const script = revision[direction];
  if (!script) throw new Error(`revision ${id} has no ${direction}`);
  // A script that cannot be read is refused before the run begins.
  void script.steps;
  const part = { direction, revision: id, script };
  const { checksum } = revision;
  switch (direction) {
    case 'upgrade':
      return { ...part, from: before, to: id, checksum };
    case 'downgrade':
      return { ...part, from: id, to: before, checksum };
    case 'finalize':
      return { ...part, from: id, to: id };
  }
}

/** A part that writes the version; its steps, if any, come before. */
export function stampPart(from: RevisionId, to: RevisionId, steps: Script['steps'] = []): Part {
  const script = {
    title: 'Stamp',
    steps,
    locks: ['public.alembic_version'],
    scans: [],
    searchPath: [],
    refuses: new Map(),
    endsTransaction: false,
  };
  return { direction: 'stamp', revision: to, script, from, to };
}

/** The scripts by transaction. */
export function scriptsOf(parts: readonly Part[]): readonly (readonly Script[])[] {
  return byTransaction(parts).map((transaction) => transaction.map(({ script }) => script));
}

/** The ids of the revisions, each once. */
export function idsOf(parts: readonly Part[]): RevisionId[] {
  return [...new Set(parts.map(({ revision }) => revision))];
}

/** The parts by transaction: a script that ends its transaction is the last one in it. */
export function byTransaction(parts: readonly Part[]): readonly (readonly Part[])[] {
  const transactions: Part[][] = [];
  let open: Part[] | undefined;
  for (const part of parts) {
    if (open) open.push(part);
    else {
      open = [part];
      transactions.push(open);
    }
    if (part.script.endsTransaction) open = undefined;
  }
  return transactions;
}

/**
 * The revisions that lie between two places in the chain, in the order in which the direction runs them.
 *
 * @returns undefined if `to` lies in the other direction
 * @throws UnknownRevision
 */
export function revisionsBetween(
  chain: Chain,
  direction: 'upgrade' | 'downgrade',
  from: RevisionId,
  to: RevisionId,
): readonly Revision[] | undefined {
  const [start, end] = [position(chain, from), position(chain, to)];
  if (direction === 'upgrade') return end < start ? undefined : chain.revisions.slice(start, end);
  return end > start ? undefined : chain.revisions.slice(end, start).reverse();
}
