// The events of a run: one typed stream, from which the log and the terminal make their lines.
import type { Differences } from './differences.ts';
import type { Location } from './location.ts';
import type { RowLoss } from './losses.ts';
import type {
  Blocker,
  CheckReport,
  Direction,
  Estimate,
  HeldLock,
  Notice,
  Outcome,
  Plan,
  RevisionId,
  StepReport,
} from './report.ts';

/** The severity of a notice that is the result of a step: `RAISE INFO 'All rows copied'`. */
export const RESULT = 'INFO';

export type ProgressEvent =
  | { readonly type: 'connected'; readonly server: string; readonly database: string; readonly user: string }
  | {
      readonly type: 'planned';
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly pending: readonly RevisionId[];
      /** By transaction; absent if all revisions share one. */
      readonly transactions?: Plan['transactions'];
    }
  /** How long the run is expected to take. */
  | { readonly type: 'estimated'; readonly estimate: Estimate }
  /** The run is expected to exceed the limit for a lock, and is not refused: it is a plan, or locks no table. */
  | { readonly type: 'exceeding'; readonly estimate: Estimate; readonly maxLockMs: number }
  /** The upgrade.sql of an applied revision has changed since. */
  | { readonly type: 'edited'; readonly revision: RevisionId }
  /** The chain differs from the applied revisions, which does not keep a run from going on. */
  | { readonly type: 'gone'; readonly revisions: readonly RevisionId[] }
  | { readonly type: 'reordered'; readonly revisions: readonly RevisionId[] }
  /** The schema is not as the last run left it. */
  | { readonly type: 'drifted'; readonly drift: Differences }
  /** The upgrade will take these away for good, as its statements show. */
  | { readonly type: 'losing'; readonly losses: readonly RowLoss[] }
  /** A header names something that is no table, and that the run does not make. */
  | { readonly type: 'unknown table'; readonly revision: RevisionId; readonly tables: readonly string[] }
  /** The run took locks that neither its statements nor its headers show. */
  | { readonly type: 'unforeseen'; readonly locks: readonly HeldLock[] }
  /** A file of a pending revision is enclosed by BEGIN and COMMIT, which are not sent. */
  | { readonly type: 'unwrapped'; readonly at: Location }
  /** The downgrade of a pending revision takes nothing back, although its upgrade holds something. */
  | {
      readonly type: 'without downgrade';
      readonly direction: 'upgrade' | 'downgrade';
      readonly revision: RevisionId;
    }
  /** Another session holds a lock that this run needs; repeated while it waits. */
  | {
      readonly type: 'waiting';
      readonly lock: 'advisory' | 'table';
      readonly waitedMs: number;
      readonly blockers: readonly Blocker[];
    }
  /** A lock was not granted in time: everything is rolled back, and tried again after the pause. */
  | { readonly type: 'retrying'; readonly attempt: number; readonly pauseMs: number; readonly reason: string }
  | {
      readonly type: 'revision started';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly title: string;
    }
  | {
      readonly type: 'step started';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly number: number;
      readonly of: number;
      readonly title: string;
    }
  | { readonly type: 'notice'; readonly revision: RevisionId; readonly notice: Notice }
  /** So many notices of the step are between the last one and the next. */
  | { readonly type: 'notices omitted'; readonly revision: RevisionId; readonly count: number }
  | { readonly type: 'step completed'; readonly step: StepReport }
  | {
      readonly type: 'revision completed';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly durationMs: number;
    }
  /** A dry run cannot try these revisions: they need the commit of the transaction before them. */
  | { readonly type: 'not tried'; readonly revisions: readonly RevisionId[] }
  | { readonly type: 'check completed'; readonly check: CheckReport }
  | {
      readonly type: 'committed';
      readonly direction: Direction;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly outcome: Outcome;
      readonly durationMs: number;
    }
  | {
      readonly type: 'rolled back';
      readonly direction: Direction;
      readonly from: RevisionId;
      readonly reason: string;
    };

export type Listener = (event: ProgressEvent) => void;
