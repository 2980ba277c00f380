// The checks of a revision, run on a database in use: no session waits for them, and they leave nothing behind.
import pg from 'pg';
import { BackstopError, cutLines, ENDINGS, isEndingName } from '../model/errors.ts';
import type { Listener } from '../model/events.ts';
import { formatLocation } from '../model/location.ts';
import { toJson } from '../model/printable.ts';
import {
  type CheckReport,
  type GatherReport,
  NOT_SHOWN,
  type RevisionId,
  type ValidationReport,
} from '../model/report.ts';
import type { Check, Gather, Phase } from '../revisions/check.ts';
import { type Pieces, type Source, textOf } from '../revisions/origin.ts';
import { pathValue } from '../revisions/search-path.ts';
import type { Queries } from '../session/client.ts';
import { stepError } from '../session/sqlstate.ts';
import { rollBack } from './briefly.ts';
import { createHistory } from './history.ts';
import { shownRows, WORDS } from './shown.ts';
import { requireNoStrangers } from './strangers.ts';

/** How many of the violating rows a report carries. */
const ROWS_REPORTED = 20;
/** Longer text is cut: a report travels in the state of an execution, which holds 256 KiB. */
const CHARACTERS_REPORTED = 200;
/** The column that a violating row gets in addition: how many there are. */
const COUNT = 'backstop_violations';

/** The checks of one phase of a revision. */
export interface Checking {
  readonly revision: RevisionId;
  readonly phase: Phase;
  readonly checks: readonly Check[];
}

/** How checks are run: the time limit for all of them together, in ms, and who receives their events. */
export interface CheckOptions {
  readonly timeoutMs: number;
  /** Tables by which the owner of the database's tables is known. */
  readonly known: readonly string[];
  /** @default - no listener */
  readonly listener?: Listener;
}

/**
 * Runs checks one after the other in one snapshot of the database, and rolls back. Their shared temporary tables are
 * made first, once for all checks; if no temporary table may be made, each check computes them itself.
 *
 * @throws MigrationFailed if the query of a check itself fails: its verdict would be worth nothing; StrangersOverload
 */
export async function runChecks(
  queries: Queries,
  checking: Checking,
  options: CheckOptions,
): Promise<ValidationReport> {
  await queries.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  try {
    return await judge(queries, checking, options);
  } finally {
    await rollBack(queries);
  }
}

/**
 * Runs checks in the transaction that is open, and leaves nothing behind in it: it can go on, and write, even if a check
 * fails. Other transactions may commit between one check and the next.
 *
 * @param prepare is rolled back with the checks
 * @throws MigrationFailed as {@link runChecks} does; the error of the connection if it is lost
 */
export async function runChecksWithin(
  queries: Queries,
  checking: Checking,
  options: CheckOptions,
  prepare: () => Promise<void> = async () => {},
): Promise<ValidationReport> {
  await queries.query('SAVEPOINT backstop_checks');
  const result = await prepare()
    .then(() => judge(queries, checking, options))
    .catch((error: unknown) => ({ error }));
  // With it end the temporary tables, the time limit, and that the transaction may only read.
  await queries.query('ROLLBACK TO SAVEPOINT backstop_checks');
  await queries.query('RELEASE SAVEPOINT backstop_checks');
  if ('error' in result) throw result.error;
  return result;
}

/** Runs checks in the transaction that is open, which may only read from then on. */
async function judge(
  queries: Queries,
  { revision, phase, checks }: Checking,
  { timeoutMs, known, listener = () => {} }: CheckOptions,
): Promise<ValidationReport> {
  const started = performance.now();
  const gathers = [...new Set(checks.flatMap((check) => check.gathers ?? []))];
  const gathered: GatherReport[] = [];
  const reports: CheckReport[] = [];
  const begin = (searchPath: readonly string[] = []) => {
    const leftMs = Math.max(1, Math.round(timeoutMs - (performance.now() - started)));
    const path = searchPath.length === 0 ? '' : `; SET LOCAL search_path TO ${pathValue(searchPath)}`;
    // In one message with the bound: a query before may have called set_config.
    return queries.query(`${queries.neutral ?? ''}SET LOCAL statement_timeout = '${leftMs}ms'${path}`);
  };
  await begin();
  const paths = checks.map(({ searchPath = [] }) => searchPath);
  await requireNoStrangers(queries, known, paths);
  // Checks may read the history. If there is none yet, an empty one is made until the rollback; not for every
  // check, because it would wait for a first run that is making the real one.
  if (checks.some(({ sql }) => sql.includes('backstop.history'))) await createHistory(queries);
  const together = gathers.length > 0 && (await mayMakeTables(queries));
  for (const gather of together ? gathers : []) {
    await begin(checks.find((check) => check.gathers?.includes(gather))?.searchPath);
    gathered.push(await runGather(queries, revision, gather));
  }
  await queries.query('SET TRANSACTION READ ONLY');
  for (const check of checks) {
    await begin(check.searchPath);
    const report = await runCheck(queries, revision, check, together ? [] : gathers);
    listener({ type: 'check completed', check: report });
    reports.push(report);
  }
  const passed = reports.every((report) => report.passed);
  const durationMs = performance.now() - started;
  return { revision, phase, passed, checks: reports, durationMs, ...(gathered.length > 0 && { gathered }) };
}

/** Not on a standby, nor in a session that may only read, nor where PUBLIC has lost the right. */
async function mayMakeTables(queries: Queries): Promise<boolean> {
  const { rows } = await queries.query<{ may: boolean }>(
    `SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')
        AND pg_catalog.current_setting('transaction_read_only') = 'off' AS may`,
  );
  return rows[0]?.may === true;
}

/** The server plans the query of a table as it plans any other: with parallel workers, where that pays. */
async function runGather(
  queries: Queries,
  revision: RevisionId,
  { title, table, query }: Gather,
): Promise<GatherReport> {
  const started = performance.now();
  const made = `CREATE TEMPORARY TABLE ${pg.escapeIdentifier(table)} ON COMMIT DROP AS SELECT * FROM (\n`;
  const pieces = [made, query, '\n) AS gathered'];
  const { rowCount } = await queries.query(textOf(pieces)).catch((error) => {
    throw stepError(error, `gather ${table} of ${revision} (${title})`, { pieces });
  });
  return { title, table, rows: Number(rowCount), durationMs: performance.now() - started };
}

/** @param within the common table expressions that the check reads in place of temporary tables */
async function runCheck(
  queries: Queries,
  revision: RevisionId,
  check: Check,
  within: readonly Gather[],
): Promise<CheckReport> {
  const started = performance.now();
  const { id, title, sql, origin, shownAs } = check;
  const pieces = [...gathering(within), ...countedAndLimited({ sql, origin })];
  const { rows, fields } = await queries.query<Record<string, unknown>>(textOf(pieces)).catch((error) => {
    throw stepError(error, `check ${id} of ${revision} (${title})`, { pieces });
  });
  const durationMs = performance.now() - started;
  const violating = rows.map(({ [COUNT]: _, ...row }) => row);
  const shown = await shownRows(queries, check, { rows: violating, fields });
  const isPartly = shown.some((row) => Object.values(row).includes(NOT_SHOWN));
  return {
    revision,
    id,
    title,
    shownAs,
    passed: rows.length === 0,
    violations: Number(rows[0]?.[COUNT] ?? 0),
    rows: shown.map(shortened),
    ...(isPartly && origin && { source: formatLocation({ ...origin, column: undefined }) }),
    durationMs,
  };
}

function shortened(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, WORDS.includes(column) ? value : shorten(value)]),
  );
}

function shorten(value: unknown): unknown {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
  if (typeof text !== 'string' || text.length <= CHARACTERS_REPORTED) return value;
  return `${text.slice(0, CHARACTERS_REPORTED)}…`;
}

/** As a WITH clause: the server evaluates only the tables that the check reads. */
function gathering(gathers: readonly Gather[]): Pieces {
  const tables = gathers.flatMap(({ table, query }, index) => [
    `${index === 0 ? 'WITH ' : ', '}${pg.escapeIdentifier(table)} AS MATERIALIZED (\n`,
    query,
    '\n)',
  ]);
  return gathers.length === 0 ? [] : [...tables, '\n'];
}

/** Counted by the server: every row of a large table may violate a check, and this process could not hold them. */
function countedAndLimited({ sql, origin }: Source): Pieces {
  return [
    `SELECT violating.*, pg_catalog.count(*) OVER () AS ${COUNT} FROM (\n`,
    { sql, origin },
    `\n) AS violating LIMIT ${ROWS_REPORTED}`,
  ];
}

/**
 * The ending for checks that fail before anything was done. A violating row may itself explain the failure, in
 * columns `error`, `message`, `detail` and `hint`.
 *
 * @param declared names of endings that the revision declares; `error` is one of them, or of the engine's own for an
 *   unchanged database
 */
export function refusedBy(validation: ValidationReport, declared: readonly string[]): BackstopError {
  const failed = validation.checks.find((check) => !check.passed);
  const row = failed?.rows[0] ?? {};
  const text = {
    message: String(row.message ?? `Check ${failed?.id} does not hold: ${failed?.title}`),
    detail: row.detail === undefined ? toJson(row) : String(row.detail),
    hint: row.hint === undefined ? correctRows(failed) : String(row.hint),
  };
  const name = String(row.error);
  const isHarmless = isEndingName(name) && ENDINGS[name].database === 'unchanged';
  const isKnown = declared.includes(name) || isHarmless;
  return new BackstopError(isKnown ? name : 'MigrationFailed', cutLines(text));
}

function correctRows(failed: CheckReport | undefined): string {
  const source = failed?.source;
  return source === undefined
    ? 'Correct these rows, then run again.'
    : `Correct these rows, which the query of ${source} shows; then run again.`;
}
