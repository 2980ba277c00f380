// How an attempt sends statements: bounded, a step in one round trip, and after a revision the session as at the start.
import { readMoment } from '../database/evidence.ts';
import { BackstopError } from '../model/errors.ts';
import type { StepReport } from '../model/report.ts';
import { pathValue } from '../revisions/search-path.ts';
import { onCompleted, together } from '../session/client.ts';
import { bound, LIMIT, LIMIT_AND_PATH, LIMIT_LOCKS } from '../session/limits.ts';
import { CHECK_DEFERRED, FORGET } from '../session/neutral.ts';
import { isCancelled } from '../session/sqlstate.ts';
import type { Begun } from './result.ts';
import type { Run } from './run.ts';

/** The settings with which a file begins. */
interface FileStart {
  readonly searchPath: readonly string[];
  readonly revision: string;
}

/** The place of a step in its file. */
export interface StepPlace {
  /** The search path of the file and its revision, if the step is its first. */
  readonly file?: FileStart | undefined;
  /** Whether the file ends with it. */
  readonly isLast?: boolean;
}

/** Listens to the client of a run until it is stopped. */
export class Statements {
  /** Stops to count. */
  readonly stop: () => void;
  readonly #run: Run;
  #completed = 0;
  #restored: Promise<unknown> = Promise.resolve();

  constructor(run: Run) {
    this.#run = run;
    this.stop = onCompleted(run.client, () => {
      this.#completed += 1;
    });
  }

  /** How many statements of the SQL that runs are completed. */
  get completed(): number {
    return this.#completed;
  }

  /** Resolves if the session is as at the start again, after the last step of a revision. */
  get restored(): Promise<unknown> {
    return this.#restored;
  }

  /**
   * Runs SQL, and returns its time and its effects. It takes one round trip, because the locks are held: the time
   * limit, the SQL itself, the query for its effects, and after the last step of a revision the start of the next one.
   *
   * @param place names it in errors
   * @throws OutcomeUnknown if it ended the transaction
   */
  async carryOut(
    sql: string,
    { transaction, ledger }: Pick<Begun, 'transaction' | 'ledger'>,
    place: string,
    { file, isLast = false }: StepPlace = {},
  ): Promise<Pick<StepReport, 'durationMs' | 'locks' | 'rewritten' | 'walBytes'>> {
    const run = this.#run;
    const started = performance.now();
    // The first answer belongs to the limit, which is sent before the SQL.
    this.#completed = -1;
    const answers = together(
      this.limit(file),
      run.query(sql).then(() => performance.now() - started),
      readMoment(run),
    );
    if (isLast) {
      this.#restored = this.restore();
      // If the step fails, this fails because of it, and its error is not awaited.
      this.#restored.catch(() => {});
    }
    const [, durationMs, moment] = await answers;
    if (moment.transaction !== transaction) {
      throw new BackstopError('OutcomeUnknown', {
        message: `The transaction was ended in ${place}`,
        detail: 'Earlier statements may be committed; the version was not moved.',
        hint: 'Take COMMIT and ROLLBACK out of the revision, and compare the schema with the one before.',
      });
    }
    return { durationMs, ...ledger.enter(moment, started) };
  }

  /**
   * Locks the tables in ACCESS EXCLUSIVE mode, in their order. A session may hold one of them, and wait behind us for
   * another, which we have or want. As we give up before it looks for a deadlock, it is never the victim.
   *
   * @throws DatabaseBusy if they are not granted in that time
   */
  async lock(
    tables: readonly string[],
    begun: Pick<Begun, 'transaction' | 'ledger'>,
    place: string,
  ): Promise<void> {
    const { rows } = await this.#run.query<{ briefMs: number }>(LIMIT_LOCKS);
    const briefMs = rows[0]?.briefMs ?? 0;
    const started = performance.now();
    try {
      const sql = `LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE`;
      await this.carryOut(`${sql}; ${bound(this.#limits())}`, begun, place);
    } catch (error) {
      if (!isCancelled(error) || performance.now() - started < briefMs) throw error;
      const message = `The table locks were not granted together within ${briefMs} ms`;
      throw new BackstopError('DatabaseBusy', { message }, { cause: error });
    }
  }

  /**
   * From here on the server lets no statement take longer than there is time left, or wait longer for a lock.
   *
   * @param file that begins here; default: the settings stay as before
   */
  async limit(file?: FileStart): Promise<void> {
    const limits = this.#limits();
    await (file === undefined
      ? this.#run.query(LIMIT, limits)
      : this.#run.query(LIMIT_AND_PATH, [...limits, pathValue(file.searchPath), file.revision]));
  }

  /** In one message: deferred constraints are checked in the session of the revision; then it is as at the start. */
  async restore(): Promise<void> {
    const limits = bound(this.#limits());
    await this.#run.query([limits, CHECK_DEFERRED, this.#run.neutral, FORGET, limits].join('\n'));
  }

  #limits(): [statement: string, lock: string] {
    return [`${this.#run.leftMs()}ms`, `${this.#run.bounds.lockTimeoutMs}ms`];
  }
}
