// The effects of a transaction, measured before its COMMIT: the report of the run, and its entry in the history.
import { ownIn, type Past } from '../database/comparison.ts';
import {
  compareRelations,
  compareWrittenRows,
  type Relations,
  readTouched,
  type WrittenRows,
} from '../database/evidence.ts';
import type { Foreseen } from '../database/foresee.ts';
import { ownTables, type RowsAtStake, readLosses } from '../database/losses.ts';
import type { Heir } from '../database/ownership.ts';
import { ENTRIES_KEPT } from '../model/bounded.ts';
import type { HistoryEntry } from '../model/history-entry.ts';
import {
  type Blocker,
  type Direction,
  type Outcome,
  type RunReport,
  rowsWritten,
  type StepReport,
} from '../model/report.ts';
import { isShown } from '../revisions/effects.ts';
import { idsOf } from '../revisions/part.ts';
import type { Ledger } from './ledger.ts';
import type { Run } from './run.ts';

const OUTCOMES: Readonly<Record<Direction, Outcome>> = {
  upgrade: 'upgraded',
  downgrade: 'downgraded',
  finalize: 'finalized',
  stamp: 'stamped',
};

/** The facts that an attempt knows once its transaction is open. */
export interface Begun {
  readonly transaction: string;
  readonly ledger: Ledger;
  readonly writtenBefore: WrittenRows;
  /** The rows of the tables that will go, as counted under the locks. */
  readonly atStake: RowsAtStake;
  /** The role that gets what the run makes. */
  readonly heir: Heir;
  /** The runs that a downgrade takes back; empty for any other. */
  readonly since: readonly Past[];
  /** The fingerprint of the schema before the first change, whose lines are kept. */
  readonly fingerprint: string;
}

/** The options that differ between attempts. */
export interface AttemptOptions {
  /** 1 for the first attempt of the run. */
  readonly number: number;
  /** The relations as they were before the run. */
  readonly before: Relations;
  /** The locks that the statements will take; undefined if that is not known. */
  readonly foreseen: readonly Foreseen[] | undefined;
  /** All sessions and prepared transactions that were in the way so far, by pid or name. */
  readonly blockers: ReadonlyMap<number | string, Blocker>;
}

/** The steps that a report lists, and how many it leaves out. */
export interface StepList {
  readonly entries: readonly StepReport[];
  readonly omitted: number;
}

/** The report as it is before COMMIT; {@link measure} completes it after. */
export async function makeReport(
  run: Run,
  { number, before, blockers, foreseen }: AttemptOptions,
  { ledger, writtenBefore, atStake, since, steps }: Begun & { readonly steps: StepList },
): Promise<RunReport> {
  const { runId, direction, from, to, parts, dryRun, estimate } = run;
  const touched = await readTouched(run);
  const rows = compareWrittenRows(writtenBefore, touched);
  const losses = await readLosses(
    run,
    {
      before,
      writtenBefore,
      atStake,
      shown: isShown(parts.map(({ script }) => script)) ? foreseen : undefined,
      finalizes: finalizesIn(run),
      own: ownIn(since),
    },
    touched,
  );
  const own = direction === 'upgrade' ? ownTables(before, touched) : [];
  return {
    runId,
    direction,
    outcome: dryRun ? 'rehearsed' : OUTCOMES[direction],
    from,
    to,
    revisions: idsOf(parts),
    steps: steps.entries,
    ...(steps.omitted > 0 && { omitted: { steps: steps.omitted } }),
    ...compareRelations(before, touched),
    rows,
    ...(rows.length > ENTRIES_KEPT && { rowsWritten: rowsWritten(rows) }),
    ...(losses.length > 0 && { losses }),
    ...(own.length > 0 && { own }),
    walBytes: ledger.walBytes,
    attempts: number,
    blockers: [...blockers.values()],
    ...measure(run, ledger),
    ...(estimate && { estimate }),
    ...(ledger.unforeseen.length > 0 && { unforeseen: ledger.unforeseen }),
  };
}

/** Whether one of the parts drops the retired tables. */
export function finalizesIn({ parts }: Pick<Run, 'parts'>): boolean {
  return parts.some(({ direction }) => direction === 'finalize');
}

/** The times that grow until the answer of COMMIT. */
export function measure({ started }: Run, ledger: Ledger): Pick<RunReport, 'exclusiveMs' | 'durationMs'> {
  const now = performance.now();
  return { exclusiveMs: ledger.exclusiveMs(now), durationMs: now - started - ledger.pausedMs };
}

export function historyEntry(run: Run, report: RunReport): HistoryEntry {
  const { runId, execution, direction, from, to, startedAt, parts } = run;
  const checksums = Object.fromEntries(
    parts.flatMap(({ revision, checksum }) => (checksum === undefined ? [] : [[revision, checksum]])),
  );
  const { durationMs, outcome } = report;
  return { runId, execution, direction, from, to, startedAt, durationMs, outcome, checksums, report };
}
