// The rows of the history: one for each run, as they are written and as they are read.
import type { Location } from './location.ts';
import type { Direction, RevisionId, RunReport } from './report.ts';

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
  /** Revision id → checksum of the upgrade that was applied or taken back. */
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
