// The part of a dry run that looks ahead: the checks after each revision, and the downgrade of an upgrade.
import { runChecksWithin } from '../database/checks.ts';
import { readWrittenRows } from '../database/evidence.ts';
import { readDifferences } from '../database/fingerprint.ts';
import { remember } from '../database/history.ts';
import { knownTables } from '../database/trust.ts';
import { bounded } from '../model/bounded.ts';
import { describeViolations } from '../model/describe.ts';
import { describeChanges } from '../model/differences.ts';
import { BackstopError } from '../model/errors.ts';
import { formatLocation } from '../model/location.ts';
import { describeLosses, isOverwriting } from '../model/losing.ts';
import type { RowLoss } from '../model/losses.ts';
import type { CheckReport, Rehearsed, RevisionId, StepReport } from '../model/report.ts';
import { revisionOf } from '../revisions/chain.ts';
import type { Phase } from '../revisions/check.ts';
import { type Part, partOf } from '../revisions/part.ts';
import { type AttemptOptions, type Begun, historyEntry, makeReport } from './result.ts';
import type { Run } from './run.ts';
import { firstState, newLosses, readState, rowsGone, type State } from './state.ts';

/** Runs a part in the open transaction with all its constraints, and returns its steps. Rejects with an ending. */
export type RunPart = (part: Part) => Promise<readonly StepReport[]>;

type Verdict = Pick<Rehearsed, 'passed' | 'checks' | 'fault'>;
type WayBack = Pick<Rehearsed, 'reversible' | 'because' | 'differences'>;

/** These errors are about the run, and not about the revision. */
const SEVERE: readonly string[] = ['DatabaseBusy', 'OutcomeUnknown'];

/** One rehearsal, in the transaction of one attempt. */
export class Rehearsal {
  readonly #run: Run;
  readonly #options: AttemptOptions;
  readonly #verdicts = new Map<RevisionId, Verdict>();
  /** The state before each upgrade. */
  readonly #states = new Map<RevisionId, State>();
  #last: State | undefined;
  /** Revision → the rows and columns to which it has given other values: they are not compared. */
  readonly #overwritten = new Map<RevisionId, string>();
  /** Revision → the rows that its downgrade has taken away. */
  readonly #lossesBack = new Map<RevisionId, string>();

  constructor(run: Run, options: AttemptOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Runs the checks after a part, which has just run. The time for that is not counted as the run's. */
  async check(part: Part, begun: Begun, steps: readonly StepReport[]): Promise<void> {
    const { direction, revision } = part;
    if (direction !== 'upgrade' && direction !== 'downgrade') return;
    const run = this.#run;
    const [started, leftMs] = [performance.now(), run.leftMs()];
    run.limit(run.bounds.transactionMs);
    this.#verdicts.set(revision, await this.#judge(`after-${direction}`, part, { ...begun, steps }));
    this.#states.set(revision, this.#last ?? firstState(begun));
    this.#last = await readState(this.#run, this.#options, begun);
    begun.ledger.pause(performance.now() - started);
    run.limit(leftMs);
  }

  /** The findings, once the upgrade is taken back. A downgrade is not run the other way. */
  async end(begun: Begun, runPart: RunPart): Promise<Rehearsed[]> {
    if (this.#run.direction !== 'upgrade') return this.#found(() => ({}));
    const run = this.#run;
    run.limit(run.bounds.transactionMs);
    const upgraded = [...this.#verdicts.keys()].reverse();
    const losses = new Map([...(await this.#foreseeLosses(upgraded)), ...this.#lossesOfUpgrades(upgraded)]);
    const ways = new Map<RevisionId, WayBack>();
    let stopped: WayBack | undefined;
    for (const id of upgraded) {
      const obstacle = stopped ?? (await this.#takeBack(id, begun, runPart));
      const loss = losses.get(id) ?? this.#lossesBack.get(id);
      ways.set(
        id,
        obstacle ?? (loss === undefined ? this.#proved(id) : { reversible: 'with loss', because: loss }),
      );
      if (obstacle && !stopped) stopped = { ...obstacle, because: `${id} stays above it` };
    }
    return this.#found((id) => ways.get(id) ?? {});
  }

  #found(wayBack: (id: RevisionId) => WayBack): Rehearsed[] {
    return [...this.#verdicts].map(([revision, verdict]) => ({ revision, ...verdict, ...wayBack(revision) }));
  }

  /** Revision → the rows that its upgrade itself has taken away. */
  #lossesOfUpgrades(upgraded: readonly RevisionId[]): Map<RevisionId, string> {
    const found = new Map<RevisionId, string>();
    let after = this.#last;
    for (const id of upgraded) {
      const before = this.#states.get(id);
      const losses = this.#takenBy(id, before, after);
      if (losses.length > 0) found.set(id, describeLosses({ losses }).join(', '));
      after = before;
    }
    return found;
  }

  /** The rows and columns that a revision takes away between two states; those with other values are noted. */
  #takenBy(id: RevisionId, before: State | undefined, after: State | undefined): RowLoss[] {
    const losses = newLosses(before, after);
    const overwritten = losses.filter(isOverwriting);
    if (overwritten.length > 0) this.#overwritten.set(id, describeLosses({ losses: overwritten }).join(', '));
    return losses.filter((loss) => !isOverwriting(loss));
  }

  #proved(id: RevisionId): WayBack {
    const because = this.#overwritten.get(id);
    return { reversible: 'yes', ...(because !== undefined && { because }) };
  }

  /** Revision → what its downgrade would lose, asked before the first downgrade, as a downgrade asks. */
  async #foreseeLosses(revisions: readonly RevisionId[]): Promise<ReadonlyMap<RevisionId, string>> {
    const losses = new Map<RevisionId, string>();
    const { parts } = this.#run;
    for (const id of revisions) {
      if (parts.some(({ direction, revision }) => direction === 'finalize' && revision === id)) {
        losses.set(id, 'the same run drops what it retires');
        continue;
      }
      const { passed, checks, fault } = await this.#judge('before-downgrade', { revision: id });
      if (!passed) losses.set(id, fault ?? failedOf(checks));
    }
    return losses;
  }

  /** Runs the downgrade of a revision as a run would; returns what is in its way, if something is. */
  async #takeBack(id: RevisionId, begun: Begun, runPart: RunPart): Promise<WayBack | undefined> {
    const run = this.#run;
    const part = partOf(run.database.chain, 'downgrade', id);
    try {
      await this.#deferConstraints();
      const writtenBefore = await readWrittenRows(run);
      const steps = await runPart(part);
      const { passed, checks, fault } = await this.#judge('after-downgrade', part, {
        ...begun,
        writtenBefore,
        steps,
      });
      if (!passed) return { reversible: 'no', because: `after its downgrade, ${fault ?? failedOf(checks)}` };
      return await this.#compare(id, begun);
    } catch (error) {
      const because = `its downgrade fails: ${reasonOf(error)}`;
      return { reversible: isTooEarly(error) ? 'unknown' : 'no', because };
    }
  }

  /** Whether the downgrade has left the schema and the rows as they were before the upgrade. */
  async #compare(id: RevisionId, begun: Begun): Promise<WayBack | undefined> {
    const state = this.#states.get(id);
    if (state === undefined) return undefined;
    const now = await readState(this.#run, this.#options, begun);
    const differences =
      now.fingerprint === state.fingerprint
        ? undefined
        : await readDifferences(this.#run, state.fingerprint, now.fingerprint);
    if (differences && differences.changes.length > 0) {
      const because = `after its downgrade, these differ: ${describeChanges(differences)}`;
      return { reversible: 'no', because, differences: differences.changes };
    }
    // A row that the downgrade deletes may be the upgrade's: the numbers of rows are compared.
    const taken = this.#takenBy(id, this.#last, now).filter(({ how }) => how !== 'deleted');
    const losses = [...rowsGone(state, now), ...taken];
    if (losses.length > 0) this.#lossesBack.set(id, describeLosses({ losses }).join(', '));
    return undefined;
  }

  /** A transaction begins with its constraints as they were declared; the end of the upgrade made them immediate. */
  async #deferConstraints(): Promise<void> {
    const { rows } = await this.#run.query<{ names: string | null }>(
      `SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname), ', ') AS names
       FROM pg_catalog.pg_constraint AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.connamespace
       WHERE c.condeferred`,
    );
    const names = rows[0]?.names;
    if (names) await this.#run.query(`SET CONSTRAINTS ${names} DEFERRED`);
  }

  /**
   * Runs the checks of a phase.
   *
   * @param ran what has just run: for the checks its run is in the history, as it is after a real one
   */
  async #judge(
    phase: Phase,
    part: Part | Pick<Part, 'revision'>,
    ran?: Begun & { readonly steps: readonly StepReport[] },
  ): Promise<Verdict> {
    const { database, bounds, listener } = this.#run;
    const { revision } = part;
    const checks = revisionOf(database.chain, revision).checks[phase];
    if (checks.length === 0) return { passed: true, checks: [] };
    const told = phase === 'before-downgrade' ? {} : { listener };
    try {
      const { passed, checks: found } = await runChecksWithin(
        this.#run,
        { revision, phase, checks },
        { timeoutMs: bounds.transactionMs, known: knownTables(database), ...told },
        async () => {
          if (ran && 'direction' in part) await this.#pretend(part, ran);
        },
      );
      return { passed, checks: found };
    } catch (error) {
      return { passed: isTooEarly(error), checks: [], fault: reasonOf(error) };
    }
  }

  /** Writes the run of a part into the history, as if it had run alone. */
  async #pretend(part: Part, ran: Begun & { readonly steps: readonly StepReport[] }): Promise<void> {
    const { direction, from, to } = part;
    const run: Run = { ...this.#run, direction, from, to, parts: [part], dryRun: false };
    const steps = { entries: ran.steps, omitted: 0 };
    const report = await makeReport(run, this.#options, { ...ran, steps });
    await remember(run, historyEntry(run, bounded(report)));
  }
}

/** A new value of an enum can be used only once the transaction that added it is committed (55P04). */
function isTooEarly(error: unknown): boolean {
  return error instanceof BackstopError && (error.cause as { code?: string } | undefined)?.code === '55P04';
}

/** Throws an error that is not about the revision. */
function reasonOf(error: unknown): string {
  if (!(error instanceof BackstopError) || SEVERE.includes(error.name)) throw error;
  const { summary, location } = error;
  return location ? `${summary}, at ${formatLocation(location)}` : summary;
}

/** `V8.1 the column is gone does not hold (2 rows violate it)`. */
function failedOf(checks: readonly CheckReport[]): string {
  return checks
    .filter(({ passed }) => !passed)
    .map(({ id, title, violations }) => `${id} ${title} (${describeViolations(violations)})`)
    .join(', ');
}
