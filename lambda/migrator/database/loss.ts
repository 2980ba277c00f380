// Data that a run would lose for good: read from the database before the run.
import pg from 'pg';
import type { CheckReport, RevisionId } from '../model/report.ts';
import { revisionOf } from '../revisions/chain.ts';
import type { Check } from '../revisions/check.ts';
import type { Queries } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import { runChecks, runChecksWithin } from './checks.ts';
import { readRetiredColumns } from './retiring/record.ts';
import { takenAlong } from './retiring/taken-along.ts';
import { knownTables } from './trust.ts';
import { foreseeWayBack } from './way-back.ts';

/** How a question about losses is asked. */
export interface LossOptions {
  /** In the open transaction, which can go on afterwards; otherwise in its own. Default: false. */
  readonly within?: boolean;
  /** Whether the engine's own question leaves out the rows that the upgrade itself has written. Default: false. */
  readonly sinceUpgrade?: boolean;
}

/**
 * The data that the downgrades of these revisions would lose: according to their checks before the downgrade, and to the
 * statements of the downgrades.
 */
export async function foreseeLosses(
  session: Session,
  revisions: readonly RevisionId[],
  { within = false, sinceUpgrade = false }: LossOptions = {},
): Promise<readonly CheckReport[]> {
  const found: CheckReport[] = [];
  for (const id of revisions) {
    const { checks } = revisionOf(session.database.chain, id);
    found.push(...(await failed(session, id, checks['before-downgrade'], within)));
  }
  return [...found, ...(await lossesOfStatements(session, revisions, { within, sinceUpgrade }))];
}

/** The part of {@link foreseeLosses} that no revision declares. */
export async function lossesOfStatements(
  session: Session,
  revisions: readonly RevisionId[],
  { within = false, sinceUpgrade = false }: LossOptions = {},
): Promise<readonly CheckReport[]> {
  const [begin, end] = within
    ? ['SAVEPOINT backstop_way_back', 'ROLLBACK TO SAVEPOINT backstop_way_back']
    : ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'ROLLBACK'];
  await session.query(begin);
  try {
    await session.query(`SET LOCAL statement_timeout = '${timeoutOf(session)}ms'`);
    return await foreseeWayBack(session, revisions, sinceUpgrade);
  } finally {
    await session.query(end).catch(() => {});
  }
}

/** An open transaction may have less time left. In ms. */
function timeoutOf({ bounds, leftMs }: Session): number {
  return Math.min(bounds.transactionMs, leftMs());
}

/** The rows that the finalize of these revisions would drop, and the objects of others that go with them. */
export async function retiredRows(
  session: Session,
  revisions: readonly RevisionId[],
): Promise<readonly CheckReport[]> {
  const found: CheckReport[] = [];
  for (const id of revisions) {
    found.push(...(await failed(session, id, [await noRetiredRows(session, id), nothingElse(id)])));
  }
  return found;
}

async function failed(
  session: Session,
  revision: RevisionId,
  checks: readonly Check[],
  within = false,
): Promise<readonly CheckReport[]> {
  const checking = { revision, phase: 'before-downgrade', checks } as const;
  const { database } = session;
  const options = { timeoutMs: timeoutOf(session), known: knownTables(database) };
  const report = await (within ? runChecksWithin : runChecks)(session, checking, options);
  return report.checks.filter(({ passed }) => !passed);
}

/** The check that no table and no column which this revision retired holds a value. */
async function noRetiredRows(queries: Queries, revision: RevisionId): Promise<Check> {
  const { rows } = await queries.query<{ name: string; table: string }>(
    `SELECT c.relname AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS table
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT EXISTS (
       -- Its rows are counted with its parent's.
       SELECT FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS parent ON parent.oid = i.inhparent
       WHERE i.inhrelid = c.oid AND parent.relnamespace = c.relnamespace)
     ORDER BY c.relname`,
    [`retired_${revision}`],
  );
  const columns = await readRetiredColumns(queries, revision);
  const counted = [...rows.map((row) => ({ ...row, column: '*' })), ...columns];
  const counts = counted.map(
    ({ name, table, column }) =>
      `SELECT ${pg.escapeLiteral(name)} AS table_name, pg_catalog.count(${column}) AS rows FROM ${table}`,
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

/** The check that no object of others depends on the retired tables of the revision. */
function nothingElse(revision: RevisionId): Check {
  const title = 'nothing else goes with the retired tables';
  const sql = takenAlong(pg.escapeLiteral(`retired_${revision}`));
  return { id: 'V0.6', title, shownAs: [`V0.6 ${title}`], sql };
}
