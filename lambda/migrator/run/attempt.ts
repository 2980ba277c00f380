// One attempt at the transaction of a run: the locks, the steps, the version, the history, COMMIT alone.
import { remember } from '../database/history.ts';
import { ownObjects } from '../database/ours.ts';
import { closeToOthers, handOver } from '../database/ownership.ts';
import { Retiring } from '../database/retiring/functions.ts';
import { moveVersion } from '../database/version-table.ts';
import { bounded, type Ends } from '../model/bounded.ts';
import { BackstopError } from '../model/errors.ts';
import type { Listener, ProgressEvent } from '../model/events.ts';
import { requireLeave } from '../model/losing.ts';
import type { RunReport, StepReport } from '../model/report.ts';
import { functionsIn } from '../revisions/effects.ts';
import type { Part } from '../revisions/part.ts';
import type { Step } from '../revisions/revision.ts';
import { together } from '../session/client.ts';
import { isCancelled, isServerError, type Sent, stepError, timeoutError } from '../session/sqlstate.ts';
import { beginTransaction } from './begin.ts';
import { commit } from './commit.ts';
import { endsOf, Notices, tellNotices } from './notices.ts';
import { readProof } from './proof.ts';
import { Rehearsal } from './rehearsal.ts';
import { type AttemptOptions, type Begun, historyEntry, makeReport, measure } from './result.ts';
import type { Run } from './run.ts';
import { Statements } from './statements.ts';

/** The server may think that the time is up a little before we do. */
const CLOCKS_DIFFER_MS = 100;

/** One attempt, used once. */
export class Attempt {
  readonly #run: Run;
  readonly #options: AttemptOptions;
  readonly #boundMs: number;
  readonly #steps: Ends<StepReport>;
  /** Parts that have run; they are reported once the transaction is committed. */
  readonly #completed: Omit<Extract<ProgressEvent, { type: 'revision completed' }>, 'type'>[] = [];
  readonly #rehearsal: Rehearsal | undefined;
  readonly #statements: Statements;
  readonly #notices: Notices;
  readonly #functions: readonly string[];
  readonly #retiring: Retiring;
  #listener: Listener;
  #place = 'BEGIN';
  #sent: Sent = {};

  constructor(run: Run, options: AttemptOptions) {
    this.#run = run;
    this.#options = options;
    this.#steps = endsOf(this.#isWhole);
    this.#statements = new Statements(run);
    this.#retiring = new Retiring(run);
    this.#functions = [...functionsIn(run.parts.map(({ script }) => script)), ...this.#retiring.functions];
    this.#notices = new Notices(run.client, this.#isWhole, this.#functions);
    this.#listener = run.listener;
    if (run.rehearse) this.#rehearsal = new Rehearsal(run, options);
    const { transactionMs, runMs } = run.bounds;
    this.#boundMs = Math.max(0, Math.min(transactionMs, run.started + runMs - performance.now()));
  }

  /** Throws as `runTransaction` does; the transaction is then rolled back, or its connection gone. */
  async execute(): Promise<RunReport> {
    const { client } = this.#run;
    this.#run.limit(this.#boundMs);
    try {
      const means = { statements: this.#statements, retiring: this.#retiring };
      const begun = await beginTransaction(this.#run, this.#options, means, (place) => {
        this.#place = place;
      });
      for (const part of this.#run.parts) {
        const steps = await this.#runPart(begun, part);
        await this.#rehearsal?.check(part, begun, steps);
      }
      return await this.#end(begun);
    } catch (error) {
      const ending = this.#ending(error);
      // If the connection is gone, the server rolls back by itself, as soon as the session has ended.
      await this.#run.query('ROLLBACK').catch(() => client.end());
      throw ending;
    } finally {
      this.#notices.stop();
      this.#statements.stop();
    }
  }

  /** Whether the history keeps whole lists, as databases.json may ask. */
  get #isWhole(): boolean {
    return this.#run.database.definition.history === 'whole';
  }

  async #runPart(begun: Begun, part: Part): Promise<StepReport[]> {
    const started = performance.now();
    this.#open(part);
    const steps: StepReport[] = [];
    for (const [index, step] of part.script.steps.entries()) {
      steps.push(await this.#runStep(begun, part, step, index + 1));
    }
    await this.#close(part, started);
    return steps;
  }

  #open({ direction, revision, script, from, to }: Part): void {
    this.#listener({ type: 'revision started', direction, revision, from, to, title: script.title });
  }

  async #close({ direction, revision, from, to }: Part, started: number): Promise<void> {
    this.#place = `checking deferred constraints${this.#run.parts.length > 1 ? ` of ${revision}` : ''}`;
    this.#sent = {};
    await this.#statements.restored;
    if (from !== to) {
      this.#place = `moving the version from ${from} to ${to}`;
      await moveVersion(this.#run, from, to);
    }
    this.#completed.push({ direction, revision, from, to, durationMs: performance.now() - started });
  }

  async #runStep(
    begun: Begun,
    { direction, revision, script }: Part,
    step: Step,
    number: number,
  ): Promise<StepReport> {
    const listener = this.#listener;
    const at = { direction, revision, number, of: script.steps.length, title: step.title };
    this.#place = `step ${number}/${at.of} of ${revision} (${step.title})`;
    this.#sent = { pieces: [step], refuses: script.refuses };
    listener({ type: 'step started', ...at });
    this.#notices.begin();
    const effect = await this.#statements.carryOut(step.sql, begun, this.#place, {
      file: number === 1 ? { searchPath: script.searchPath, revision } : undefined,
      isLast: number === at.of,
    });
    const report = { ...at, ...this.#notices.fields, ...effect };
    this.#steps.push(report);
    const told = bounded(report);
    tellNotices(told, listener);
    listener({ type: 'step completed', step: told });
    return report;
  }

  async #end(begun: Begun): Promise<RunReport> {
    const { runId, connect, direction, from, to, dryRun, bounds, listener } = this.#run;
    // Deferred constraints are checked now: at COMMIT no statement_timeout would bound them.
    this.#place = 'checking deferred constraints';
    this.#sent = {};
    const [, , measured] = await together(
      this.#statements.limit(),
      this.#run.query('SET CONSTRAINTS ALL IMMEDIATE'),
      makeReport(this.#run, this.#options, { ...begun, steps: this.#steps }),
    );
    if (direction === 'upgrade' && !(dryRun || this.#run.allowLoss)) requireLeave(measured);
    this.#place = 'giving what was made its owner';
    const { schemas } = ownObjects(this.#run.database);
    await together(
      // Revisions may make the schema of their retired tables by hand.
      closeToOthers(this.#run, { schemas: schemas.filter((name) => !this.#retiring.schemas.includes(name)) }),
      // A dry run still takes the upgrade back.
      dryRun ? Promise.resolve() : this.#retiring.end(this.#run),
    );
    await handOver(this.#run, begun.heir);
    this.#place = 'reading the fingerprint';
    const report = { ...measured, ...(await readProof(this.#run, begun)) };
    this.#place = 'writing the history';
    await remember(this.#run, historyEntry(this.#run, this.#isWhole ? report : bounded(report)));
    this.#place = 'COMMIT';
    if (dryRun) return this.#endDryRun(begun, { ...report, ...measure(this.#run, begun.ledger) });
    await commit(this.#run, connect, { id: begun.transaction, runId }, bounds.reconnectMs);
    const final = { ...report, ...measure(this.#run, begun.ledger) };
    // Not before: a revision that is told to be complete must not be rolled back.
    for (const part of this.#completed) listener({ type: 'revision completed', ...part });
    if (final.unforeseen) listener({ type: 'unforeseen', locks: final.unforeseen });
    const { outcome, durationMs } = final;
    listener({ type: 'committed', direction, from, to, outcome, durationMs });
    return bounded(final);
  }

  /** The upgrade is taken back step by step before everything is rolled back. */
  async #endDryRun(begun: Begun, report: RunReport): Promise<RunReport> {
    this.#listener = () => {};
    const rehearsal = await this.#rehearsal?.end(begun, (part) => this.#takeBack(begun, part));
    await this.#run.query('ROLLBACK');
    const { direction, from, to, outcome, durationMs } = report;
    this.#run.listener({ type: 'committed', direction, from, to, outcome, durationMs });
    return bounded({ ...report, ...(rehearsal && { rehearsal }) });
  }

  async #takeBack(begun: Begun, part: Part): Promise<StepReport[]> {
    try {
      const steps = await this.#runPart(begun, part);
      this.#place = 'checking deferred constraints';
      await this.#run.query('SET CONSTRAINTS ALL IMMEDIATE');
      return steps;
    } catch (error) {
      throw this.#ending(error);
    }
  }

  #ending(error: unknown): unknown {
    if (error instanceof BackstopError) return error;
    // The server cancelled the statement, or we ourselves cut the connection; any other error means what it says.
    const stopped = isCancelled(error) || !isServerError(error);
    const timedOut = stopped && this.#run.leftMs() <= CLOCKS_DIFFER_MS;
    return timedOut
      ? timeoutError(this.#boundMs, this.#place, error)
      : stepError(error, this.#place, {
          ...this.#sent,
          completed: this.#statements.completed,
          functions: this.#functions,
        });
  }
}
