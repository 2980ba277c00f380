// The chain of revisions of one database, and their order.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Reader } from '../grammar/statement.ts';
import { BackstopError } from '../model/errors.ts';
import { BASE, type RevisionId } from '../model/report.ts';
import { type Revision, readRevision } from './revision.ts';

/** Revisions in the order in which they are applied; never empty, always one line without forks. */
export interface Chain {
  readonly revisions: readonly Revision[];
  readonly head: RevisionId;
  /** The branch label of the first revision; undefined if it has no label. */
  readonly branch: string | undefined;
}

/** Parent → child; the parent of the first revision is undefined. */
type Children = ReadonlyMap<RevisionId | undefined, Revision>;

/** Two revisions revise the same one. Which of them comes last, only a database can say: it has applied the other. */
export class TwoHeads extends BackstopError {
  readonly heads: readonly [Revision, Revision];
  /** All that were read. */
  readonly revisions: readonly Revision[];

  constructor(heads: TwoHeads['heads'], revisions: readonly Revision[]) {
    super('RevisionInvalid', {
      message: `${names(heads)} both revise ${heads[0].revises ?? '<base>'}: the chain has two heads`,
      hint: 'Let one of them revise the other.',
    });
    this.heads = heads;
    this.revisions = revisions;
  }
}

/** Whether the folder is there and has a revision folder in it. */
export function hasRevisions(folder: string): boolean {
  return existsSync(folder) && revisionFolders(folder).length > 0;
}

/**
 * Reads all revision folders below `folder` and puts them in order.
 *
 * @param read reads the SQL of a file, when it is needed
 * @throws RevisionInvalid if a folder cannot be read, an id is given twice, a parent is missing, or the
 *   revisions form a cycle or more than one head
 */
export function readChain(folder: string, read: Reader): Chain {
  return orderRevisions(revisionFolders(folder).map((revision) => readRevision(revision, read)));
}

function revisionFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name))
      .sort();
  } catch (cause) {
    throw new BackstopError(
      'RevisionInvalid',
      {
        message: `The folder "${basename(folder)}" of the revisions cannot be read`,
        hint: 'Correct its name in migrations/databases.json, or add the folder.',
      },
      { cause },
    );
  }
}

/** Orders revisions from the first to the head. Throws as {@link readChain} does. */
function orderRevisions(revisions: readonly Revision[]): Chain {
  const ordered = follow(childrenOf(revisions, idsOf(revisions)));
  const head = ordered.at(-1);
  if (!head || ordered.length < revisions.length) throw unconnected(revisions, ordered);
  const branch = ordered[0]?.branch;
  requireOneBranch(ordered, branch);
  return { revisions: ordered, head: head.id, branch };
}

/** The ids of the revisions. Throws if two revisions have the same id. */
function idsOf(revisions: readonly Revision[]): ReadonlySet<RevisionId> {
  const byId = new Map<RevisionId, Revision>();
  for (const revision of revisions) {
    const twin = byId.get(revision.id);
    if (twin) {
      throw invalid(
        `Revision ${revision.id} is given twice: ${names([twin, revision])}`,
        'Give one of them another id.',
      );
    }
    byId.set(revision.id, revision);
  }
  return new Set(byId.keys());
}

/** Throws if a parent is unknown or has two children. */
function childrenOf(revisions: readonly Revision[], ids: ReadonlySet<RevisionId>): Children {
  const children = new Map<RevisionId | undefined, Revision>();
  for (const revision of revisions) {
    const { revises } = revision;
    if (revises !== undefined && !ids.has(revises)) {
      throw invalid(
        `${names([revision])} revises ${revises}, which has no folder`,
        'Correct its "-- Revises:" line, or add the missing folder.',
      );
    }
    const sibling = children.get(revises);
    if (sibling) throw new TwoHeads([sibling, revision], revisions);
    children.set(revises, revision);
  }
  return children;
}

/** The revisions from base, each followed by its child. */
function follow(children: Children): Revision[] {
  const ordered: Revision[] = [];
  for (let next = children.get(undefined); next; next = children.get(next.id)) ordered.push(next);
  return ordered;
}

/** The error for an empty chain, or for revisions that base does not lead to. */
function unconnected(revisions: readonly Revision[], ordered: readonly Revision[]): BackstopError {
  const rest = revisions.filter((revision) => !ordered.includes(revision));
  return rest.length === 0
    ? invalid('There is no revision', 'Add a revision folder with upgrade.sql and downgrade.sql.')
    : invalid(
        `${names(rest)} form a cycle`,
        'One of them must revise <base> or a revision outside the cycle.',
      );
}

/** Throws if a later revision has another branch label than the first. */
function requireOneBranch(ordered: readonly Revision[], branch: string | undefined): void {
  const stranger = ordered.find((revision) => revision.branch !== undefined && revision.branch !== branch);
  if (!stranger) return;
  throw invalid(
    `${names([stranger])} has the branch label "${stranger.branch}", but the chain is ${branch === undefined ? 'of no branch' : `of branch "${branch}"`}`,
    'Only the first revision of a chain has a "-- Branch:" line: move the folder, or remove the line.',
  );
}

/** How many revisions are applied at `id`: 0 at base. Throws UnknownRevision. */
export function position(chain: Chain, id: RevisionId): number {
  if (id === BASE) return 0;
  const index = chain.revisions.findIndex((revision) => revision.id === id);
  if (index < 0) throw unknownRevision(chain, id);
  return index + 1;
}

/** The id after `count` applied revisions: base for 0. */
export function idAt(chain: Chain, count: number): RevisionId {
  return chain.revisions[count - 1]?.id ?? BASE;
}

/** The revision with exactly this id. Throws UnknownRevision. */
export function revisionOf(chain: Chain, id: RevisionId): Revision {
  const revision = chain.revisions[position(chain, id) - 1];
  if (!revision) throw unknownRevision(chain, id);
  return revision;
}

/** The error for a revision that the chain does not have. */
export function unknownRevision(chain: Chain, id: string): BackstopError {
  return new BackstopError('UnknownRevision', {
    message: `Can't locate revision identified by '${id}'`,
    detail: `The revisions are ${describeChain(chain)}.`,
    hint: `Use one of them, head or ${BASE}; if the revision is new, deploy the folder that describes it.`,
  });
}

/** `<base> -> 001 -> 003`. */
export function describeChain(chain: Chain): string {
  return [`<${BASE}>`, ...chain.revisions.map(({ id }) => id)].join(' -> ');
}

function invalid(message: string, hint: string): BackstopError {
  return new BackstopError('RevisionInvalid', { message, hint });
}

function names(revisions: readonly Revision[]): string {
  return revisions.map(({ folder }) => basename(folder)).join(' and ');
}
