// The verbs that change a database or judge it: plan, upgrade, downgrade, finalize, stamp, validate, reconcile.
// Those that only look are in inspect.ts; every other file of this folder serves both.
import type pg from 'pg';
import { refusedBy, runChecks } from './database/checks.ts';
import { readCurrent } from './database/current.ts';
import { estimateCost } from './database/estimate.ts';
import { committedRun, lastChange } from './database/history.ts';
import { foreseeLosses } from './database/loss.ts';
import { findFinalizePending, makePlan } from './database/plan.ts';
import { readVersions } from './database/version-table.ts';
import { requireBriefLock } from './model/bounds.ts';
import { BackstopError } from './model/errors.ts';
import {
  BASE,
  type Estimate,
  type Plan,
  type RevisionId,
  type RunReport,
  type Standing,
  type ValidationReport,
} from './model/report.ts';
import { idAt, position, revisionOf } from './revisions/chain.ts';
import type { Database } from './revisions/databases.ts';
import type { Phase, Script, Step } from './revisions/revision.ts';
import { resolveTarget } from './revisions/target.ts';
import { change } from './run/change.ts';
import type { Leg } from './run/run.ts';
import { takeRunnerLock } from './session/runner-lock.ts';
import { look, type MigratorOptions, type Visit } from './session/visit.ts';

export interface RunOptions {
  /** Everything up to COMMIT, then ROLLBACK, and the same report. Default: false. */
  readonly dryRun?: boolean;
}

/**
 * What an upgrade or downgrade to `target` would do now, and what it would cost. Writes nothing.
 *
 * Runs the checks before the upgrade too: what they find is refused here, before anything is locked. A lock that would
 * be held too long is told of, and not refused.
 *
 * @throws UnknownRevision, InvalidInput for the target; the refusals of the checks; what {@link look} throws
 */
export async function plan(
  options: MigratorOptions,
  direction: Plan['direction'],
  target: string,
): Promise<Plan> {
  return look(options, 'plan', async (visiting) => {
    const found = await planned(visiting, direction, target);
    if (found.pending.length === 0) return found;
    const scripts = found.pending.map((id) => revisionOf(visiting.database.chain, id)[direction]);
    return { ...found, estimate: await estimated(visiting, scripts, false) };
  });
}

export interface UpgradeOptions extends RunOptions {
  /** Whether what the applied revisions retire is made final in the same transaction. Default: false. */
  readonly finalize?: boolean;
}

/**
 * Upgrades to `target` in one transaction; without anything pending it changes nothing.
 *
 * @throws LockTooLong where it would lock a table for longer than the bounds allow, unless it is a dry run; what {@link plan} and `runTransaction` throw
 */
export async function upgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false, finalize = false }: UpgradeOptions = {},
): Promise<RunReport> {
  return change(options, 'upgrade', dryRun, async (visiting) => {
    const { database } = visiting;
    const { from, to, pending, finalizePending } = await planned(visiting, 'upgrade', target);
    const upgrades = pending.map((id) => makeLeg(database, 'upgrade', id));
    const retiring = pending.filter((id) => revisionOf(database.chain, id).finalize);
    const finalizes = finalize
      ? [...finalizePending, ...retiring].map((id) => makeLeg(database, 'finalize', id))
      : [];
    const legs = [...upgrades, ...finalizes];
    if (upgrades.length === 0) {
      return { direction: legs.length > 0 ? 'finalize' : 'upgrade', from, to, legs };
    }
    const scripts = legs.map(({ script }) => script);
    const estimate = await estimated(visiting, scripts, !dryRun);
    return { direction: 'upgrade', from, to, legs, estimate };
  });
}

export interface DowngradeOptions extends RunOptions {
  /**
   * Whether the tables that the upgrades retired must still be there to come back: a step back that nobody asked
   * for refuses to bring them back empty. Default: false.
   */
  readonly withRows?: boolean;
  /** Whether to refuse where something would be lost that was written since the upgrade. Default: false. */
  readonly lossless?: boolean;
}

/**
 * Downgrades to `target` in one transaction; what was retired comes back with every row.
 *
 * @throws MigrationFailed where nothing may be lost and something would be; otherwise as upgrade does
 */
export async function downgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false, withRows = false, lossless = false }: DowngradeOptions = {},
): Promise<RunReport> {
  return change(options, 'downgrade', dryRun, async (visiting) => {
    const found = await planned(visiting, 'downgrade', target);
    if (withRows) requireRetired(found, visiting.database);
    if (lossless) await requireNothingWritten(visiting, found);
    const legs = found.pending.map((id) => makeLeg(visiting.database, 'downgrade', id));
    return { direction: 'downgrade', from: found.from, to: found.to, legs };
  });
}

function requireRetired({ pending, finalizePending }: Plan, { chain }: Database): void {
  const gone = pending.filter((id) => revisionOf(chain, id).finalize && !finalizePending.includes(id));
  if (gone.length === 0) return;
  throw new BackstopError('MigrationFailed', {
    message: `What ${gone.join(', ')} retired has been finalized by now`,
    detail: 'A downgrade would bring the tables back empty, and drop what was added.',
    hint: 'Look into backstop.history for who it was. Nothing was changed: correct the data, or downgrade on purpose.',
  });
}

/** By the checks before the downgrade, of those revisions that have some. */
async function requireNothingWritten(visiting: Visit, { pending }: Plan): Promise<void> {
  const losses = await foreseeLosses(visiting, pending);
  if (losses.length === 0) return;
  throw new BackstopError('MigrationFailed', {
    message: 'A downgrade would lose what was written since the upgrade',
    detail: losses
      .map(({ revision, title, rows }) => `${revision}: ${title}: ${JSON.stringify(rows)}`)
      .join('; '),
    hint: 'Nothing was changed: save these rows, or correct the data; then downgrade on purpose.',
  });
}

export interface FinalizeOptions extends RunOptions {
  /**
   * ARN of the execution that must have changed the database last: a finalize that comes later, and unasked, drops
   * only what its own execution has retired. Default: whoever it was.
   */
  readonly appliedBy?: string;
}

/**
 * Makes final what the applied revisions retired.
 *
 * @param at where the database must be; without it, wherever it is
 * @throws NotAtTarget where it is somewhere else, or was changed last by another than `appliedBy`; otherwise as
 *   upgrade does
 */
export async function finalize(
  options: MigratorOptions,
  at?: RevisionId,
  { dryRun = false, appliedBy }: FinalizeOptions = {},
): Promise<RunReport> {
  return change(options, 'finalize', dryRun, async ({ client, database }) => {
    const current = await readCurrent(client, database);
    if (at !== undefined && current !== at) {
      throw new BackstopError('NotAtTarget', {
        message: `The database is at ${current}, not at ${at}: it was moved after it had been validated`,
        hint: 'Look into backstop.history for who it was, then start a new execution.',
      });
    }
    const pending = await findFinalizePending(client, database.chain, current);
    if (appliedBy !== undefined && pending.length > 0) await requireAppliedBy(client, appliedBy);
    const legs = pending.map((id) => makeLeg(database, 'finalize', id));
    return { direction: 'finalize', from: current, to: current, legs };
  });
}

async function requireAppliedBy(client: pg.Client, execution: string): Promise<void> {
  const last = await lastChange(client);
  if (last?.execution === execution) return;
  throw new BackstopError('NotAtTarget', {
    message: `The database was changed by somebody else after ${execution}`,
    detail:
      last === undefined
        ? 'backstop.history knows of no change.'
        : `Last it was ${last.outcome}, ${last.from} -> ${last.to}, by ${last.user}${last.execution === null ? '' : ` in ${last.execution}`}.`,
    hint: 'Look into backstop.history for who it was; to finalize by hand, start an execution with {"action":"finalize"}.',
  });
}

export interface StampOptions {
  /** Whether to delete what the version table says now, which may be unknown or more than one. Default: false. */
  readonly purge?: boolean;
}

/**
 * Writes the version that `target` means, and runs nothing.
 *
 * @throws UnknownRevision for the target, and where the version is unknown or more than one and `purge` is false
 */
export async function stamp(
  options: MigratorOptions,
  target: string,
  { purge = false }: StampOptions = {},
): Promise<RunReport> {
  return change(options, 'stamp', false, async ({ client, database, listener }) => {
    const versions = purge ? await readVersions(client) : [await readCurrent(client, database)];
    const [version = BASE] = versions;
    const to = resolveTarget(database.chain, version, target);
    listener({ type: 'planned', from: versions.join(', ') || BASE, to, pending: [] });
    if (versions.length <= 1) {
      const legs = version === to ? [] : [stampLeg(version, to)];
      return { direction: 'stamp', from: version, to, legs };
    }
    const steps = [{ title: 'Deleting all versions', sql: 'DELETE FROM public.alembic_version' }];
    return { direction: 'stamp', from: versions.join(', '), to, legs: [stampLeg(BASE, to, steps)] };
  });
}

function stampLeg(from: RevisionId, to: RevisionId, steps: readonly Step[] = []): Leg {
  const script = { title: 'Stamp', steps, locks: ['public.alembic_version'], scans: [] };
  return { direction: 'stamp', revision: to, script, from, to };
}

/**
 * Runs the checks that belong to where the database is: after an upgrade and before a downgrade those of its revision,
 * before an upgrade and after a downgrade those of the next one.
 *
 * @param at where the database must be; if it is not, that is the one check, and it does not hold
 */
export async function validate(options: MigratorOptions, phase: Phase, at?: RevisionId): Promise<Standing> {
  return look(options, 'validate', async ({ client, database, bounds, listener }) => {
    const { chain } = database;
    const current = await readCurrent(client, database);
    const finalizePending = await findFinalizePending(client, chain, current);
    if (at !== undefined && current !== at) return { ...elsewhere(phase, current, at), finalizePending };
    const count = position(chain, current);
    const isApplied = phase === 'after-upgrade' || phase === 'before-downgrade';
    const revision = chain.revisions[isApplied ? count - 1 : count];
    const checks = revision?.checks[phase] ?? [];
    const id = revision?.id ?? BASE;
    const verdict = await runChecks(client, id, phase, checks, bounds.transactionMs, listener);
    return { ...verdict, finalizePending };
  });
}

function elsewhere(phase: Phase, current: RevisionId, at: RevisionId): ValidationReport {
  const title = `the database is at ${at}`;
  const place = { revision: at, id: 'V0.1', title, shownAs: [`V0.1 ${title}`] };
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
  return look(options, 'reconcile', async ({ client, bounds, listener, execution }) => {
    await takeRunnerLock(client, bounds.lockWaitMs, listener);
    const upgraded = execution === undefined ? undefined : await committedRun(client, execution, 'upgrade');
    return { revision: (await readVersions(client)).join(', ') || BASE, upgrade: upgraded };
  });
}

async function planned(visiting: Visit, direction: Plan['direction'], target: string): Promise<Plan> {
  const { client, database, bounds, listener } = visiting;
  const found = await makePlan(client, database, direction, target);
  const { from, to, pending, edited } = found;
  for (const revision of edited) listener({ type: 'edited', revision });
  listener({ type: 'planned', from, to, pending });
  if (direction === 'downgrade') return found;
  for (const id of pending) {
    const checks = revisionOf(database.chain, id).checks['before-upgrade'];
    const validation = await runChecks(client, id, 'before-upgrade', checks, bounds.transactionMs, listener);
    if (!validation.passed) throw refusedBy(validation);
  }
  return found;
}

/** What the scripts would cost as one run, told. Where it is `binding`, throws LockTooLong instead of a warning. */
async function estimated(
  { client, bounds: { maxLockMs }, listener }: Visit,
  scripts: readonly Script[],
  binding: boolean,
): Promise<Estimate> {
  const estimate = await estimateCost(client, scripts);
  listener({ type: 'estimated', estimate });
  if (binding) requireBriefLock(estimate, maxLockMs);
  if (estimate.durationMs > maxLockMs) listener({ type: 'exceeding', estimate, maxLockMs });
  return estimate;
}

function makeLeg({ chain }: Database, direction: 'upgrade' | 'downgrade' | 'finalize', id: RevisionId): Leg {
  const revision = revisionOf(chain, id);
  const before = idAt(chain, position(chain, id) - 1);
  const script = revision[direction];
  if (!script) throw new Error(`revision ${id} has no ${direction}`);
  const leg = { direction, revision: id, script };
  switch (direction) {
    case 'upgrade':
      return { ...leg, from: before, to: id, checksum: revision.checksum };
    case 'downgrade':
      return { ...leg, from: id, to: before };
    case 'finalize':
      return { ...leg, from: id, to: id };
  }
}
