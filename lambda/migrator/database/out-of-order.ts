// The refusal of a chain that would leave a revision out, or run one twice; and which of two heads is to come last.
import { basename } from 'node:path';
import { someOf } from '../model/describe.ts';
import { BackstopError } from '../model/errors.ts';
import { BASE, type RevisionId } from '../model/report.ts';
import { type Chain, position, type TwoHeads } from '../revisions/chain.ts';
import type { Database } from '../revisions/databases.ts';
import type { Revision } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import type { Difference } from './applied.ts';
import { readMoves } from './history.ts';
import { readVersions } from './version-table.ts';

/**
 * The error for a chain that would run a revision twice, or leave one out; undefined if it would do neither.
 *
 * @param downTo where a downgrade goes: it does not mind what it does not touch
 */
export function outOfOrder(
  { chain, definition: { name } }: Database,
  current: RevisionId,
  { skipped, ahead }: Difference,
  downTo?: RevisionId,
): BackstopError | undefined {
  const lowest = downTo === undefined ? 0 : position(chain, downTo);
  const touched = skipped.filter((id) => position(chain, id) >= lowest);
  const stamp = (id: RevisionId) => `npx backstop stamp ${id} --database ${name}`;
  if (touched.length > 0) {
    return new BackstopError('RevisionOutOfOrder', {
      message: `${someOf(touched)} never applied here, and the database is at ${current}`,
      detail: `No run in backstop.history applied ${themOf(touched)}. The chain has ${themOf(touched)} below ${current}, which no upgrade passes again.`,
      hint: `If the changes are in the database already: ${stamp(current)}. If not: ${remedy(chain, current, touched, stamp)}`,
    });
  }
  const [first] = ahead;
  const last = ahead.at(-1);
  if (downTo !== undefined || first === undefined || last === undefined) return undefined;
  return new BackstopError('RevisionOutOfOrder', {
    message: `${someOf(ahead)} applied here already, and the database is at ${current}`,
    detail: `The chain has ${themOf(ahead)} after ${current}: an upgrade would run ${themOf(ahead)} a second time.`,
    hint: `Give the "-- Revises:" lines the order in which the revisions were applied. If everything up to ${last} is in the database: ${stamp(last)}`,
  });
}

/** What to do if the changes of the skipped revisions are not in the database. */
function remedy(
  chain: Chain,
  current: RevisionId,
  skipped: readonly RevisionId[],
  stamp: (id: RevisionId) => string,
): string {
  if (!skipped.includes(current))
    return `let ${skipped.join(', ')} come last: ${describeMove(chain, skipped)}`;
  const below = chain.revisions.slice(0, position(chain, current)).map(({ id }) => id);
  return `${stamp(below.findLast((id) => !skipped.includes(id)) ?? BASE)}, and upgrade`;
}

/** The "-- Revises:" lines that put these revisions behind the head, in the order that they have. */
function describeMove({ revisions }: Chain, moved: readonly RevisionId[]): string {
  const rest = revisions.filter(({ id }) => !moved.includes(id));
  const ordered = [...rest, ...revisions.filter(({ id }) => moved.includes(id))];
  const lines = ordered.flatMap(({ folder, revises }, index) => {
    const before = ordered[index - 1]?.id;
    return before === revises
      ? []
      : [`"-- Revises: ${before ?? '<base>'}" in ${basename(folder)}/upgrade.sql`];
  });
  return `write ${lines.join(', ')}`;
}

function themOf({ length }: readonly RevisionId[]): string {
  return length === 1 ? 'it' : 'them';
}

/**
 * The error of two heads, with the head that this database has not applied; undefined if it has applied both, or none.
 */
export async function adviseHeads(
  queries: Queries,
  { summary, heads, revisions }: TwoHeads,
): Promise<BackstopError | undefined> {
  const applied = await readApplied(queries, revisions);
  const [first, ...others] = heads.filter(({ id }) => applied.has(id));
  const fresh = heads.find(({ id }) => !applied.has(id));
  if (first === undefined || fresh === undefined || others.length > 0) return undefined;
  let last = first;
  for (let next: Revision | undefined = first; next; next = onlyChild(revisions, next)) last = next;
  return new BackstopError('RevisionInvalid', {
    message: summary,
    detail: `This database has applied ${first.id}, and not ${fresh.id}.`,
    hint: `Let ${fresh.id} come last: write "-- Revises: ${last.id}" in ${basename(fresh.folder)}/upgrade.sql.`,
  });
}

function onlyChild(revisions: readonly Revision[], { id }: Revision): Revision | undefined {
  const children = revisions.filter(({ revises }) => revises === id);
  return children.length === 1 ? children[0] : undefined;
}

/** Without a chain: the revisions that lead to the version, and all that the history knows. */
async function readApplied(queries: Queries, revisions: readonly Revision[]): Promise<Set<RevisionId>> {
  const applied = new Set<RevisionId>();
  for (const { outcome, revisions: ran } of await readMoves(queries)) {
    for (const id of ran) {
      if (outcome === 'upgraded') applied.add(id);
      else applied.delete(id);
    }
  }
  const byId = new Map(revisions.map((revision) => [revision.id, revision]));
  for (const version of await readVersions(queries)) {
    const seen = new Set<RevisionId>();
    for (let next = byId.get(version); next && !seen.has(next.id); next = byId.get(next.revises ?? '')) {
      seen.add(next.id);
      applied.add(next.id);
    }
  }
  return applied;
}
