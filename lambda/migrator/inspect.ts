// The verbs that only look: where a database stands, what was run on it, what a downgrade or a finalize would lose.
import type pg from 'pg';
import { revisionOf } from './chain.ts';
import { runChecks } from './checks.ts';
import { readCurrent } from './current.ts';
import { type LoggedRun, readHistory } from './history.ts';
import { makePlan } from './plan.ts';
import type { CheckReport, Plan, RevisionId } from './report.ts';
import type { Check } from './revision.ts';
import { type MigratorOptions, type Visit, visit } from './visit.ts';

/**
 * The revision that the database is at; base where none is applied.
 *
 * @throws UnknownRevision as {@link readCurrent} does; what {@link visit} throws
 */
export async function current(options: MigratorOptions): Promise<RevisionId> {
  return visit(options, 'current', ({ client, database }) => readCurrent(client, database));
}

/** Where the database stands: what an upgrade to head would do. Unlike `plan` it runs no check. */
export async function inspect(options: MigratorOptions): Promise<Plan> {
  return visit(options, 'status', ({ client, database }) => makePlan(client, database, 'upgrade', 'head'));
}

/** The last runs that the history remembers, the newest first. */
export async function log(options: MigratorOptions, limit: number): Promise<LoggedRun[]> {
  return visit(options, 'log', ({ client }) => readHistory(client, limit));
}

/** What is foreseen to be lost for good. */
export interface Loss {
  /** The checks that found something that would be lost; the rows say what. */
  readonly found: readonly CheckReport[];
  /** Revisions that do not say what their way back loses: it may be anything. */
  readonly unforeseen: readonly RevisionId[];
}

/**
 * What a downgrade to `target` would lose, by the checks before the downgrade of each revision on the way.
 *
 * @throws as `plan` does
 */
export async function lossOfDowngrade(options: MigratorOptions, target: string): Promise<Loss> {
  return visit(options, 'loss', async (visiting) => {
    const { chain } = visiting.database;
    const { pending } = await makePlan(visiting.client, visiting.database, 'downgrade', target);
    const revisions = pending.map((id) => revisionOf(chain, id));
    const found: CheckReport[] = [];
    for (const { id, checks } of revisions)
      found.push(...(await failed(visiting, id, checks['before-downgrade'])));
    const unforeseen = revisions.filter(({ checks }) => checks['before-downgrade'].length === 0);
    return { found, unforeseen: unforeseen.map(({ id }) => id) };
  });
}

/**
 * What a finalize would lose: the rows of the retired tables.
 *
 * @param upTo the revision to which an upgrade goes first: what it will have retired by then is not foreseen
 */
export async function lossOfFinalize(options: MigratorOptions, upTo?: string): Promise<Loss> {
  return visit(options, 'loss', async (visiting) => {
    const { client, database } = visiting;
    const { finalizePending, pending } = await makePlan(client, database, 'upgrade', upTo ?? '+0');
    const found: CheckReport[] = [];
    for (const id of finalizePending)
      found.push(...(await failed(visiting, id, [await retiredRows(client, id)])));
    return { found, unforeseen: pending.filter((id) => revisionOf(database.chain, id).finalize) };
  });
}

async function failed(
  { client, bounds }: Visit,
  revision: RevisionId,
  checks: readonly Check[],
): Promise<readonly CheckReport[]> {
  const report = await runChecks(
    client,
    revision,
    'before-downgrade',
    checks,
    bounds.transactionMs,
    () => {},
  );
  return report.checks.filter(({ passed }) => !passed);
}

/** The check that no table which this revision retired holds a row. */
async function retiredRows(client: pg.Client, revision: RevisionId): Promise<Check> {
  const { rows } = await client.query<{ name: string; table: string }>(
    `SELECT c.relname AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS table
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY c.relname`,
    [`retired_${revision}`],
  );
  const counts = rows.map(
    ({ name, table }) => `SELECT ${client.escapeLiteral(name)} AS table_name, count(*) AS rows FROM ${table}`,
  );
  const all = counts.length === 0 ? "SELECT '' AS table_name, 0 AS rows" : counts.join(' UNION ALL ');
  const title = 'no retired table holds rows';
  return {
    id: 'V0.3',
    title,
    shownAs: [`V0.3 ${title}`],
    sql: `SELECT * FROM (${all}) AS counted WHERE rows > 0`,
  };
}
