// The checks of a revision, run on a database that others go on using: no lock, nothing written.
import type pg from 'pg';
import { type BackstopError, ENDINGS, type EndingName, MigrationFailed, makeError } from './errors.ts';
import type { Listener } from './events.ts';
import { createHistory } from './history.ts';
import type { CheckReport, RevisionId, ValidationReport } from './report.ts';
import type { Check, Phase } from './revision.ts';
import { stepError } from './sqlstate.ts';

/** How many of the violating rows a report carries. */
const ROWS_REPORTED = 20;
/** Longer text is cut: a report travels in the state of an execution, which holds 256 KiB. */
const CHARACTERS_REPORTED = 200;
/** The column that a violating row gets in addition: how many there are. */
const COUNT = 'backstop_violations';

/**
 * Runs checks one after the other in one snapshot of the database, and rolls back.
 *
 * @param timeoutMs for all of them together
 * @throws MigrationFailed where a check's query itself fails: its verdict would be worth nothing
 */
export async function runChecks(
  client: pg.Client,
  revision: RevisionId,
  phase: Phase,
  checks: readonly Check[],
  timeoutMs: number,
  listener: Listener,
): Promise<ValidationReport> {
  const started = performance.now();
  const reports: CheckReport[] = [];
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  try {
    const limitTime = () => {
      const leftMs = Math.max(1, Math.round(timeoutMs - (performance.now() - started)));
      return client.query("SELECT pg_catalog.set_config('statement_timeout', $1, true)", [`${leftMs}ms`]);
    };
    await limitTime();
    // Checks may read the history. Where there is none yet, an empty one stands for it until the rollback; not
    // for every check, because it would wait for a first run that is making the real one.
    if (checks.some(({ sql }) => sql.includes('backstop.history'))) await createHistory(client);
    await client.query('SET TRANSACTION READ ONLY');
    for (const check of checks) {
      await limitTime();
      const report = await runCheck(client, revision, check);
      listener({ type: 'check completed', check: report });
      reports.push(report);
    }
  } finally {
    await client.query('ROLLBACK').catch(() => {});
  }
  const passed = reports.every((report) => report.passed);
  return { revision, phase, passed, checks: reports, durationMs: performance.now() - started };
}

async function runCheck(
  client: pg.Client,
  revision: RevisionId,
  { id, title, sql, shownAs }: Check,
): Promise<CheckReport> {
  const started = performance.now();
  const { rows } = await client.query<Record<string, unknown>>(countedAndLimited(sql)).catch((error) => {
    throw stepError(error, `check ${id} of ${revision} (${title})`);
  });
  return {
    revision,
    id,
    title,
    shownAs,
    passed: rows.length === 0,
    violations: Number(rows[0]?.[COUNT] ?? 0),
    rows: rows.map(({ [COUNT]: _, ...row }) => shortened(row)),
    durationMs: performance.now() - started,
  };
}

/** The columns in which a check speaks for itself, see {@link refusedBy}. */
const WORDS = ['error', 'message', 'detail', 'hint'];

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

/** Counted by the server: every row of a large table may violate a check, and this process could not hold them. */
function countedAndLimited(sql: string): string {
  const query = sql.replace(/;(\s|--.*)*$/, '');
  return `SELECT violating.*, count(*) OVER () AS ${COUNT} FROM (\n${query}\n) AS violating LIMIT ${ROWS_REPORTED}`;
}

/**
 * The ending for checks that do not hold before anything was done. A violating row may itself say what it
 * means, in columns `error` (a name of ENDINGS), `message`, `detail` and `hint`, as V7.1 does for E1.
 */
export function refusedBy(validation: ValidationReport): BackstopError {
  const failed = validation.checks.find((check) => !check.passed);
  const row = failed?.rows[0] ?? {};
  const text = {
    message: String(row.message ?? `Check ${failed?.id} does not hold: ${failed?.title}`),
    detail: row.detail === undefined ? JSON.stringify(row) : String(row.detail),
    hint: row.hint === undefined ? 'Correct these rows, then run again.' : String(row.hint),
  };
  const name = String(row.error);
  return Object.hasOwn(ENDINGS, name) ? makeError(name as EndingName, text) : new MigrationFailed(text);
}
