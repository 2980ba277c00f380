// One attempt at the transaction of a run: the locks, the steps, the version, the history, COMMIT alone.

import {
  compareRelations,
  compareWrittenRows,
  type Relations,
  readMoment,
  readRelations,
  readWrittenRows,
  type WrittenRows,
} from '../database/evidence.ts';
import { createHistory, remember } from '../database/history.ts';
import { findTables } from '../database/tables.ts';
import { moveVersion } from '../database/version-table.ts';
import { BackstopError } from '../model/errors.ts';
import { type ProgressEvent, RESULT } from '../model/events.ts';
import type {
  Blocker,
  Direction,
  HistoryEntry,
  Notice,
  Outcome,
  RunReport,
  StepReport,
} from '../model/report.ts';
import { answered, together } from '../session/session.ts';
import { isCancelled, isServerError, stepError, timeoutError } from '../session/sqlstate.ts';
import { commit } from './commit.ts';
import { Ledger } from './ledger.ts';
import type { Leg, Run } from './run.ts';

const OUTCOMES: Readonly<Record<Direction, Outcome>> = {
  upgrade: 'upgraded',
  downgrade: 'downgraded',
  finalize: 'finalized',
  stamp: 'stamped',
};

/** The server may think that the time is up a little before we do. */
const CLOCKS_DIFFER_MS = 100;

/** The driver's notice, of which any field may be missing. */
interface ServerNotice {
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
}

/** What an attempt knows once its transaction is open. */
interface Begun {
  readonly transaction: string;
  readonly ledger: Ledger;
  readonly writtenBefore: WrittenRows;
}

/** One attempt, used once. */
export class Attempt {
  readonly #run: Run;
  readonly #number: number;
  readonly #before: Relations;
  readonly #blockers: Map<number, Blocker>;
  readonly #boundMs: number;
  readonly #deadline: number;
  readonly #steps: StepReport[] = [];
  /** Legs that have run; they are told of once the transaction is committed. */
  readonly #completed: Omit<Extract<ProgressEvent, { type: 'revision completed' }>, 'type'>[] = [];
  #notices: Notice[] = [];
  #place = 'BEGIN';

  /**
   * @param number 1 for the first attempt of the run
   * @param before the relations as they were before the run
   * @param blockers pid → session: those who stand in the way are added to it
   */
  constructor(run: Run, number: number, before: Relations, blockers: Map<number, Blocker>) {
    this.#run = run;
    this.#number = number;
    this.#before = before;
    this.#blockers = blockers;
    const { transactionMs, runMs } = run.bounds;
    const now = performance.now();
    this.#boundMs = Math.max(0, Math.min(transactionMs, run.started + runMs - now));
    this.#deadline = now + this.#boundMs;
  }

  /** Throws as `runTransaction` does; the transaction is then rolled back, or its connection gone. */
  async execute(): Promise<RunReport> {
    const { client } = this.#run;
    const onNotice = ({ severity = 'NOTICE', message = '' }: ServerNotice) =>
      this.#notices.push({ severity, message });
    client.on('notice', onNotice);
    try {
      const begun = await this.#begin();
      // Made before the locks are taken, so that nobody waits for it.
      this.#place = 'creating the history';
      await this.#answer(createHistory(client));
      await this.#lockTables(begun);
      for (const leg of this.#run.legs) await this.#runLeg(begun, leg);
      return await this.#end(begun);
    } catch (error) {
      const ending = this.#ending(error);
      // Where the connection is gone the server rolls back by itself, as soon as the session has ended.
      await this.#answer(client.query('ROLLBACK')).catch(() => client.end());
      throw ending;
    } finally {
      client.off('notice', onNotice);
    }
  }

  async #begin(): Promise<Begun> {
    const { client, bounds } = this.#run;
    await this.#answer(client.query('BEGIN'));
    const [{ rows }, , writtenBefore, moment] = await together(
      this.#answer(
        client.query<{ id: string }>(
          "SELECT pg_catalog.pg_current_xact_id()::text AS id, pg_catalog.set_config('lock_timeout', $1, true)",
          [`${bounds.lockTimeoutMs}ms`],
        ),
      ),
      this.#limit(),
      this.#answer(readWrittenRows(client)),
      this.#answer(readMoment(client)),
    );
    return { transaction: rows[0]?.id ?? '', ledger: new Ledger(this.#before, moment), writtenBefore };
  }

  /** All in one statement, in one order, so that no step waits for a lock while it holds others. */
  async #lockTables(begun: Begun): Promise<void> {
    this.#place = 'taking the table locks';
    const wanted = [...new Set(this.#run.legs.flatMap(({ script }) => script.locks))];
    // Anything else of that name cannot be locked; the revision says what it makes of it.
    const tables = await this.#answer(findTables(this.#run.client, wanted));
    if (tables.length === 0) return;
    await this.#carryOut(
      begun,
      `LOCK TABLE ${tables.map(({ sql }) => sql).join(', ')} IN ACCESS EXCLUSIVE MODE`,
    );
  }

  async #runLeg(begun: Begun, { direction, revision, script, from, to }: Leg): Promise<void> {
    const { client, listener } = this.#run;
    const started = performance.now();
    listener({ type: 'revision started', direction, revision, from, to, title: script.title });
    const of = script.steps.length;
    for (const [index, step] of script.steps.entries()) {
      const at = { direction, revision, number: index + 1, of, title: step.title };
      await this.#runStep(begun, at, step.sql);
    }
    if (from !== to) {
      this.#place = `writing version ${to}`;
      await together(this.#limit(), this.#answer(moveVersion(client, from, to)));
    }
    this.#completed.push({ direction, revision, from, to, durationMs: performance.now() - started });
  }

  async #runStep(
    begun: Begun,
    at: Pick<StepReport, 'direction' | 'revision' | 'number' | 'of' | 'title'>,
    sql: string,
  ): Promise<void> {
    const { listener } = this.#run;
    this.#place = `step ${at.number}/${at.of} of ${at.revision} (${at.title})`;
    listener({ type: 'step started', ...at });
    this.#notices = [];
    const effect = await this.#carryOut(begun, sql);
    const step: StepReport = { ...at, notices: this.#notices, ...effect };
    this.#steps.push(step);
    for (const notice of step.notices) {
      if (notice.severity !== RESULT) listener({ type: 'notice', revision: at.revision, notice });
    }
    listener({ type: 'step completed', step });
  }

  async #end(begun: Begun): Promise<RunReport> {
    const { client, connect, runId, direction, from, to, dryRun, bounds, listener } = this.#run;
    // What was deferred to COMMIT happens now: no statement_timeout would bound it there.
    this.#place = 'checking deferred constraints';
    const [, , report] = await together(
      this.#limit(),
      this.#send('SET CONSTRAINTS ALL IMMEDIATE'),
      this.#answer(this.#report(begun)),
    );
    this.#place = 'writing the history';
    await this.#answer(remember(client, this.#historyEntry(report)));
    this.#place = 'COMMIT';
    if (dryRun) await this.#answer(client.query('ROLLBACK'));
    else await this.#answer(commit(client, connect, { id: begun.transaction, runId }, bounds.reconnectMs));
    const final = { ...report, ...this.#measured(begun) };
    const { outcome, durationMs } = final;
    // Not before: a revision that is told to be complete must not be rolled back.
    if (!dryRun) for (const leg of this.#completed) listener({ type: 'revision completed', ...leg });
    listener({ type: 'committed', direction, from, to, outcome, durationMs });
    return final;
  }

  async #report(begun: Begun): Promise<RunReport> {
    const { client, runId, direction, from, to, legs, dryRun, estimate } = this.#run;
    const [relations, writtenRows] = await together(readRelations(client), readWrittenRows(client));
    return {
      runId,
      direction,
      outcome: dryRun ? 'rehearsed' : OUTCOMES[direction],
      from,
      to,
      revisions: [...new Set(legs.map(({ revision }) => revision))],
      steps: this.#steps,
      ...compareRelations(this.#before, relations),
      rows: compareWrittenRows(begun.writtenBefore, writtenRows),
      walBytes: begun.ledger.walBytes,
      attempts: this.#number,
      blockers: [...this.#blockers.values()],
      ...this.#measured(begun),
      ...(estimate && { estimate }),
    };
  }

  #measured({ ledger }: Begun): Pick<RunReport, 'exclusiveMs' | 'durationMs'> {
    const now = performance.now();
    return { exclusiveMs: ledger.exclusiveMs(now), durationMs: now - this.#run.started };
  }

  #historyEntry(report: RunReport): HistoryEntry {
    const { runId, execution, direction, from, to, startedAt, legs } = this.#run;
    const checksums = Object.fromEntries(
      legs.flatMap(({ revision, checksum }) => (checksum === undefined ? [] : [[revision, checksum]])),
    );
    const { durationMs, outcome } = report;
    return { runId, execution, direction, from, to, startedAt, durationMs, outcome, checksums, report };
  }

  /**
   * Carries out SQL, and tells how long it took and what it brought. It goes in one round trip, for the locks are held:
   * the time that it may take, the SQL itself, and the look at what it did.
   *
   * @throws OutcomeUnknown where it ended the transaction
   */
  async #carryOut(
    { transaction, ledger }: Begun,
    sql: string,
  ): Promise<Pick<StepReport, 'durationMs' | 'locks' | 'rewritten' | 'walBytes'>> {
    const started = performance.now();
    const [, durationMs, moment] = await together(
      this.#limit(),
      this.#send(sql).then(() => performance.now() - started),
      this.#answer(readMoment(this.#run.client)),
    );
    if (moment.transaction !== transaction) {
      throw new BackstopError('OutcomeUnknown', {
        message: `The transaction was ended in ${this.#place}`,
        detail: 'What ran before that may be committed; the version was not moved.',
        hint: 'Take COMMIT and ROLLBACK out of the revision, and compare the schema with the one before.',
      });
    }
    return { durationMs, ...ledger.enter(moment, started) };
  }

  /** Sends SQL whose locks others may hold, and names them while it waits. */
  async #send(sql: string): Promise<void> {
    const { client, pid, observer, listener } = this.#run;
    await observer.watch(pid, this.#answer(client.query(sql)), (blockers, waitedMs) => {
      for (const blocker of blockers) this.#blockers.set(blocker.pid, blocker);
      listener({ type: 'waiting', lock: 'table', waitedMs, blockers });
    });
  }

  /** From here on the server lets no statement take longer than there is time left. */
  async #limit(): Promise<void> {
    const limit = "SELECT pg_catalog.set_config('statement_timeout', $1, true)";
    await this.#answer(this.#run.client.query(limit, [`${this.#leftMs()}ms`]));
  }

  #leftMs(): number {
    return Math.max(1, Math.round(this.#deadline - performance.now()));
  }

  /** Awaits the server, but not for ever: one that is silent past the deadline loses its connection. */
  #answer<T>(query: Promise<T>): Promise<T> {
    return answered(this.#run.client, query, this.#leftMs() + this.#run.bounds.graceMs);
  }

  #ending(error: unknown): unknown {
    if (error instanceof BackstopError) return error;
    // The server cancelled what ran, or we ourselves cut the connection; any other error means what it says.
    const stopped = isCancelled(error) || !isServerError(error);
    const timedOut = stopped && this.#leftMs() <= CLOCKS_DIFFER_MS;
    return timedOut ? timeoutError(this.#boundMs, this.#place, error) : stepError(error, this.#place);
  }
}
