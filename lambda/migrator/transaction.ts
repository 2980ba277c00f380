// One transaction: the locks first, then the steps of every revision, the version, the history, COMMIT alone.
import type pg from 'pg';
import { commit } from './commit.ts';
import { BackstopError, DatabaseBusy } from './errors.ts';
import { describeBlockers, type Listener } from './events.ts';
import {
  compareRelations,
  compareWrittenRows,
  type Relations,
  readMoment,
  readRelations,
  readWrittenRows,
  type WrittenRows,
} from './evidence.ts';
import { createHistory, type HistoryEntry, remember } from './history.ts';
import type { Observer } from './observer.ts';
import type {
  Blocker,
  Direction,
  HeldLock,
  Notice,
  Outcome,
  RevisionId,
  RunReport,
  StepReport,
} from './report.ts';
import type { Revision, Script } from './revision.ts';
import type { Connect } from './session.ts';
import { isCancelled, isServerError, stepError, timeoutError } from './sqlstate.ts';
import { moveVersion } from './version-table.ts';

/** One revision in one direction. `from` and `to` are equal where the version does not move (finalize). */
export interface Leg {
  readonly revision: Revision;
  readonly script: Script;
  readonly from: RevisionId;
  readonly to: RevisionId;
}

/** How long a run may take and wait, in ms. */
export interface Bounds {
  /** For one transaction from BEGIN to COMMIT (FR-031). */
  readonly transactionMs: number;
  /** For the advisory lock, and again for all attempts to get the table locks. */
  readonly lockWaitMs: number;
  /** For one table lock: for this long our request may keep others waiting behind it. */
  readonly lockTimeoutMs: number;
  /** Where the answer to COMMIT was lost: until the server can be asked what became of it. */
  readonly reconnectMs: number;
}

export const DEFAULT_BOUNDS: Bounds = {
  transactionMs: 300_000,
  lockWaitMs: 60_000,
  lockTimeoutMs: 2_000,
  reconnectMs: 30_000,
};

/** Everything that stays the same over all attempts of one run. */
export interface Run {
  readonly runId: string;
  readonly execution: string | undefined;
  readonly direction: Direction;
  readonly from: RevisionId;
  readonly to: RevisionId;
  readonly legs: readonly Leg[];
  /** Everything up to COMMIT, then ROLLBACK. */
  readonly dryRun: boolean;
  readonly bounds: Bounds;
  readonly client: pg.Client;
  /** The backend of `client`. */
  readonly pid: number;
  readonly connect: Connect;
  readonly observer: Observer;
  readonly listener: Listener;
  readonly startedAt: Date;
}

const OUTCOMES: Readonly<Record<Direction, Outcome>> = {
  upgrade: 'upgraded',
  downgrade: 'downgraded',
  finalize: 'finalized',
};

/** The contract counts two more steps of an upgrade: telling that it is complete, and COMMIT. */
const CLOSING_STEPS = 2;

const LONGEST_PAUSE_MS = 2_000;
/** Added to a bound before the client stops waiting for a server that should have answered by then. */
const GRACE_MS = 5_000;

/**
 * Runs the legs in one transaction, and the whole transaction again where a lock was not granted, until
 * `lockWaitMs` is used up.
 *
 * @throws DatabaseBusy, MigrationTimeout, MigrationFailed, the refusals E1 to E3: rolled back
 * @throws OutcomeUnknown where COMMIT was sent and its outcome could not be learned
 */
export async function runTransaction(run: Run): Promise<RunReport> {
  const started = performance.now();
  const blockers = new Map<number, Blocker>();
  const before = await readRelations(run.client);
  for (let attempt = 1; ; attempt++) {
    try {
      return await new Attempt(run, attempt, started, before, blockers).execute();
    } catch (error) {
      const waitedMs = performance.now() - started;
      const pauseMs = Math.round(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt) * (0.5 + Math.random() / 2));
      const failure = lockFailure(error, [...blockers.values()], waitedMs);
      if (!failure || waitedMs + pauseMs >= run.bounds.lockWaitMs) {
        const ending = failure ?? error;
        tellRolledBack(run, ending, attempt);
        throw ending;
      }
      run.listener({ type: 'retrying', attempt, pauseMs, reason: failure.summary });
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** How many attempts a failed run took; kept beside the error, because an error is all that a failed run returns. */
const attemptsOf = new WeakMap<object, number>();
export function attemptsBefore(error: object): number {
  return attemptsOf.get(error) ?? 1;
}

function tellRolledBack(run: Run, error: unknown, attempt: number): void {
  if (!(error instanceof BackstopError)) return;
  attemptsOf.set(error, attempt);
  if (error.name !== 'OutcomeUnknown') {
    run.listener({ type: 'rolled back', direction: run.direction, from: run.from, reason: error.summary });
  }
}

function lockFailure(
  error: unknown,
  blockers: readonly Blocker[],
  waitedMs: number,
): DatabaseBusy | undefined {
  if (!(error instanceof DatabaseBusy)) return undefined;
  return new DatabaseBusy(
    {
      message: `A table lock was not granted in ${Math.round(waitedMs / 1000)} s: ${error.summary}`,
      detail: `Blocked by ${describeBlockers(blockers)}`,
      hint: `All was rolled back. Let that session end, or end it: SELECT pg_terminate_backend(${blockers[0]?.pid ?? 'pid'}); then run again.`,
    },
    { cause: error },
  );
}

/** One attempt, and what is learned while it runs. */
class Attempt {
  readonly #run: Run;
  readonly #number: number;
  readonly #runStarted: number;
  readonly #before: Relations;
  readonly #blockers: Map<number, Blocker>;
  readonly #deadline: number;
  readonly #steps: StepReport[] = [];
  readonly #held = new Set<string>();
  /** oid → the relation's name at that time, and since when we may hold ACCESS EXCLUSIVE on it. */
  readonly #exclusive = new Map<string, { readonly relation: string; readonly since: number }>();
  /** oid → the file that the relation was last seen in. */
  readonly #filenodes: Map<string, string>;
  #notices: Notice[] = [];
  #writtenBefore: WrittenRows = new Map();
  #wal = 0;
  #place = 'BEGIN';

  constructor(
    run: Run,
    number: number,
    runStarted: number,
    before: Relations,
    blockers: Map<number, Blocker>,
  ) {
    this.#run = run;
    this.#number = number;
    this.#runStarted = runStarted;
    this.#before = before;
    this.#blockers = blockers;
    this.#deadline = performance.now() + run.bounds.transactionMs;
    this.#filenodes = new Map([...before].map(([oid, { filenode }]) => [oid, filenode]));
  }

  async execute(): Promise<RunReport> {
    const { client } = this.#run;
    const onNotice = ({
      severity,
      message,
    }: {
      severity?: string | undefined;
      message?: string | undefined;
    }) => this.#notices.push({ severity: severity ?? 'NOTICE', message: message ?? '' });
    client.on('notice', onNotice);
    try {
      const transactionId = await this.#begin();
      const walAtBegin = this.#wal;
      // Made before the locks are taken, so that nobody waits for it.
      this.#place = 'creating the history';
      await this.#answer(createHistory(client));
      await this.#lockTables();
      for (const leg of this.#run.legs) await this.#runLeg(leg);
      return await this.#end(transactionId, walAtBegin);
    } catch (error) {
      const ending = this.#ending(error);
      // Where the connection is gone the server rolls back by itself.
      await this.#answer(client.query('ROLLBACK')).catch(() => {});
      throw ending;
    } finally {
      client.off('notice', onNotice);
    }
  }

  async #begin(): Promise<string> {
    const { client, bounds } = this.#run;
    await this.#answer(client.query('BEGIN'));
    const { rows } = await this.#answer(
      client.query<{ id: string }>(
        "SELECT pg_catalog.pg_current_xact_id()::text AS id, pg_catalog.set_config('lock_timeout', $1, true)",
        [`${bounds.lockTimeoutMs}ms`],
      ),
    );
    this.#writtenBefore = await this.#answer(readWrittenRows(client));
    await this.#look(performance.now());
    return rows[0]?.id ?? '';
  }

  /** All in one statement, in one order, so that no step waits for a lock while it holds others. */
  async #lockTables(): Promise<void> {
    this.#place = 'taking the table locks';
    const wanted = [...new Set(this.#run.legs.flatMap(({ script }) => script.locks))];
    const { rows } = await this.#answer(
      this.#run.client.query<{ name: string }>(
        `SELECT pg_catalog.to_regclass(wanted.name)::text AS name
         FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS wanted(name, place)
         WHERE pg_catalog.to_regclass(wanted.name) IS NOT NULL ORDER BY wanted.place`,
        [wanted],
      ),
    );
    if (rows.length === 0) return;
    const asked = performance.now();
    await this.#send(`LOCK TABLE ${rows.map(({ name }) => name).join(', ')} IN ACCESS EXCLUSIVE MODE`);
    await this.#look(asked);
  }

  async #runLeg({ revision, script, from, to }: Leg): Promise<void> {
    const { client, direction, listener } = this.#run;
    const started = performance.now();
    listener({ type: 'revision started', direction, revision: revision.id, from, to, title: script.title });
    const of = script.steps.length + (direction === 'upgrade' ? CLOSING_STEPS : 0);
    for (const [index, step] of script.steps.entries()) {
      const at = { revision: revision.id, number: index + 1, of, title: step.title };
      await this.#runStep(at, step.sql);
    }
    if (from !== to) {
      this.#place = `writing version ${to}`;
      await this.#answer(moveVersion(client, from, to));
    }
    listener({
      type: 'revision completed',
      direction,
      revision: revision.id,
      durationMs: performance.now() - started,
    });
  }

  async #runStep(at: Pick<StepReport, 'revision' | 'number' | 'of' | 'title'>, sql: string): Promise<void> {
    const { direction, listener } = this.#run;
    this.#place = `step ${at.number}/${at.of} of ${at.revision} (${at.title})`;
    listener({ type: 'step started', direction, ...at });
    this.#notices = [];
    const started = performance.now();
    await this.#send(sql);
    const durationMs = performance.now() - started;
    const step: StepReport = { ...at, durationMs, notices: this.#notices, ...(await this.#look(started)) };
    this.#steps.push(step);
    for (const notice of step.notices) listener({ type: 'notice', revision: at.revision, notice });
    listener({ type: 'step completed', direction, step });
  }

  async #end(transactionId: string, walAtBegin: number): Promise<RunReport> {
    const { client, connect, direction, from, to, dryRun, bounds, listener } = this.#run;
    // What was deferred to COMMIT happens now: no statement_timeout would bound it there.
    this.#place = 'checking deferred constraints';
    await this.#send('SET CONSTRAINTS ALL IMMEDIATE');
    this.#place = 'writing the history';
    const report = await this.#answer(this.#report(walAtBegin));
    await this.#answer(remember(client, this.#historyEntry(report)));
    this.#place = 'COMMIT';
    if (dryRun) await this.#answer(client.query('ROLLBACK'));
    else await this.#answer(commit(client, connect, transactionId, bounds.reconnectMs));
    const ended = performance.now();
    const final = { ...report, exclusiveMs: this.#exclusiveMs(ended), durationMs: ended - this.#runStarted };
    listener({
      type: 'committed',
      direction,
      from,
      to,
      outcome: final.outcome,
      durationMs: final.durationMs,
    });
    return final;
  }

  async #report(walAtBegin: number): Promise<RunReport> {
    const { client, runId, direction, from, to, legs, dryRun } = this.#run;
    return {
      runId,
      direction,
      outcome: dryRun ? 'rehearsed' : OUTCOMES[direction],
      from,
      to,
      revisions: legs.map(({ revision }) => revision.id),
      steps: this.#steps,
      ...compareRelations(this.#before, await readRelations(client)),
      rows: compareWrittenRows(this.#writtenBefore, await readWrittenRows(client)),
      exclusiveMs: this.#exclusiveMs(performance.now()),
      walBytes: this.#wal - walAtBegin,
      attempts: this.#number,
      blockers: [...this.#blockers.values()],
      durationMs: performance.now() - this.#runStarted,
    };
  }

  #historyEntry(report: RunReport): HistoryEntry {
    const { runId, execution, direction, from, to, startedAt, legs } = this.#run;
    const applied = direction === 'upgrade' ? legs : [];
    const checksums = Object.fromEntries(applied.map(({ revision }) => [revision.id, revision.checksum]));
    const { durationMs, outcome } = report;
    return { runId, execution, direction, from, to, startedAt, durationMs, outcome, checksums, report };
  }

  #exclusiveMs(now: number): Record<string, number> {
    return Object.fromEntries(
      [...this.#exclusive.values()].map(({ relation, since }) => [relation, now - since]),
    );
  }

  /** What is new since the last look; `since` is when the statement in between was sent. */
  async #look(since: number): Promise<Pick<StepReport, 'locks' | 'rewritten' | 'walBytes'>> {
    const moment = await this.#answer(readMoment(this.#run.client, this.#leftMs()));
    const locks: HeldLock[] = [];
    const rewritten = new Set<string>();
    for (const { oid, relation, mode, filenode } of moment.locks) {
      if (!this.#held.has(`${mode} ${oid}`)) locks.push({ relation, mode });
      this.#held.add(`${mode} ${oid}`);
      if (mode === 'AccessExclusiveLock' && !this.#exclusive.has(oid))
        this.#exclusive.set(oid, { relation, since });
      if ((this.#filenodes.get(oid) ?? filenode) !== filenode) rewritten.add(relation);
      this.#filenodes.set(oid, filenode);
    }
    const walBytes = moment.wal - this.#wal;
    this.#wal = moment.wal;
    return { locks, rewritten: [...rewritten], walBytes };
  }

  /** Sends SQL whose locks others may hold, and names them while it waits. */
  async #send(sql: string): Promise<void> {
    const { client, pid, observer, listener } = this.#run;
    await observer.watch(pid, this.#answer(client.query(sql)), (blockers, waitedMs) => {
      for (const blocker of blockers) this.#blockers.set(blocker.pid, blocker);
      listener({ type: 'waiting', lock: 'table', waitedMs, blockers });
    });
  }

  #leftMs(): number {
    return Math.max(1, Math.round(this.#deadline - performance.now()));
  }

  /** Awaits the server, but not for ever: one that is silent past the deadline loses its connection. */
  async #answer<T>(query: Promise<T>): Promise<T> {
    const guard = setTimeout(() => cut(this.#run.client), this.#leftMs() + GRACE_MS);
    try {
      return await query;
    } finally {
      clearTimeout(guard);
    }
  }

  #ending(error: unknown): unknown {
    if (error instanceof BackstopError) return error;
    // The server cancelled what ran, or we ourselves cut the connection; any other error means what it says.
    const stopped = isCancelled(error) || !isServerError(error);
    const timedOut = stopped && this.#leftMs() <= GRACE_MS / 50;
    return timedOut
      ? timeoutError(this.#run.bounds.transactionMs, this.#place, error)
      : stepError(error, this.#place);
  }
}

/** Ends the connection without a word; the statement that waits for an answer fails. */
function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
