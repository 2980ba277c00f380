// The plan: the revisions between the current revision of the database and the target.
import { BackstopError } from '../model/errors.ts';
import { checksumOf } from '../model/planned.ts';
import type { Plan, RevisionId } from '../model/report.ts';
import { type Chain, position } from '../revisions/chain.ts';
import type { Database } from '../revisions/databases.ts';
import { effectsIn } from '../revisions/effects.ts';
import { byTransaction, idsOf, partOf, revisionsBetween } from '../revisions/part.ts';
import type { Revision } from '../revisions/revision.ts';
import { resolveTarget } from '../revisions/target.ts';
import type { Queries } from '../session/client.ts';
import { readDifference } from './applied.ts';
import { readCurrent } from './current.ts';
import { appliedChecksums } from './history.ts';
import { outOfOrder } from './out-of-order.ts';
import { readRetiredRevisions } from './retiring/record.ts';
import { findTables } from './tables.ts';

/**
 * Reads where the database is, and lists the revisions in between. Writes nothing.
 *
 * @throws UnknownRevision, InvalidInput if the target lies in the other direction; RevisionOutOfOrder if the run would
 *   leave out a revision that was never applied, or run an applied revision again
 */
export async function makePlan(
  queries: Queries,
  database: Database,
  direction: Plan['direction'],
  target: string,
): Promise<Plan> {
  const { chain } = database;
  const from = await readCurrent(queries, database);
  const to = resolveTarget(chain, from, target);
  const revisions = revisionsBetween(chain, direction, from, to);
  if (revisions === undefined) {
    throw new BackstopError('InvalidInput', {
      message: `The database is at ${from}: ${to} is not ${direction === 'upgrade' ? 'ahead' : 'behind'}`,
      hint: `To go there, ${direction === 'upgrade' ? 'downgrade' : 'upgrade'} to ${to}.`,
    });
  }
  const difference = await readDifference(queries, chain, from);
  const wrong = outOfOrder(database, from, difference, direction === 'downgrade' ? to : undefined);
  if (wrong) throw wrong;
  const { gone, reordered } = difference;
  const retires = direction === 'upgrade' ? revisions.flatMap(retiredBy) : [];
  const applied = await appliedChecksums(queries);
  const checksums = revisions.map(({ id, digest }) => [id, digest] as const);
  const transactions = byTransaction(revisions.map(({ id }) => partOf(chain, direction, id)));
  return {
    direction,
    from,
    to,
    pending: revisions.map(({ id }) => id),
    checksums: Object.fromEntries(checksums),
    checksum: checksumOf(direction, checksums),
    finalizePending: await findFinalizePending(queries, chain, from),
    edited: chain.revisions
      .slice(0, position(chain, from))
      .filter(({ id, checksum }) => applied.has(id) && applied.get(id) !== checksum)
      .map(({ id }) => id),
    ...(gone.length > 0 && { gone }),
    ...(reordered.length > 0 && { reordered }),
    retires: (await findTables(queries, retires)).map(({ name }) => name),
    ...(transactions.length > 1 && { transactions: transactions.map(idsOf) }),
  };
}

/** The tables that the upgrade retires, as its header and its statements have them. */
function retiredBy({ retires, upgrade }: Revision): string[] {
  const effects = effectsIn([upgrade]) ?? [];
  const called = effects.flatMap((effect) =>
    'retires' in effect && effect.retires === 'table' ? [effect.relation] : [],
  );
  return [...new Set([...retires, ...called])];
}

/** Ids of the revisions applied at `current` whose retired objects still exist. */
export async function findFinalizePending(
  queries: Queries,
  chain: Chain,
  current: RevisionId,
): Promise<RevisionId[]> {
  const retired = await readRetiredRevisions(queries);
  const applied = chain.revisions.slice(0, position(chain, current));
  return applied.filter(({ id, finalize }) => finalize && retired.includes(id)).map(({ id }) => id);
}
