// How an attempt sends statements: bounded, a step in one round trip, and after a revision the session as at the start.
import pg from 'pg';
import { readMoment } from '../database/evidence.ts';
import { BackstopError } from '../model/errors.ts';
import type { StepReport } from '../model/report.ts';
import { pathValue } from '../revisions/search-path.ts';
import { onCompleted, together } from '../session/client.ts';
import { bound, DEADLOCK_TIMEOUT, type Limits } from '../session/limits.ts';
import { CHECK_DEFERRED, FORGET_OF_STEPS } from '../session/neutral.ts';
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

/** Every session begins without a limit. */
const NONE: Limits = [0, 0];

/** Listens to the client of a run until it is stopped. */
export class Statements {
  /** Stops to count. */
  readonly stop: () => void;
  readonly #run: Run;
  #completed = 0;
  /** As the latest step has left them. */
  #limits: Limits = NONE;
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
    const limits = this.#bounds(file);
    // The first answers belong to the limits, which are sent before the SQL.
    this.#completed = -limits.length;
    const answers = together(
      run.query(limits.join(' ')),
      run.query(sql).then(() => performance.now() - started),
      readMoment(run),
    );
    if (isLast) {
      this.#restored = this.restore();
      // If the step fails, this fails because of it, and its error is not awaited.
      this.#restored.catch(() => {});
    }
    const [, durationMs, moment] = await answers;
    this.#limits = isLast ? NONE : moment.limits;
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
    const { rows } = await this.#run.query<{ ms: number }>(DEADLOCK_TIMEOUT);
    const briefMs = Math.round(0.9 * (rows[0]?.ms ?? 0));
    const started = performance.now();
    try {
      const after = this.#bounds().join(' ');
      this.#limits = [briefMs, 0];
      await this.carryOut(`LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE; ${after}`, begun, place);
    } catch (error) {
      if (!isCancelled(error) || performance.now() - started < briefMs) throw error;
      const message = `The table locks were not granted together within ${briefMs} ms`;
      throw new BackstopError('DatabaseBusy', { message }, { cause: error });
    }
  }

  /** From here on the server lets no statement take longer than there is time left, or wait longer for a lock. */
  async limit(): Promise<void> {
    await this.#run.query(this.#bounds().join(' '));
  }

  /** In one message: deferred constraints are checked in the session of the revision; then it is as at the start. */
  async restore(): Promise<void> {
    const limits = bound([this.#run.leftMs(), this.#run.bounds.lockTimeoutMs]).join(' ');
    await this.#run.query([limits, CHECK_DEFERRED, this.#run.neutral, FORGET_OF_STEPS, limits].join('\n'));
  }

  /** The statements that bound the next one: a shorter time of a step stays. */
  #bounds(file?: FileStart): string[] {
    const { bounds } = this.#run;
    const [statement, lock] = this.#limits;
    return [
      ...bound([least(statement, this.#run.leftMs()), least(lock, bounds.lockTimeoutMs)]),
      ...(file === undefined
        ? []
        : [
            // The statements of a stamp name their schemas, and have no path.
            `SET LOCAL search_path TO ${pathValue(file.searchPath) || "''"};`,
            // The functions of retiring read it.
            `SET LOCAL backstop.revision = ${pg.escapeLiteral(file.revision)};`,
          ]),
    ];
  }
}

function least(own: number, wanted: number): number {
  return own === 0 ? wanted : Math.min(own, wanted);
}
