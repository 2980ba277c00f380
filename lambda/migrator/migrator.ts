// The verbs: plan, upgrade, downgrade, finalize, validate, reconcile. Every other file of this folder serves them.
import { randomUUID } from 'node:crypto';
import { idAt, position, revisionOf } from './chain.ts';
import { refusedBy, runChecks } from './checks.ts';
import type { Database } from './databases.ts';
import { MigrationFailed, NotAtTarget } from './errors.ts';
import { committedRun } from './history.ts';
import { Observer } from './observer.ts';
import { findFinalizePending, makePlan } from './plan.ts';
import {
  BASE,
  type Direction,
  type Plan,
  type RevisionId,
  type RunReport,
  type ValidationReport,
} from './report.ts';
import type { Phase } from './revision.ts';
import type { Leg } from './run.ts';
import { takeRunnerLock } from './runner-lock.ts';
import { runTransaction } from './transaction.ts';
import { readVersion } from './version-table.ts';
import { type MigratorOptions, type Visit, visit } from './visit.ts';

export interface RunOptions {
  /** Everything up to COMMIT, then ROLLBACK, and the same report. Default: false. */
  readonly dryRun?: boolean;
}

/**
 * What an upgrade or downgrade to `target` would do now. Writes nothing.
 *
 * Runs the checks before the upgrade too: what they find is refused here, before anything is locked.
 *
 * @throws UnknownRevision, InvalidInput for the target; the refusals of the checks; what {@link visit} throws
 */
export async function plan(
  options: MigratorOptions,
  direction: Plan['direction'],
  target: string,
): Promise<Plan> {
  return visit(options, 'plan', (visiting) => planned(visiting, direction, target));
}

/**
 * Upgrades to `target` in one transaction; without anything pending it changes nothing.
 *
 * @throws what {@link plan} and `runTransaction` throw
 */
export async function upgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false }: RunOptions = {},
): Promise<RunReport> {
  return run(options, 'upgrade', dryRun, (visiting) => planned(visiting, 'upgrade', target));
}

export interface DowngradeOptions extends RunOptions {
  /**
   * Whether the tables that the upgrades retired must still be there to come back: a step back that nobody asked
   * for refuses to bring them back empty. Default: false.
   */
  readonly withRows?: boolean;
}

/**
 * Downgrades to `target` in one transaction; what was retired comes back with every row.
 *
 * @throws MigrationFailed where the rows must come back and are gone; otherwise as upgrade does
 */
export async function downgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false, withRows = false }: DowngradeOptions = {},
): Promise<RunReport> {
  return run(options, 'downgrade', dryRun, async (visiting) => {
    const found = await planned(visiting, 'downgrade', target);
    if (withRows) requireRetired(found, visiting.database);
    return found;
  });
}

function requireRetired({ pending, finalizePending }: Plan, { chain }: Database): void {
  const gone = pending.filter((id) => revisionOf(chain, id).finalize && !finalizePending.includes(id));
  if (gone.length === 0) return;
  throw new MigrationFailed({
    message: `What ${gone.join(', ')} retired has been finalized by now`,
    detail: 'A downgrade would bring the tables back empty, and drop what was added.',
    hint: 'Look into backstop.history for who it was. Nothing was changed: correct the data, or downgrade on purpose.',
  });
}

/**
 * Makes final what the applied revisions retired.
 *
 * @param at where the database must be; without it, wherever it is
 * @throws NotAtTarget where it is somewhere else; otherwise as upgrade does
 */
export async function finalize(options: MigratorOptions, at?: RevisionId): Promise<RunReport> {
  return run(options, 'finalize', false, async ({ client, database }) => {
    const current = await readVersion(client);
    if (at !== undefined && current !== at) {
      throw new NotAtTarget({
        message: `The database is at ${current}, not at ${at}: it was moved after it had been validated`,
        hint: 'Look into backstop.history for who it was, then start a new execution.',
      });
    }
    return {
      from: current,
      to: current,
      pending: await findFinalizePending(client, database.chain, current),
    };
  });
}

/**
 * Runs the checks that belong to where the database is: after an upgrade those of its revision, after a
 * downgrade those of the revision that was taken back.
 *
 * @param at where the database must be; if it is not, that is the one check, and it does not hold
 */
export async function validate(
  options: MigratorOptions,
  phase: Phase,
  at?: RevisionId,
): Promise<ValidationReport> {
  return visit(options, 'validate', async ({ client, database: { chain }, bounds, listener }) => {
    const current = await readVersion(client);
    if (at !== undefined && current !== at) return elsewhere(phase, current, at);
    const count = position(chain, current);
    const revision = chain.revisions[phase === 'after-upgrade' ? count - 1 : count];
    const checks = revision?.checks[phase] ?? [];
    return runChecks(client, revision?.id ?? BASE, phase, checks, bounds.transactionMs, listener);
  });
}

function elsewhere(phase: Phase, current: RevisionId, at: RevisionId): ValidationReport {
  const place = { revision: at, id: 'V0.1', title: `the database is at ${at}` };
  const verdict = { passed: false, violations: 1, rows: [{ revision: current }], durationMs: 0 };
  return { revision: at, phase, passed: false, checks: [{ ...place, ...verdict }], durationMs: 0 };
}

/** What the database says of a run whose answer was lost. */
export interface Truth {
  /** Where the database is. */
  readonly revision: RevisionId;
  /** The report that the execution's upgrade left in the history, if it was committed. */
  readonly upgrade: RunReport | undefined;
}

/**
 * Asks the database what became of the upgrade of this execution. Waits for the runner lock first, so that a
 * run that is still alive has ended when the question is asked.
 */
export async function reconcile(options: MigratorOptions): Promise<Truth> {
  return visit(options, 'reconcile', async ({ client, bounds, listener, execution }) => {
    await takeRunnerLock(client, bounds.lockWaitMs, listener);
    const upgraded = execution === undefined ? undefined : await committedRun(client, execution, 'upgrade');
    return { revision: await readVersion(client), upgrade: upgraded };
  });
}

async function planned(visiting: Visit, direction: Plan['direction'], target: string): Promise<Plan> {
  const { client, database, bounds, listener } = visiting;
  const found = await makePlan(client, database.chain, direction, target);
  const { from, to, pending } = found;
  listener({ type: 'planned', from, to, pending });
  if (direction === 'downgrade') return found;
  for (const id of pending) {
    const checks = revisionOf(database.chain, id).checks['before-upgrade'];
    const validation = await runChecks(client, id, 'before-upgrade', checks, bounds.transactionMs, listener);
    if (!validation.passed) throw refusedBy(validation);
  }
  return found;
}

/** The order of every run that changes something: connect, lock, read the version and plan, one transaction. */
async function run(
  options: MigratorOptions,
  direction: Direction,
  dryRun: boolean,
  decide: (visiting: Visit) => Promise<Pick<Plan, 'from' | 'to' | 'pending'>>,
): Promise<RunReport> {
  const started = performance.now();
  const startedAt = new Date();
  const runId = randomUUID();
  return visit(options, `${direction} ${runId}`, async (visiting) => {
    const { client, pid, database, connect, bounds, listener, execution } = visiting;
    await takeRunnerLock(client, bounds.lockWaitMs, listener);
    const { from, to, pending } = await decide(visiting);
    if (pending.length === 0) {
      // Asked for twice, because the first answer was lost: the answer is the same.
      const done = execution === undefined ? undefined : await committedRun(client, execution, direction);
      return done ?? nothingToDo(runId, direction, from, performance.now() - started);
    }
    const legs = pending.map((id) => makeLeg(database, direction, id));
    const observer = new Observer(connect, `backstop observer ${runId}`);
    const what = { runId, execution, direction, from, to, legs, dryRun, bounds, started, startedAt };
    try {
      return await runTransaction({ ...what, client, pid, connect, observer, listener });
    } finally {
      await observer.end();
    }
  });
}

function makeLeg({ chain }: Database, direction: Direction, id: RevisionId): Leg {
  const revision = revisionOf(chain, id);
  const before = idAt(chain, position(chain, id) - 1);
  const script = revision[direction];
  if (!script) throw new Error(`revision ${id} has no ${direction}`);
  if (direction === 'finalize') return { revision, script, from: id, to: id };
  return direction === 'upgrade'
    ? { revision, script, from: before, to: id }
    : { revision, script, from: id, to: before };
}

function nothingToDo(runId: string, direction: Direction, at: RevisionId, durationMs: number): RunReport {
  const changes = { revisions: [], steps: [], retired: [], restored: [], created: [], dropped: [], rows: [] };
  const effort = { exclusiveMs: {}, walBytes: 0, attempts: 0, blockers: [], durationMs };
  return { runId, direction, outcome: 'nothing to do', from: at, to: at, ...changes, ...effort };
}
