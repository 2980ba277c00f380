// What there is to do: from where the database is to where it shall be.
import type pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import type { Plan, RevisionId } from '../model/report.ts';
import { type Chain, position } from '../revisions/chain.ts';
import type { Database } from '../revisions/databases.ts';
import { resolveTarget } from '../revisions/target.ts';
import { readCurrent } from './current.ts';
import { readRetiredRevisions } from './evidence.ts';
import { appliedChecksums } from './history.ts';
import { findTables } from './tables.ts';

/**
 * Reads where the database is, and lists the revisions in between. Writes nothing.
 *
 * @throws UnknownRevision, InvalidInput where the target lies in the other direction
 */
export async function makePlan(
  client: pg.Client,
  database: Database,
  direction: Plan['direction'],
  target: string,
): Promise<Plan> {
  const { chain } = database;
  const from = await readCurrent(client, database);
  const to = resolveTarget(chain, from, target);
  const [start, end] = [position(chain, from), position(chain, to)];
  if (direction === 'upgrade' ? end < start : end > start) {
    throw new BackstopError('InvalidInput', {
      message: `The database is at ${from}: ${to} is not ${direction === 'upgrade' ? 'ahead' : 'behind'}`,
      hint: `To go there, ${direction === 'upgrade' ? 'downgrade' : 'upgrade'} to ${to}.`,
    });
  }
  const revisions = chain.revisions.slice(Math.min(start, end), Math.max(start, end));
  const between = revisions.map(({ id }) => id);
  const retires = direction === 'upgrade' ? revisions.flatMap((revision) => revision.retires) : [];
  const applied = await appliedChecksums(client);
  return {
    direction,
    from,
    to,
    pending: direction === 'upgrade' ? between : between.reverse(),
    finalizePending: await findFinalizePending(client, chain, from),
    edited: chain.revisions
      .slice(0, start)
      .filter(({ id, checksum }) => applied.has(id) && applied.get(id) !== checksum)
      .map(({ id }) => id),
    retires: (await findTables(client, retires)).map(({ name }) => name),
  };
}

/** Ids of the revisions applied at `current` whose retired objects still stand. */
export async function findFinalizePending(
  client: pg.Client,
  chain: Chain,
  current: RevisionId,
): Promise<RevisionId[]> {
  const retired = await readRetiredRevisions(client);
  const applied = chain.revisions.slice(0, position(chain, current));
  return applied.filter(({ id, finalize }) => finalize && retired.includes(id)).map(({ id }) => id);
}
