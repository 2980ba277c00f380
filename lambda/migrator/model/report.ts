// The types of a run's reports: every function returns them, the history table keeps them and the reports print them.
// The lists of a report may be shortened: see bounded.ts.
import type { Shortened } from './bounded.ts';
import type { Change, Differences } from './differences.ts';
import type { Comparison, OwnTable, RowLoss } from './losses.ts';

/** A revision id, or `base` if no revision is applied. */
export type RevisionId = string;
export const BASE: RevisionId = 'base';

export type Direction = 'upgrade' | 'downgrade' | 'finalize' | 'stamp';

/** The plan of a run: the revisions between the current revision of the database and the target. */
export interface Plan extends Shortened {
  readonly direction: 'upgrade' | 'downgrade';
  readonly from: RevisionId;
  readonly to: RevisionId;
  /** Ids in the order in which they run; empty if the database is at the target already. */
  readonly pending: readonly RevisionId[];
  /** Pending revision → SHA-256 of all its files, in hex; `checksum` is of all of these, and of the direction. */
  readonly checksums: Readonly<Record<RevisionId, string>>;
  readonly checksum: string;
  /** Ids of applied revisions whose retired objects still exist. */
  readonly finalizePending: readonly RevisionId[];
  /** Ids of applied revisions whose files have changed since. */
  readonly edited: readonly RevisionId[];
  /** Ids of applied revisions that have no folder any more. Absent if there are none. */
  readonly gone?: readonly RevisionId[];
  /** Ids of applied revisions that the chain has in another order than they were applied. Absent if there are none. */
  readonly reordered?: readonly RevisionId[];
  /** Tables that are there and that an upgrade will retire, as the pending revisions declare, e.g. `public.tasks`. */
  readonly retires: readonly string[];
  /** How the schema differs from the schema after the last run; absent if it does not, or that schema is not known. */
  readonly drift?: Differences;
  /** The rows and columns that an upgrade will take away for good, as its statements show; absent if there are none. */
  readonly losses?: readonly RowLoss[];
  /** The ids of `pending` by transaction; absent if they share one. */
  readonly transactions?: readonly (readonly RevisionId[])[];
  /** Pending revisions whose downgrade takes nothing back, although the upgrade holds something; absent if there are none. */
  readonly withoutDowngrade?: readonly RevisionId[];
  /** Absent if nothing is pending, or if no estimate was requested. */
  readonly estimate?: Estimate;
}

/** The estimated cost of a run, computed before anything is locked. All times in ms. */
export interface Estimate extends Shortened {
  /** From the beginning of the run to the answer of COMMIT, without the checks before it. */
  readonly durationMs: number;
  /** For how long locks that keep others from writing are held; 0 if none of the tables exists. */
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
  /** For its rewrites, without its indexes; absent if there is none, as the next two. */
  readonly rewriteMs?: number;
  /** For the indexes that are built or, after a rewrite, built again. */
  readonly indexMs?: number;
  /** For the foreign keys whose rows are looked up. */
  readonly keyMs?: number;
  /** From a lock that keeps others from writing to COMMIT; 0 if no such lock is foreseen. */
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
export interface StepReport extends Shortened {
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

/** The word in place of a value that is not printed. */
export const NOT_SHOWN = '(not shown)';

/** One check: it holds if its query returned no row. */
export interface CheckReport extends Shortened {
  readonly revision: RevisionId;
  /** The number in the validation contract, e.g. `V1.1`. */
  readonly id: string;
  readonly title: string;
  /** The lines of the verdict that the check stands for. */
  readonly shownAs: readonly string[];
  readonly passed: boolean;
  /** How many rows violate it. */
  readonly violations: number;
  /** At most 20 of these rows. A value of a table that is the user's is {@link NOT_SHOWN}. */
  readonly rows: readonly Record<string, unknown>[];
  /** The place of its query, if a value is not shown: who runs it sees the rows. */
  readonly source?: string;
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

/** A session or a prepared transaction that blocked the run. */
export interface Blocker {
  /** 0 for a prepared transaction. */
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly state: string;
  /** ISO 8601: when its transaction began, or else its state; '' if that is not known, as the next two. */
  readonly since: string;
  /** The relation that it holds and the run waits for, e.g. `public.orders`. */
  readonly relation: string;
  /** The first word of its last statement, e.g. `UPDATE`. The rest of the statement may hold anything, and is not kept. */
  readonly command: string;
  /** The name of a prepared transaction. */
  readonly gid?: string;
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
export interface RunReport extends Shortened {
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
  /** The sum of all rows, also those of tables that are left out of `rows`; absent if no table is. */
  readonly rowsWritten?: number;
  /** The rows and columns that were there before the run, and are gone or have other values; absent if there are none. */
  readonly losses?: readonly RowLoss[];
  /** The tables that an upgrade has made or given columns to; absent if there are none. */
  readonly own?: readonly OwnTable[];
  /** Per table: how long ACCESS EXCLUSIVE was held, from its grant to the answer of COMMIT, in ms. */
  readonly exclusiveMs: Readonly<Record<string, number>>;
  readonly walBytes: number;
  /** How often the transaction was begun; above 1 where a lock was not granted at first. */
  readonly attempts: number;
  readonly blockers: readonly Blocker[];
  /** Locks that keep others from writing, and that neither statements nor header show; absent if there is none. */
  readonly unforeseen?: readonly HeldLock[];
  readonly durationMs: number;
  /** The estimate of an upgrade. */
  readonly estimate?: Estimate;
  /** Present if there was more than one; each is committed or rolled back as a whole. */
  readonly transactions?: readonly TransactionReport[];
  /** The findings of a dry run about each revision; absent if it was not asked for them. */
  readonly rehearsal?: readonly Rehearsed[];
  /** The fingerprints of the catalogue at the beginning and at the end of the transaction. */
  readonly fingerprint?: { readonly before: string; readonly after: string };
  /** The schema after a downgrade; absent if the history does not know the one before the upgrades. */
  readonly comparison?: Comparison;
}

/** The findings of a dry run about a revision, in the transaction that it rolled back. */
export interface Rehearsed {
  readonly revision: RevisionId;
  /** Whether its checks after the run hold, as far as they could run. */
  readonly passed: boolean;
  readonly checks: readonly CheckReport[];
  /** Why its checks could not run. */
  readonly fault?: string;
  /**
   * Whether an upgrade can be taken back: `with loss` if rows would be lost, `unknown` if only a run that is committed
   * can show it. Absent in a dry run of a downgrade.
   */
  readonly reversible?: 'yes' | 'with loss' | 'no' | 'unknown';
  /** Why it cannot be taken back or that is not known, the loss, or the values that are not compared. */
  readonly because?: string;
  /** The objects that its downgrade does not leave as they were; absent if there are none. */
  readonly differences?: readonly Change[];
}

/** One of several transactions of a run: its own row of the history has all of its effects. */
export type TransactionReport = Pick<RunReport, 'runId' | 'from' | 'to' | 'revisions' | 'durationMs'>;

/** The verdict over a revision's checks. */
export interface ValidationReport extends Shortened {
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

/** The sum of the rows that were written. */
export function rowsWritten(rows: readonly RowCounts[]): number {
  return rows.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0);
}
