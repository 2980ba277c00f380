// The verbs: plan, upgrade, downgrade, finalize, validate, reconcile. Every other file of this folder serves them.
//
// Each verb opens its own session, takes the runner lock where it changes something, and closes what it opened.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { idAt, position, resolveTarget, revisionOf } from './chain.ts';
import { refusedBy, runChecks } from './checks.ts';
import type { Database } from './databases.ts';
import { BackstopError, ExtensionMissing, InvalidInput, NotAtTarget, ServerTooOld } from './errors.ts';
import type { Listener } from './events.ts';
import { readRetiredRevisions } from './evidence.ts';
import { appliedChecksums, createHistory, failureReport, remember } from './history.ts';
import { Observer } from './observer.ts';
import {
  BASE,
  type Direction,
  type Plan,
  type RevisionId,
  type RunReport,
  type ValidationReport,
} from './report.ts';
import type { Phase, Script } from './revision.ts';
import { takeRunnerLock } from './runner-lock.ts';
import type { Connect } from './session.ts';
import { stepError } from './sqlstate.ts';
import {
  attemptsBefore,
  type Bounds,
  DEFAULT_BOUNDS,
  type Leg,
  type Run,
  runTransaction,
} from './transaction.ts';
import { readVersion } from './version-table.ts';

/** What a verb works with. */
export interface MigratorOptions {
  readonly database: Database;
  readonly connect: Connect;
  readonly listener?: Listener;
  /** Default: {@link DEFAULT_BOUNDS}. */
  readonly bounds?: Bounds;
  /** ARN of the execution that asks; kept in the history. */
  readonly execution?: string;
}

/** PostgreSQL 14 is what the execution contract asks for. */
const OLDEST_SERVER = 140_000;

interface Session {
  readonly client: pg.Client;
  readonly pid: number;
}

/**
 * What an upgrade or downgrade to `target` would do now. Writes nothing.
 *
 * Runs the checks before the upgrade too, so that what would be refused later is refused here.
 *
 * @throws UnknownRevision, InvalidInput for the target; ServerTooOld, ExtensionMissing for the server; the
 *   refusals of the checks
 */
export async function plan(
  options: MigratorOptions,
  direction: 'upgrade' | 'downgrade',
  target: string,
): Promise<Plan> {
  return inSession(options, 'plan', async ({ client }) => {
    const found = await makePlan(options, client, direction, target);
    if (direction === 'upgrade') await runChecksBefore(options, client, found);
    return found;
  });
}

/** Upgrades to `target` in one transaction; without anything pending it changes nothing. */
export async function upgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<RunReport> {
  return run(options, 'upgrade', dryRun, async (client) => {
    const found = await makePlan(options, client, 'upgrade', target);
    await runChecksBefore(options, client, found);
    return found;
  });
}

/** Downgrades to `target` in one transaction; what was retired comes back with every row. */
export async function downgrade(
  options: MigratorOptions,
  target: string,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<RunReport> {
  return run(options, 'downgrade', dryRun, (client) => makePlan(options, client, 'downgrade', target));
}

/** Makes final what the applied revisions retired. */
export async function finalize(options: MigratorOptions): Promise<RunReport> {
  return run(options, 'finalize', false, async (client) => {
    const current = await readVersion(client);
    return { from: current, to: current, pending: await finalizePending(options, client, current) };
  });
}

/**
 * Runs the checks that belong to where the database is: after an upgrade those of its revision, after a
 * downgrade those of the revision that was taken back.
 */
export async function validate(options: MigratorOptions, phase: Phase): Promise<ValidationReport> {
  return inSession(options, 'validate', async ({ client }) => {
    const { chain } = options.database;
    const count = position(chain, await readVersion(client));
    const revision = chain.revisions[phase === 'after-upgrade' ? count - 1 : count];
    const checks = revision?.checks[phase] ?? [];
    const timeoutMs = (options.bounds ?? DEFAULT_BOUNDS).transactionMs;
    return runChecks(client, revision?.id ?? BASE, phase, checks, timeoutMs, options.listener ?? ignore);
  });
}

/**
 * Where the database really is, after a run whose answer was lost. Waits for the runner lock first, so that
 * a run that is still alive has ended when the question is asked.
 */
export async function currentRevision(options: MigratorOptions): Promise<RevisionId> {
  return inSession(options, 'reconcile', async ({ client }) => {
    await takeRunnerLock(client, (options.bounds ?? DEFAULT_BOUNDS).lockWaitMs, options.listener ?? ignore);
    return readVersion(client);
  });
}

/** Throws NotAtTarget where the plan still has something to do. */
export function requireAtTarget(found: Plan): void {
  if (found.pending.length === 0) return;
  throw new NotAtTarget({
    message: `The database is at ${found.from}, not at ${found.to}`,
    detail: `Pending: ${found.pending.join(', ')}.`,
    hint: 'Start an execution with {"action":"upgrade"}.',
  });
}

async function makePlan(
  options: MigratorOptions,
  client: pg.Client,
  direction: 'upgrade' | 'downgrade',
  target: string,
): Promise<Plan> {
  const { chain } = options.database;
  const from = await readVersion(client);
  const start = position(chain, from);
  const to = resolveTarget(chain, from, target);
  const end = position(chain, to);
  if (direction === 'upgrade' ? end < start : end > start) {
    throw new InvalidInput({
      message: `The database is at ${from}: ${to} is not ${direction === 'upgrade' ? 'ahead' : 'behind'}`,
      hint: `To go there, ${direction === 'upgrade' ? 'downgrade' : 'upgrade'} to ${to}.`,
    });
  }
  const applied = await appliedChecksums(client);
  const found: Plan = {
    direction,
    from,
    to,
    pending:
      direction === 'upgrade'
        ? chain.revisions.slice(start, end).map(({ id }) => id)
        : chain.revisions
            .slice(end, start)
            .map(({ id }) => id)
            .reverse(),
    finalizePending: await finalizePending(options, client, from),
    edited: chain.revisions
      .slice(0, start)
      .filter(({ id, checksum }) => applied.has(id) && applied.get(id) !== checksum)
      .map(({ id }) => id),
  };
  options.listener?.({ type: 'planned', from, to, pending: found.pending });
  return found;
}

async function finalizePending(
  options: MigratorOptions,
  client: pg.Client,
  current: RevisionId,
): Promise<RevisionId[]> {
  const { chain } = options.database;
  const retired = await readRetiredRevisions(client);
  const applied = chain.revisions.slice(0, position(chain, current));
  return applied.filter(({ id, finalize: script }) => script && retired.includes(id)).map(({ id }) => id);
}

async function runChecksBefore(options: MigratorOptions, client: pg.Client, found: Plan): Promise<void> {
  const { database, listener = ignore, bounds = DEFAULT_BOUNDS } = options;
  for (const id of found.pending) {
    const checks = revisionOf(database.chain, id).checks['before-upgrade'];
    const validation = await runChecks(client, id, 'before-upgrade', checks, bounds.transactionMs, listener);
    if (!validation.passed) throw refusedBy(validation);
  }
}

type Errand = Pick<Plan, 'from' | 'to' | 'pending'>;

/** The order of every run that changes something: connect, lock, read the version and plan, one transaction. */
async function run(
  options: MigratorOptions,
  direction: Direction,
  dryRun: boolean,
  decide: (client: pg.Client) => Promise<Errand>,
): Promise<RunReport> {
  const { database, connect, execution, listener = ignore, bounds = DEFAULT_BOUNDS } = options;
  const started = performance.now();
  const startedAt = new Date();
  const runId = randomUUID();
  return inSession(options, `${direction} ${runId}`.slice(0, 50), async ({ client, pid }) => {
    await takeRunnerLock(client, bounds.lockWaitMs, listener);
    const { from, to, pending } = await decide(client);
    if (pending.length === 0) return nothingToDo(runId, direction, from, performance.now() - started);
    const legs = pending.map((id) => makeLeg(database, direction, id));
    const observer = new Observer(connect, `backstop observer ${runId}`.slice(0, 63));
    const attempt = { runId, execution, direction, from, to, legs, dryRun, bounds, startedAt };
    const whole: Run = { ...attempt, client, pid, connect, observer, listener };
    try {
      return await runTransaction(whole);
    } catch (error) {
      if (error instanceof BackstopError && !dryRun) {
        await rememberFailure(whole, error, performance.now() - started);
      }
      throw error;
    } finally {
      await observer.end();
    }
  });
}

function makeLeg(database: Database, direction: Direction, id: RevisionId): Leg {
  const revision = revisionOf(database.chain, id);
  const before = idAt(database.chain, position(database.chain, id) - 1);
  const script: Script | undefined = revision[direction];
  if (!script) throw new Error(`revision ${id} has no ${direction}`);
  if (direction === 'finalize') return { revision, script, from: id, to: id };
  return direction === 'upgrade'
    ? { revision, script, from: before, to: id }
    : { revision, script, from: id, to: before };
}

/** The failure itself is what must be told: where even the history cannot be written, it stays unwritten. */
async function rememberFailure(whole: Run, error: BackstopError, durationMs: number): Promise<void> {
  const { runId, execution, direction, from, to, startedAt, bounds, connect } = whole;
  const client = await connect('backstop history').catch(() => undefined);
  const report = failureReport(error, attemptsBefore(error));
  const entry = {
    runId,
    execution,
    direction,
    from,
    to,
    startedAt,
    durationMs,
    outcome: error.name,
    checksums: {},
    report,
  };
  if (!client) return;
  await client
    .query("SELECT pg_catalog.set_config('lock_timeout', $1, false)", [`${bounds.lockTimeoutMs}ms`])
    .then(() => createHistory(client))
    .then(() => remember(client, entry))
    .catch(() => {});
  await client.end().catch(() => {});
}

function nothingToDo(runId: string, direction: Direction, at: RevisionId, durationMs: number): RunReport {
  const nothing = {
    revisions: [],
    steps: [],
    retired: [],
    restored: [],
    created: [],
    dropped: [],
    rows: [],
    blockers: [],
  };
  const outcome = 'nothing to do';
  return {
    ...nothing,
    runId,
    direction,
    outcome,
    from: at,
    to: at,
    exclusiveMs: {},
    walBytes: 0,
    attempts: 0,
    durationMs,
  };
}

/** Opens a session on a server that fits, does the work, ends the session: with it go the lock and the transaction. */
async function inSession<T>(
  options: MigratorOptions,
  purpose: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await options.connect(`backstop ${purpose}`);
  try {
    const { rows } = await client.query<{
      pid: number;
      number: number;
      version: string;
      name: string;
      user: string;
    }>(
      `SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.current_setting('server_version_num')::int AS number,
              pg_catalog.current_setting('server_version') AS version,
              pg_catalog.current_database() AS name, session_user AS "user"`,
    );
    const server = rows[0] as (typeof rows)[0];
    options.listener?.({
      type: 'connected',
      server: server.version,
      database: server.name,
      user: server.user,
    });
    if (server.number < OLDEST_SERVER) {
      throw new ServerTooOld({
        message: `PostgreSQL ${server.version} is too old`,
        hint: 'Upgrade the server to PostgreSQL 14 or later.',
      });
    }
    await requireExtensions(client, options.database.definition.extensions);
    return await work({ client, pid: server.pid });
  } catch (error) {
    throw stepError(error, purpose);
  } finally {
    await client.end().catch(() => {});
  }
}

async function requireExtensions(client: pg.Client, extensions: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ missing: string }>(
    `SELECT wanted.name AS missing FROM pg_catalog.unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = wanted.name)`,
    [extensions],
  );
  if (rows.length === 0) return;
  throw new ExtensionMissing({
    message: `The database lacks the extension ${rows.map(({ missing }) => `"${missing}"`).join(', ')}`,
    hint: rows.map(({ missing }) => `CREATE EXTENSION ${missing};`).join(' '),
  });
}

const ignore: Listener = () => {};
