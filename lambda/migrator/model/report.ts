// The types of a run's reports: every function returns them, the history table keeps them and the reports print them.
import type { Location } from './location.ts';

/** A revision id, or `base` if no revision is applied. */
export type RevisionId = string;
export const BASE: RevisionId = 'base';

export type Direction = 'upgrade' | 'downgrade' | 'finalize' | 'stamp';

/** The plan of a run: the revisions between the current revision of the database and the target. */
export interface Plan {
  readonly direction: 'upgrade' | 'downgrade';
  readonly from: RevisionId;
  readonly to: RevisionId;
  /** Ids in the order in which they run; empty if the database is at the target already. */
  readonly pending: readonly RevisionId[];
  /** Ids of applied revisions whose retired objects still exist. */
  readonly finalizePending: readonly RevisionId[];
  /** Ids of applied revisions whose files have changed since. */
  readonly edited: readonly RevisionId[];
  /** Tables that are there and that an upgrade will retire, as the pending revisions declare, e.g. `public.tasks`. */
  readonly retires: readonly string[];
  /** Pending revisions whose downgrade takes nothing back, although the upgrade holds something; absent if there are none. */
  readonly withoutDowngrade?: readonly RevisionId[];
  /** Absent if nothing is pending, or if no estimate was requested. */
  readonly estimate?: Estimate;
}

/** The estimated cost of a run, computed before anything is locked. All times in ms. */
export interface Estimate {
  /** From the beginning of the run to the answer of COMMIT, without the checks before it. */
  readonly durationMs: number;
  /** For how long ACCESS EXCLUSIVE is held; 0 if none of the tables exists. */
  readonly lockMs: number;
  /** The tables that are locked or scanned, first the table that takes longest to scan. */
  readonly tables: readonly TableEstimate[];
}

/** A table of an {@link Estimate}. */
export interface TableEstimate {
  readonly relation: string;
  /** As the statistics say. */
  readonly rows: number;
  /** The bytes that a pass reads: without indexes, and without values that are stored out of line (TOAST). */
  readonly bytes: number;
  /** For all the scans of the steps. */
  readonly scanMs: number;
  /** From the lock, which is taken before the first step, to COMMIT; 0 if the table is not locked before it. */
  readonly lockMs: number;
}

/** One message of the server while a step ran: `RAISE NOTICE` and `RAISE WARNING`. */
export interface Notice {
  readonly severity: string;
  readonly message: string;
}

/** A lock that the transaction holds, e.g. `public.orders` in `AccessExclusiveLock`. */
export interface HeldLock {
  readonly relation: string;
  readonly mode: string;
}

/** The effects of one step, as the server reports them. */
export interface StepReport {
  readonly direction: Direction;
  readonly revision: RevisionId;
  readonly number: number;
  /** How many steps the revision has in that direction. */
  readonly of: number;
  readonly title: string;
  readonly durationMs: number;
  readonly notices: readonly Notice[];
  /** Locks that this step was the first to hold. */
  readonly locks: readonly HeldLock[];
  /** Relations that were rewritten (their file changed). */
  readonly rewritten: readonly string[];
  /** Write-ahead log of the whole server between begin and end of the step, in bytes. */
  readonly walBytes: number;
}

/** One check: it holds if its query returned no row. */
export interface CheckReport {
  readonly revision: RevisionId;
  /** The number in the validation contract, e.g. `V1.1`. */
  readonly id: string;
  readonly title: string;
  /** The lines of the verdict that the check stands for. */
  readonly shownAs: readonly string[];
  readonly passed: boolean;
  /** How many rows violate it. */
  readonly violations: number;
  /** At most 20 of these rows. */
  readonly rows: readonly Record<string, unknown>[];
  readonly durationMs: number;
}

/** One temporary table that the checks shared. */
export interface GatherReport {
  readonly title: string;
  readonly table: string;
  /** How many rows it held. */
  readonly rows: number;
  readonly durationMs: number;
}

/** A session that blocked the run. */
export interface Blocker {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly state: string;
  readonly query: string;
}

/** Rows that the transaction wrote in one table, from the server's own counters. */
export interface RowCounts {
  readonly relation: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export type Outcome = 'upgraded' | 'downgraded' | 'finalized' | 'stamped' | 'nothing to do' | 'rehearsed';

/** The effects of one run of upgrade, downgrade, finalize or stamp. */
export interface RunReport {
  readonly runId: string;
  readonly direction: Direction;
  readonly outcome: Outcome;
  readonly from: RevisionId;
  readonly to: RevisionId;
  /** Ids of the revisions that were run, in order. */
  readonly revisions: readonly RevisionId[];
  readonly steps: readonly StepReport[];
  /** Tables that left their schema for a `retired_…` one: their data is out of sight, not lost. */
  readonly retired: readonly string[];
  /** Tables that came back from a `retired_…` schema, with every row. */
  readonly restored: readonly string[];
  /** Tables that were not there before. */
  readonly created: readonly string[];
  /** Tables that are gone. */
  readonly dropped: readonly string[];
  readonly rows: readonly RowCounts[];
  /** Per table: how long ACCESS EXCLUSIVE was held, from its grant to the answer of COMMIT, in ms. */
  readonly exclusiveMs: Readonly<Record<string, number>>;
  readonly walBytes: number;
  /** How often the transaction was begun; above 1 where a lock was not granted at first. */
  readonly attempts: number;
  readonly blockers: readonly Blocker[];
  readonly durationMs: number;
  /** The estimate of an upgrade. */
  readonly estimate?: Estimate;
}

/** The verdict over a revision's checks. */
export interface ValidationReport {
  readonly revision: RevisionId;
  /** Before a downgrade the checks return the rows that it would lose; in every other phase, the errors. */
  readonly phase: 'before-upgrade' | 'after-upgrade' | 'before-downgrade' | 'after-downgrade';
  readonly passed: boolean;
  readonly checks: readonly CheckReport[];
  /** Tables that the checks shared: no check's time includes theirs. Absent if the checks shared no table. */
  readonly gathered?: readonly GatherReport[];
  readonly durationMs: number;
}

/** The verdict over the database at its current revision. */
export interface DatabaseVerdict extends ValidationReport {
  /** Ids of applied revisions whose retired objects still exist. */
  readonly finalizePending: readonly RevisionId[];
}

/** One run, as it is remembered. */
export interface HistoryEntry {
  readonly runId: string;
  /** ARN of the execution; undefined for a run from the command line. */
  readonly execution: string | undefined;
  readonly direction: Direction;
  readonly from: RevisionId;
  readonly to: RevisionId;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** The outcome of the report, or the name of the error. */
  readonly outcome: string;
  /** Revision id → checksum of the upgrade that was applied. */
  readonly checksums: Readonly<Record<RevisionId, string>>;
  readonly report: RunReport | FailureReport;
}

/** The history's record of a run that failed and was rolled back. */
export interface FailureReport {
  readonly error: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** Where in the files of the revision it failed. */
  readonly location?: Location | undefined;
  readonly attempts: number;
}

/** A run as the history remembers it. */
export interface LoggedRun extends Omit<HistoryEntry, 'execution' | 'checksums'> {
  readonly execution: string | null;
  /** The database user who ran it. */
  readonly user: string;
}

/** The data that a run would lose for good. */
export interface Loss {
  /** The checks that found data that would be lost, with its rows. */
  readonly found: readonly CheckReport[];
  /** Revisions that do not declare what their downgrade loses: it may be anything. */
  readonly unforeseen: readonly RevisionId[];
}
