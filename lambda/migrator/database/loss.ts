// What would be lost for good: asked of the database before it happens.
import type pg from 'pg';
import type { CheckReport, RevisionId } from '../model/report.ts';
import { revisionOf } from '../revisions/chain.ts';
import type { Check } from '../revisions/revision.ts';
import type { Visit } from '../session/visit.ts';
import { runChecks } from './checks.ts';

/** What the downgrades of these revisions would lose, as far as their checks before the downgrade say. */
export async function foreseeLosses(
  visiting: Visit,
  revisions: readonly RevisionId[],
): Promise<readonly CheckReport[]> {
  const found: CheckReport[] = [];
  for (const id of revisions) {
    const { checks } = revisionOf(visiting.database.chain, id);
    found.push(...(await failed(visiting, id, checks['before-downgrade'])));
  }
  return found;
}

/** The rows that the finalize of these revisions would drop. */
export async function retiredRows(
  visiting: Visit,
  revisions: readonly RevisionId[],
): Promise<readonly CheckReport[]> {
  const found: CheckReport[] = [];
  for (const id of revisions) {
    found.push(...(await failed(visiting, id, [await noRetiredRows(visiting.client, id)])));
  }
  return found;
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
async function noRetiredRows(client: pg.Client, revision: RevisionId): Promise<Check> {
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
