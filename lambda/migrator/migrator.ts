// The verbs that change a database: upgrade, downgrade, finalize, stamp. The verbs that only read are in inspect.ts.
import { isSame, readDifference } from './database/applied.ts';
import { readCurrent } from './database/current.ts';
import { lastChange } from './database/history.ts';
import { foreseeLosses } from './database/loss.ts';
import { findFinalizePending } from './database/plan.ts';
import { prepareEstimate, preparePlan, tellUnwrapped } from './database/prepare.ts';
import { requirePrivileges } from './database/privileges.ts';
import { withSecuredRunner } from './database/secured.ts';
import { readVersions } from './database/version-table.ts';
import { requireNoDrift } from './model/drifted.ts';
import { BackstopError } from './model/errors.ts';
import { requireLeave } from './model/losing.ts';
import type { Planned } from './model/planned.ts';
import { toJson } from './model/printable.ts';
import { BASE, type Plan, type RevisionId, type RunReport } from './model/report.ts';
import { revisionOf } from './revisions/chain.ts';
import { type Part, partOf, scriptsOf, stampPart } from './revisions/part.ts';
import { resolveTarget } from './revisions/target.ts';
import { runTransaction } from './run/transaction.ts';
import { runTransactions } from './run/transactions.ts';
import type { Queries } from './session/client.ts';
import type { MigratorOptions, Session } from './session/session.ts';

export interface RunOptions {
  /** Everything up to COMMIT, then ROLLBACK, and the same report. Default: false. */
  readonly dryRun?: boolean;
}

/** The options of a run whose revisions have checks. */
export interface CheckedRunOptions extends RunOptions {
  /** Whether a dry run also runs the checks, and takes an upgrade back. Default: true. */
  readonly rehearse?: boolean;
  /** The plan that it must be. Default: any. */
  readonly planned?: Planned;
}

export interface UpgradeOptions extends CheckedRunOptions {
  /** Whether the applied revisions are finalized in the same transaction. Default: false. */
  readonly finalize?: boolean;
  /** Whether rows, and columns that hold some, may be lost for good. Default: false. */
  readonly allowLoss?: boolean;
  /** Whether drift is refused. Default: false. */
  readonly strict?: boolean;
}

/**
 * Upgrades to `target` in one transaction, or in several where a revision ends its own; if nothing is pending it changes nothing.
 *
 * @throws LockTooLong if it would lock a table for longer than the bounds allow, a dry run, too; WouldLoseData; the errors of `plan` and
 *   `runTransaction`
 */
export async function upgrade(
  options: MigratorOptions,
  target: string,
  {
    dryRun = false,
    finalize = false,
    rehearse = dryRun,
    allowLoss = false,
    strict = false,
    planned,
  }: UpgradeOptions = {},
): Promise<RunReport> {
  return withSecuredRunner(options, 'upgrade', async (runner) => {
    const { chain } = runner.database;
    const plan = await preparePlan(runner, 'upgrade', target, planned);
    if (strict) requireNoDrift(plan);
    if (!(dryRun || allowLoss)) requireLeave(plan, 'Nothing was changed.');
    const { from, to, pending, finalizePending } = plan;
    const upgrades = pending.map((id) => partOf(chain, 'upgrade', id));
    const retiring = pending.filter((id) => revisionOf(chain, id).finalize);
    const finalizes = finalize
      ? [...finalizePending, ...retiring].map((id) => partOf(chain, 'finalize', id))
      : [];
    const parts = [...upgrades, ...finalizes];
    tellUnwrapped(
      runner,
      finalizes.map(({ script }) => script),
    );
    const run = { ...runner, from, to, parts, dryRun, rehearse: dryRun && rehearse, strict };
    // A finalize was asked for: it drops what the same run retires.
    const leave = { allowLoss: allowLoss || finalizes.length > 0 };
    if (upgrades.length === 0) {
      return runTransactions({ ...run, direction: parts.length > 0 ? 'finalize' : 'upgrade' });
    }
    const estimate = await prepareEstimate(runner, scriptsOf(parts), true);
    return runTransactions({ ...run, ...leave, direction: 'upgrade', estimate });
  });
}

export interface DowngradeOptions extends CheckedRunOptions {
  /**
   * Whether the tables that the upgrades retired must still be there to come back: an automatic downgrade refuses
   * to bring them back empty. Default: false.
   */
  readonly withRows?: boolean;
  /** Whether to refuse if something would be lost that was written since the upgrade. Default: false. */
  readonly lossless?: boolean;
}

/**
 * Downgrades to `target` in one transaction; the retired tables come back with every row.
 *
 * @throws MigrationFailed if nothing may be lost and something would be; otherwise as upgrade does
 */
export async function downgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false, withRows = false, lossless = false, rehearse = dryRun, planned }: DowngradeOptions = {},
): Promise<RunReport> {
  return withSecuredRunner(options, 'downgrade', async (runner) => {
    const plan = await preparePlan(runner, 'downgrade', target, planned);
    if (withRows) requireRetired(runner, plan);
    if (lossless) await requireNothingWritten(runner, plan.pending);
    const { from, to, pending } = plan;
    const parts = pending.map((id) => partOf(runner.database.chain, 'downgrade', id));
    const run = { ...runner, from, to, parts, dryRun, rehearse: dryRun && rehearse };
    // Rows may be written until the tables are locked.
    const onceLocked = (revisions: readonly RevisionId[]) =>
      lossless ? requireNothingWritten(runner, revisions, true) : Promise.resolve();
    return runTransactions({ ...run, direction: 'downgrade', onceLocked });
  });
}

function requireRetired({ database: { chain } }: Session, { pending, finalizePending }: Plan): void {
  const gone = pending.filter((id) => revisionOf(chain, id).finalize && !finalizePending.includes(id));
  if (gone.length === 0) return;
  throw new BackstopError('MigrationFailed', {
    message: `The tables that ${gone.join(', ')} retired have been finalized since`,
    detail: 'A downgrade would bring the tables back empty, and drop everything that the upgrade added.',
    hint: 'backstop.history says who finalized them. Nothing was changed: correct the data, or downgrade on purpose.',
  });
}

/** @param within in the open transaction */
async function requireNothingWritten(
  session: Session,
  revisions: readonly RevisionId[],
  within = false,
): Promise<void> {
  const losses = await foreseeLosses(session, revisions, { within, sinceUpgrade: true });
  if (losses.length === 0) return;
  const isLoss = losses.some(({ id }) => id !== 'V0.5');
  throw new BackstopError('MigrationFailed', {
    message: isLoss
      ? 'A downgrade would lose data written since the upgrade'
      : 'Other objects depend on what a downgrade drops',
    detail: losses
      .map(({ revision, id, title, rows }) => `${revision}: ${id} ${title}: ${toJson(rows)}`)
      .join('; '),
    hint: 'Nothing was changed: save these rows, or correct the data; then downgrade on purpose.',
  });
}

export interface FinalizeOptions extends RunOptions {
  /**
   * ARN of the execution that must have changed the database last: a finalize that a schedule starts later drops
   * only the objects that its own execution has retired. Default: any run may have.
   */
  readonly appliedBy?: string;
}

/**
 * Drops the retired objects of the applied revisions for good.
 *
 * @param at where the database must be; without it, anywhere
 * @throws NotAtTarget if it is somewhere else, or if another execution than `appliedBy` changed it last; otherwise as
 *   upgrade does
 */
export async function finalize(
  options: MigratorOptions,
  at?: RevisionId,
  { dryRun = false, appliedBy }: FinalizeOptions = {},
): Promise<RunReport> {
  return withSecuredRunner(options, 'finalize', async (runner) => {
    const { chain } = runner.database;
    const current = await readCurrent(runner, runner.database);
    if (at !== undefined && current !== at) {
      throw new BackstopError('NotAtTarget', {
        message: `The database is at ${current}, not at ${at}: it was moved after it had been validated`,
        hint: 'backstop.history says who moved it. Then start a new execution.',
      });
    }
    const pending = await findFinalizePending(runner, chain, current);
    if (appliedBy !== undefined && pending.length > 0) await requireAppliedBy(runner, appliedBy);
    const parts = pending.map((id) => partOf(chain, 'finalize', id));
    await requireForParts(runner, parts);
    tellUnwrapped(
      runner,
      parts.map(({ script }) => script),
    );
    return runTransaction({ ...runner, direction: 'finalize', from: current, to: current, parts, dryRun });
  });
}

async function requireAppliedBy(queries: Queries, execution: string): Promise<void> {
  const last = await lastChange(queries);
  if (last?.execution === execution) return;
  throw new BackstopError('NotAtTarget', {
    message: `The database was changed by another run after ${execution}`,
    detail:
      last === undefined
        ? 'backstop.history has no change.'
        : `Last it was ${last.outcome}, ${last.from} -> ${last.to}, by ${last.user}${last.execution === null ? '' : ` in ${last.execution}`}.`,
    hint: 'backstop.history says who changed it. To finalize by hand, start an execution with {"action":"finalize"}.',
  });
}

export interface StampOptions {
  /** Whether to delete the current rows of the version table, which may be unknown or several. Default: false. */
  readonly purge?: boolean;
}

/**
 * Writes the version that `target` means, and runs nothing. Every revision up to it counts as applied from then on: if
 * the history says otherwise, the stamp is kept in it even if the version is right already.
 *
 * @throws UnknownRevision for the target, and if the version is unknown or more than one and `purge` is false
 */
export async function stamp(
  options: MigratorOptions,
  target: string,
  { purge = false }: StampOptions = {},
): Promise<RunReport> {
  return withSecuredRunner(options, 'stamp', async (runner) => {
    const { database, listener } = runner;
    const versions = purge ? await readVersions(runner) : [await readCurrent(runner, database)];
    const [version = BASE] = versions;
    const to = resolveTarget(database.chain, version, target);
    listener({ type: 'planned', from: versions.join(', ') || BASE, to, pending: [] });
    const run = { ...runner, direction: 'stamp', to } as const;
    if (versions.length <= 1) {
      const done = version === to && isSame(await readDifference(runner, database.chain, to));
      const parts = done ? [] : [stampPart(version, to)];
      await requireForParts(runner, parts);
      return runTransaction({ ...run, from: version, parts });
    }
    const steps = [{ title: 'Deleting all versions', sql: 'DELETE FROM public.alembic_version' }];
    const parts = [stampPart(BASE, to, steps)];
    await requireForParts(runner, parts);
    return runTransaction({ ...run, from: versions.join(', '), parts });
  });
}

/** Throws PrivilegeMissing. */
async function requireForParts(queries: Queries, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  await requirePrivileges(queries, { locks: parts.flatMap(({ script }) => script.locks), retires: [] });
}
