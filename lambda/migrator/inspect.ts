// The verbs that change nothing: plan, validate, current, history, fingerprint.
import { readDifference } from './database/applied.ts';
import { runChecks } from './database/checks.ts';
import { readCurrent } from './database/current.ts';
import { readDifferencesSince, readFingerprint, readLines } from './database/fingerprint.ts';
import { committedRuns, readHistory } from './database/history.ts';
import { lossesOfStatements } from './database/loss.ts';
import { requireOurs } from './database/ours.ts';
import { adviseHeads, outOfOrder } from './database/out-of-order.ts';
import { findFinalizePending, makePlan } from './database/plan.ts';
import { prepareEstimate, preparePlan, requirePrivilegesOf, withDrift } from './database/prepare.ts';
import { withSecuredSession } from './database/secured.ts';
import { knownTables } from './database/trust.ts';
import { readVersions } from './database/version-table.ts';
import { bounded, ENTRIES_KEPT } from './model/bounded.ts';
import { DEFAULT_BOUNDS } from './model/bounds.ts';
import type { Fingerprint } from './model/differences.ts';
import type { BackstopError } from './model/errors.ts';
import type { LoggedRun } from './model/history-entry.ts';
import {
  BASE,
  type CheckReport,
  type DatabaseVerdict,
  type Plan,
  type RevisionId,
  type RunReport,
  type ValidationReport,
} from './model/report.ts';
import { position, revisionOf, type TwoHeads } from './revisions/chain.ts';
import type { Phase } from './revisions/check.ts';
import { partOf, scriptsOf } from './revisions/part.ts';
import type { Revision } from './revisions/revision.ts';
import { lacksDowngrade, requireRunnable } from './revisions/runnable.ts';
import { combine } from './run/combine.ts';
import { answered, type Queries } from './session/client.ts';
import { takeRunnerLock } from './session/runner-lock.ts';
import type { MigratorOptions, Session } from './session/session.ts';

// For programs that measure their own transactions, as the benchmark does.
export { readCurrent } from './database/current.ts';
export { readMoment, readRelations } from './database/evidence.ts';
export { Ledger } from './run/ledger.ts';

/**
 * Plans an upgrade or downgrade to `target` from the current revision, and estimates it. Writes nothing.
 *
 * Runs the checks before the upgrade too, and refuses the upgrade if they fail, before anything is locked. A lock that
 * would be held too long is reported, and not refused.
 *
 * @throws UnknownRevision, InvalidInput for the target; the refusals of the checks; the errors of {@link withSecuredSession}
 */
export async function plan(
  options: MigratorOptions,
  direction: Plan['direction'],
  target: string,
): Promise<Plan> {
  return withSecuredSession(options, 'plan', async (session) => {
    const found = await preparePlan(session, direction, target);
    if (found.pending.length === 0) return bounded(found);
    const { chain } = session.database;
    const revisions = found.pending.map((id) => revisionOf(chain, id));
    // An execution takes back what does not pass its checks.
    requireRunnable(revisions, 'downgrade');
    const withoutDowngrade = revisions.filter(lacksDowngrade).map(({ id }) => id);
    const parts = found.pending.map((id) => partOf(chain, direction, id));
    return bounded({
      ...found,
      ...(withoutDowngrade.length > 0 && { withoutDowngrade }),
      estimate: await prepareEstimate(session, scriptsOf(parts), false),
    });
  });
}

/**
 * Runs the checks that belong to where the database is: after an upgrade and before a downgrade those of its revision,
 * before an upgrade and after a downgrade those of the next one.
 *
 * @param at where the database must be; if it is not, that is the one check, and it does not hold
 */
export async function validate(
  options: MigratorOptions,
  phase: Phase,
  at?: RevisionId,
): Promise<DatabaseVerdict> {
  return withSecuredSession(options, 'validate', async (session) => {
    const { database, bounds, listener } = session;
    const { chain } = database;
    const current = await readCurrent(session, database);
    const finalizePending = await findFinalizePending(session, chain, current);
    if (at !== undefined && current !== at) return { ...elsewhere(phase, current, at), finalizePending };
    const count = position(chain, current);
    const isApplied = phase === 'after-upgrade' || phase === 'before-downgrade';
    const found = chain.revisions[isApplied ? count - 1 : count];
    if (found && phase === 'before-upgrade') await requirePrivilegesOf(session, [found], 'upgrade');
    const checking = { revision: found?.id ?? BASE, phase, checks: found?.checks[phase] ?? [] };
    const verdict = await runChecks(session, checking, {
      timeoutMs: bounds.transactionMs,
      listener,
      known: knownTables(database),
    });
    const more = await dropping(session, phase, found);
    const passed = verdict.passed && more.length === 0;
    const checks = failuresFirst([...verdict.checks, ...more]);
    return bounded({ ...verdict, passed, checks, finalizePending });
  });
}

/** The engine's own checks of a downgrade, as far as they do not hold. */
async function dropping(
  session: Session,
  phase: Phase,
  found: Revision | undefined,
): Promise<readonly CheckReport[]> {
  if (phase !== 'before-downgrade' || found === undefined) return [];
  const failed = await lossesOfStatements(session, [found.id]);
  for (const check of failed) session.listener({ type: 'check completed', check });
  return failed;
}

/** A failed check must not be left out of a report. */
function failuresFirst(checks: readonly CheckReport[]): readonly CheckReport[] {
  if (checks.length <= ENTRIES_KEPT) return checks;
  return checks.toSorted((one, two) => Number(one.passed) - Number(two.passed));
}

function elsewhere(phase: Phase, current: RevisionId, at: RevisionId): ValidationReport {
  const title = `the database is at ${at}`;
  const place = { revision: at, id: 'V0.1', title, shownAs: [`V0.1 ${title}`] };
  const verdict = { passed: false, violations: 1, rows: [{ revision: current }], durationMs: 0 };
  return { revision: at, phase, passed: false, checks: [{ ...place, ...verdict }], durationMs: 0 };
}

/** The outcome, according to the database, of a run whose answer was lost. */
export interface Truth {
  /** Where the database is. */
  readonly revision: RevisionId;
  /** The report that the execution's upgrade left in the history, if it was committed. */
  readonly upgrade: RunReport | undefined;
}

/**
 * Asks the database for the outcome of the upgrade of this execution. Waits for the runner lock first, so that a
 * run that is still alive has ended when the question is asked.
 */
export async function reconcile(options: MigratorOptions): Promise<Truth> {
  return withSecuredSession(options, 'reconcile', async (session) => {
    const { bounds, listener, execution } = session;
    await takeRunnerLock(session, bounds.lockWaitMs, listener);
    const done = execution === undefined ? [] : await committedRuns(session, execution, 'upgrade');
    const upgrade = done.length > 0 ? combine(done) : undefined;
    return { revision: (await readVersions(session)).join(', ') || BASE, upgrade };
  });
}

/**
 * The revision that the database is at; base if it has no revision.
 *
 * @throws UnknownRevision as {@link readCurrent} does; the errors of {@link withSecuredSession}
 */
export async function current(options: MigratorOptions): Promise<RevisionId> {
  return withSecuredSession(options, 'current', (session) => readCurrent(session, session.database));
}

/** Where a database is. */
export interface Place {
  readonly revision: RevisionId;
  /** The RevisionOutOfOrder with which an upgrade from here would end. */
  readonly wrong?: BackstopError | undefined;
}

/** The current revision, and whether the chain fits the history. Throws as {@link current} does. */
export async function readPlace(options: MigratorOptions): Promise<Place> {
  return withSecuredSession(options, 'current', async (session) => {
    const { database } = session;
    const revision = await readCurrent(session, database);
    const difference = await readDifference(session, database.chain, revision);
    return { revision, wrong: outOfOrder(database, revision, difference) };
  });
}

/**
 * The error of a chain with two heads, with the remedy that fits this database; the same error if it has applied both, or
 * none of them.
 */
export async function explainHeads(
  { connect, bounds = DEFAULT_BOUNDS }: Pick<MigratorOptions, 'connect' | 'bounds'>,
  error: TwoHeads,
): Promise<BackstopError> {
  // Not a session: that one knows its chain.
  const client = await connect('backstop heads');
  const queries: Queries = {
    query: (sql, values) => answered(client, client.query(sql, values), bounds.admissionMs),
  };
  try {
    await requireOurs(queries, { known: knownTables({ chain: error }), schemas: [] });
    return (await adviseHeads(queries, error)) ?? error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** The plan of an upgrade to head from the current revision. Unlike `plan` it runs no check. */
export async function inspect(options: MigratorOptions): Promise<Plan> {
  return withSecuredSession(options, 'status', async (session) =>
    bounded(await withDrift(session, await makePlan(session, session.database, 'upgrade', 'head'))),
  );
}

/** The last runs that the history remembers, the newest first. */
export async function log(options: MigratorOptions, limit: number): Promise<LoggedRun[]> {
  return withSecuredSession(options, 'log', (session) => readHistory(session, limit));
}

/**
 * Reads the fingerprint of the database.
 *
 * @param since the beginning of a run's id
 * @throws InvalidInput if the history does not know the run, or has no fingerprint of it
 */
export async function fingerprint(
  options: MigratorOptions,
  { lines = false, since }: { readonly lines?: boolean; readonly since?: string | undefined } = {},
): Promise<Fingerprint> {
  return withSecuredSession(options, 'fingerprint', async (session) => ({
    ...(since !== undefined && { differences: await readDifferencesSince(session, since) }),
    ...(lines && { lines: await readLines(session) }),
    hash: await readFingerprint(session),
  }));
}
