// Backstop's memory in the database: who ran what, when, and how did it end. One table, backstop.history.
import { bounded } from '../model/bounded.ts';
import type { BackstopError } from '../model/errors.ts';
import type { FailureReport, HistoryEntry, LoggedRun } from '../model/history-entry.ts';
import type { Direction, RevisionId, RunReport, StepReport } from '../model/report.ts';
import type { Queries } from '../session/client.ts';
import { closeToOthers } from './ownership.ts';
import { remembered } from './remembered.ts';

export function failureReport(error: BackstopError, attempts: number): FailureReport {
  const { name, summary: message, detail, hint, location } = error;
  return bounded({ error: name, message, detail, hint, attempts, ...(location && { location }) });
}

/** Creates the table where it is missing. A committed run leaves it behind; see {@link hasHistory}. */
export async function createHistory(queries: Queries): Promise<void> {
  // Asked first: IF NOT EXISTS needs the right to create in the database even if schema and table exist.
  if (await hasHistory(queries)) return;
  const { rows } = await queries.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'backstop'");
  const isNew = rows.length === 0;
  if (isNew) await queries.query('CREATE SCHEMA IF NOT EXISTS backstop');
  await queries.query(`CREATE TABLE backstop.history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    execution_arn text,
    database_user text NOT NULL DEFAULT session_user,
    direction text NOT NULL,
    from_revision text NOT NULL,
    to_revision text NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms double precision NOT NULL,
    outcome text NOT NULL,
    checksums jsonb NOT NULL,
    report jsonb NOT NULL)`);
  await queries.query(
    "COMMENT ON TABLE backstop.history IS 'Every run of Backstop on this database, failures too'",
  );
  await closeToOthers(queries, { schemas: isNew ? ['backstop'] : [], tables: ['backstop.history'] });
}

export async function hasHistory(queries: Queries): Promise<boolean> {
  const { rows } = await queries.query("SELECT pg_catalog.to_regclass('backstop.history') AS oid");
  return rows[0]?.oid !== null;
}

/** Adds a run to the table, which must be there. */
export async function remember(queries: Queries, entry: HistoryEntry): Promise<void> {
  await queries.query(
    `INSERT INTO backstop.history
       (run_id, execution_arn, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      entry.runId,
      entry.execution ?? null,
      entry.direction,
      entry.from,
      entry.to,
      entry.startedAt,
      entry.durationMs,
      entry.outcome,
      JSON.stringify(entry.checksums),
      reportText(entry.report),
    ],
  );
}

/** jsonb takes 255 MB. */
const LARGEST_WHOLE_REPORT = 200_000_000;

/** As it is, unless it is too large for the server. */
function reportText(report: HistoryEntry['report']): string {
  const isLarge =
    'steps' in report && report.steps.reduce((sum, step) => sum + sizeOf(step), 0) > LARGEST_WHOLE_REPORT;
  return JSON.stringify(isLarge ? bounded(report) : report);
}

/** Roughly, in bytes. */
function sizeOf({ notices }: StepReport): number {
  return notices.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 40, 0);
}

/** Whether the history knows the run: it does once its transaction is committed, because that wrote the row. */
export async function isRemembered(queries: Queries, runId: string): Promise<boolean> {
  if (!(await hasHistory(queries))) return false;
  const { rows } = await queries.query('SELECT FROM backstop.history WHERE run_id = $1', [runId]);
  return rows.length > 0;
}

/**
 * The reports of the transactions that the last run of that direction in this execution committed, in their order;
 * empty without such a run. One transaction begins where the one before it ended.
 */
export async function committedRuns(
  queries: Queries,
  execution: string,
  direction: Direction,
): Promise<RunReport[]> {
  if (!(await hasHistory(queries))) return [];
  const { rows } = await queries.query<{ report: RunReport }>(
    `SELECT report FROM backstop.history
     WHERE execution_arn = $1 AND direction = $2 AND report ->> 'outcome' = outcome
     ORDER BY id DESC`,
    [execution, direction],
  );
  const reports = rows.map(({ report }) => bounded(remembered(report)));
  const broken = reports.findIndex(({ to }, index) => index > 0 && to !== reports[index - 1]?.from);
  return reports.slice(0, broken < 0 ? undefined : broken).reverse();
}

/** The last run that moved the database or wrote its version; undefined if the history has no such run. */
export async function lastChange(
  queries: Queries,
): Promise<Pick<LoggedRun, 'execution' | 'user' | 'from' | 'to' | 'outcome'> | undefined> {
  if (!(await hasHistory(queries))) return undefined;
  const { rows } = await queries.query<LoggedRun>(
    `SELECT execution_arn AS execution, database_user AS "user", from_revision AS "from", to_revision AS "to", outcome
     FROM backstop.history WHERE outcome IN ('upgraded', 'downgraded', 'stamped') ORDER BY id DESC LIMIT 1`,
  );
  return rows[0];
}

/** So many runs of a long history are read one by one, the last ones. */
const RUNS_READ = 10_000;

/** Revision id → checksum with which it was last applied, as far as the last and the first runs of the history know. */
export async function appliedChecksums(queries: Queries): Promise<Map<RevisionId, string>> {
  if (!(await hasHistory(queries))) return new Map();
  const upgrades = (order: string) =>
    `(SELECT id, checksums FROM backstop.history WHERE outcome = 'upgraded' ORDER BY id ${order} LIMIT ${RUNS_READ})`;
  const { rows } = await queries.query<{ revision: string; checksum: string }>(
    `SELECT DISTINCT ON (applied.key) applied.key AS revision, applied.value AS checksum
     FROM (${upgrades('DESC')} UNION ALL ${upgrades('ASC')}) AS h,
          pg_catalog.jsonb_each_text(h.checksums) AS applied
     ORDER BY applied.key, h.id DESC`,
  );
  return new Map(rows.map(({ revision, checksum }) => [revision, checksum]));
}

/**
 * Revision id → the transaction that applied it last, as the `xmin` of the rows that it wrote; without those of which the
 * history does not know.
 */
export async function upgradeTransactions(
  queries: Queries,
  revisions: readonly RevisionId[],
): Promise<ReadonlyMap<RevisionId, string>> {
  if (!(await mayReadHistory(queries))) return new Map();
  const { rows } = await queries.query<{ revision: string; xid: string }>(
    `SELECT DISTINCT ON (revision) revision, h.xmin::text AS xid
     FROM pg_catalog.unnest($1::text[]) AS revision
     JOIN backstop.history AS h ON outcome = 'upgraded' AND pg_catalog.jsonb_exists(checksums, revision)
     ORDER BY revision, id DESC`,
    [revisions],
  );
  return new Map(rows.map(({ revision, xid }) => [revision, xid]));
}

/** A run that moved the version, and the revisions that it applied or took back. */
export interface Move extends Pick<LoggedRun, 'from' | 'to' | 'outcome'> {
  readonly revisions: readonly RevisionId[];
}

/**
 * The runs that moved the version, the first one first, from the last stamp on: a stamp says where the database is,
 * whatever was run before. If the history is long, the first of them stands for all before the last 10,000. Empty if there is no
 * history, or this user may not read it.
 */
export async function readMoves(queries: Queries): Promise<Move[]> {
  if (!(await mayReadHistory(queries))) return [];
  // Earlier versions kept what a downgrade took back only in its report, which is large.
  const { rows } = await queries.query<Move & { readonly id: string }>(
    `SELECT id::text AS id, outcome, from_revision AS "from", to_revision AS "to",
            CASE WHEN outcome = 'downgraded' AND checksums = '{}'
              THEN ARRAY(SELECT pg_catalog.jsonb_path_query(report, '$.revisions[*]') #>> '{}')
              ELSE ARRAY(SELECT pg_catalog.jsonb_object_keys(checksums)) END AS revisions
     FROM (SELECT * FROM backstop.history WHERE outcome IN ('upgraded', 'downgraded', 'stamped')
           ORDER BY id DESC LIMIT ${RUNS_READ}) AS last
     ORDER BY id`,
  );
  const stamp = rows.findLastIndex(({ outcome }) => outcome === 'stamped');
  const [first] = rows;
  if (stamp >= 0 || rows.length < RUNS_READ || first === undefined) return rows.slice(Math.max(0, stamp));
  return [await readBefore(queries, first), ...rows];
}

/** All runs before a run as one, from the last stamp on: the server counts them, which is quicker than to send them. */
async function readBefore(queries: Queries, { id, from }: Move & { readonly id: string }): Promise<Move> {
  const { rows } = await queries.query<{ begin: RevisionId | null; revisions: RevisionId[] }>(
    `WITH alike AS (
       SELECT checksums, pg_catalog.max(id) AS id, pg_catalog.max(id) FILTER (WHERE outcome = 'upgraded') AS applied
       FROM backstop.history WHERE outcome IN ('upgraded', 'downgraded') AND id < $1 GROUP BY checksums),
     named AS (
       SELECT key, pg_catalog.max(id) AS id, pg_catalog.max(applied) AS applied
       FROM alike CROSS JOIN LATERAL pg_catalog.jsonb_object_keys(checksums) AS key GROUP BY key),
     stamp AS (SELECT pg_catalog.max(h.id) AS id FROM backstop.history AS h WHERE outcome = 'stamped' AND h.id < $1)
     SELECT coalesce((SELECT to_revision FROM backstop.history AS h JOIN stamp USING (id)),
                     (SELECT from_revision FROM backstop.history
                      WHERE outcome IN ('upgraded', 'downgraded') ORDER BY id LIMIT 1)) AS begin,
            ARRAY(SELECT key FROM named CROSS JOIN stamp
                  WHERE named.id = applied AND named.id > coalesce(stamp.id, 0)) AS revisions`,
    [id],
  );
  const { begin, revisions } = rows[0] ?? { begin: null, revisions: [] };
  return { outcome: 'upgraded', from: begin ?? from, to: from, revisions };
}

export async function mayReadHistory(queries: Queries): Promise<boolean> {
  const { rows } = await queries.query<{ may: boolean }>(
    `SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = 'backstop' AND c.relname = 'history'`,
  );
  return rows[0]?.may === true;
}

/** The last `limit` runs, the newest first; empty if there is no history yet. */
export async function readHistory(queries: Queries, limit: number): Promise<LoggedRun[]> {
  if (!(await hasHistory(queries))) return [];
  const { rows } = await queries.query<LoggedRun>(
    `SELECT run_id AS "runId", execution_arn AS execution, database_user AS "user", direction, from_revision AS "from",
            to_revision AS "to", started_at AS "startedAt", duration_ms AS "durationMs", outcome, report
     FROM backstop.history ORDER BY id DESC LIMIT $1`,
    [limit],
  );
  return rows.map(({ report, ...run }) => ({ ...run, report: bounded(remembered(report)) }));
}
