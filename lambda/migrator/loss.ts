// The questions about data that a run would lose for good, asked before it.
import { readForeseenLosses } from './database/foreseen-losses.ts';
import { foreseeLosses, retiredRows } from './database/loss.ts';
import { makePlan } from './database/plan.ts';
import { withSecuredSession } from './database/secured.ts';
import { bounded } from './model/bounded.ts';
import type { Loss } from './model/losses.ts';
import type { RevisionId } from './model/report.ts';
import { revisionOf } from './revisions/chain.ts';
import type { MigratorOptions } from './session/session.ts';

/**
 * The data that a downgrade to `target` would lose, by the checks before the downgrade of each revision on the way.
 *
 * @throws as `plan` does
 */
export async function lossOfDowngrade(options: MigratorOptions, target: string): Promise<Loss> {
  return withSecuredSession(options, 'loss', async (session) => {
    const { chain } = session.database;
    const { pending } = await makePlan(session, session.database, 'downgrade', target);
    const isUnforeseen = (id: RevisionId) => revisionOf(chain, id).checks['before-downgrade'].length === 0;
    return bounded({
      found: await foreseeLosses(session, pending),
      unforeseen: pending.filter(isUnforeseen),
    });
  });
}

/** The data that an upgrade to `target` would lose for good, as far as its statements show. Throws as `plan` does. */
export async function lossOfUpgrade(options: MigratorOptions, target: string): Promise<Loss> {
  return withSecuredSession(options, 'loss', async (session) => {
    const { chain } = session.database;
    const { pending } = await makePlan(session, session.database, 'upgrade', target);
    const scripts = pending.map((id) => revisionOf(chain, id).upgrade);
    return bounded({ found: [], rows: await readForeseenLosses(session, scripts), unforeseen: [] });
  });
}

/**
 * The data that a finalize would lose: the rows of the retired tables.
 *
 * @param upTo the revision to which an upgrade goes first: the tables that it will retire are not included
 */
export async function lossOfFinalize(options: MigratorOptions, upTo?: string): Promise<Loss> {
  return withSecuredSession(options, 'loss', async (session) => {
    const { database } = session;
    const { finalizePending, pending } = await makePlan(session, database, 'upgrade', upTo ?? '+0');
    return bounded({
      found: await retiredRows(session, finalizePending),
      unforeseen: pending.filter((id) => revisionOf(database.chain, id).finalize),
    });
  });
}
