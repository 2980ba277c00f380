// The checks of a revision, run on a database that others go on using: no lock, nothing written.
import type pg from 'pg';
import { type BackstopError, ENDINGS, type EndingName, MigrationFailed, makeError } from './errors.ts';
import type { Listener } from './events.ts';
import { createHistory, hasHistory } from './history.ts';
import type { CheckReport, RevisionId, ValidationReport } from './report.ts';
import type { Check, Phase } from './revision.ts';
import { stepError } from './sqlstate.ts';

/** How many of the violating rows a report carries. */
const ROWS_REPORTED = 20;

/**
 * Runs checks one after the other in one snapshot of the database, and rolls back.
 *
 * @param timeoutMs for each check
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
    // Checks may read the history. Where there is none yet, an empty one stands for it until the rollback.
    if (!(await hasHistory(client))) await createHistory(client);
    await client.query('SET TRANSACTION READ ONLY');
    await client.query("SELECT pg_catalog.set_config('statement_timeout', $1, true)", [`${timeoutMs}ms`]);
    for (const check of checks) {
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
  { id, title, sql }: Check,
): Promise<CheckReport> {
  const started = performance.now();
  const { rows } = await client.query<Record<string, unknown>>(sql).catch((error) => {
    throw stepError(error, `check ${id} of ${revision} (${title})`);
  });
  return {
    revision,
    id,
    title,
    passed: rows.length === 0,
    violations: rows.length,
    rows: rows.slice(0, ROWS_REPORTED),
    durationMs: performance.now() - started,
  };
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
  return name in ENDINGS ? makeError(name as EndingName, text) : new MigrationFailed(text);
}
