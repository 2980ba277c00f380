// The verbs that only look: where a database stands, what was run on it, what a downgrade or a finalize would lose.

import { readCurrent } from './database/current.ts';
import { readHistory } from './database/history.ts';
import { foreseeLosses, retiredRows } from './database/loss.ts';
import { makePlan } from './database/plan.ts';
import type { LoggedRun, Loss, Plan, RevisionId } from './model/report.ts';
import { revisionOf } from './revisions/chain.ts';
import { look, type MigratorOptions } from './session/visit.ts';

// For programs that measure transactions of their own, as the benchmark does.
export { readCurrent } from './database/current.ts';
export { prepareEvidence, readMoment, readRelations } from './database/evidence.ts';
export { Ledger } from './run/ledger.ts';

/**
 * The revision that the database is at; base where none is applied.
 *
 * @throws UnknownRevision as {@link readCurrent} does; what {@link look} throws
 */
export async function current(options: MigratorOptions): Promise<RevisionId> {
  return look(options, 'current', ({ client, database }) => readCurrent(client, database));
}

/** Where the database stands: what an upgrade to head would do. Unlike `plan` it runs no check. */
export async function inspect(options: MigratorOptions): Promise<Plan> {
  return look(options, 'status', ({ client, database }) => makePlan(client, database, 'upgrade', 'head'));
}

/** The last runs that the history remembers, the newest first. */
export async function log(options: MigratorOptions, limit: number): Promise<LoggedRun[]> {
  return look(options, 'log', ({ client }) => readHistory(client, limit));
}

/**
 * What a downgrade to `target` would lose, by the checks before the downgrade of each revision on the way.
 *
 * @throws as `plan` does
 */
export async function lossOfDowngrade(options: MigratorOptions, target: string): Promise<Loss> {
  return look(options, 'loss', async (visiting) => {
    const { client, database } = visiting;
    const { pending } = await makePlan(client, database, 'downgrade', target);
    const isUnforeseen = (id: RevisionId) =>
      revisionOf(database.chain, id).checks['before-downgrade'].length === 0;
    return { found: await foreseeLosses(visiting, pending), unforeseen: pending.filter(isUnforeseen) };
  });
}

/**
 * What a finalize would lose: the rows of the retired tables.
 *
 * @param upTo the revision to which an upgrade goes first: what it will have retired by then is not foreseen
 */
export async function lossOfFinalize(options: MigratorOptions, upTo?: string): Promise<Loss> {
  return look(options, 'loss', async (visiting) => {
    const { client, database } = visiting;
    const { finalizePending, pending } = await makePlan(client, database, 'upgrade', upTo ?? '+0');
    return {
      found: await retiredRows(visiting, finalizePending),
      unforeseen: pending.filter((id) => revisionOf(database.chain, id).finalize),
    };
  });
}
