// What one run is made of: its revisions, its bounds, its connection; the same over all attempts.
import type pg from 'pg';
import type { Listener } from './events.ts';
import type { Observer } from './observer.ts';
import type { Direction, Estimate, RevisionId } from './report.ts';
import type { Script } from './revision.ts';
import type { Connect } from './session.ts';

/** One revision in one direction. `from` and `to` are equal where the version does not move (finalize). */
export interface Leg {
  readonly direction: Direction;
  readonly revision: RevisionId;
  readonly script: Script;
  /** The checksum that the history keeps for this revision; present where the leg applies it. */
  readonly checksum?: string | undefined;
  readonly from: RevisionId;
  readonly to: RevisionId;
}

/** How long a run may take and wait, in ms. */
export interface Bounds {
  /** For the questions with which a connection begins: who and where we are. */
  readonly admissionMs: number;
  /** For one transaction from BEGIN to COMMIT (FR-031). */
  readonly transactionMs: number;
  /** For all locks together: the advisory lock first, then the attempts to get the table locks. */
  readonly lockWaitMs: number;
  /** For one table lock: for this long our request may keep others waiting behind it. */
  readonly lockTimeoutMs: number;
  /** For how long an upgrade may be expected to keep a table locked: beyond that it is not begun. */
  readonly maxLockMs: number;
  /** For the whole run, its waiting included: what is left of the time of the function it runs in. */
  readonly runMs: number;
  /** Where the answer to COMMIT was lost: until the server can be asked what became of it. */
  readonly reconnectMs: number;
  /** Beyond a deadline, until the connection of a server that is silent is cut. */
  readonly graceMs: number;
}

export const DEFAULT_BOUNDS: Bounds = {
  admissionMs: 10_000,
  transactionMs: 300_000,
  lockWaitMs: 60_000,
  lockTimeoutMs: 2_000,
  maxLockMs: 5_000,
  runMs: Number.POSITIVE_INFINITY,
  reconnectMs: 30_000,
  graceMs: 5_000,
};

/** Everything that stays the same over all attempts of one run. */
export interface Run {
  readonly runId: string;
  readonly execution: string | undefined;
  /** What was asked for; a leg may go another way, as the finalize of an upgrade does. */
  readonly direction: Direction;
  readonly from: RevisionId;
  readonly to: RevisionId;
  readonly legs: readonly Leg[];
  /** What the run is expected to cost, where that was asked. */
  readonly estimate?: Estimate | undefined;
  /** Everything up to COMMIT, then ROLLBACK. */
  readonly dryRun: boolean;
  readonly bounds: Bounds;
  readonly client: pg.Client;
  /** The backend of `client`. */
  readonly pid: number;
  readonly connect: Connect;
  readonly observer: Observer;
  readonly listener: Listener;
  readonly startedAt: Date;
  /** When the run began, on the clock of `performance.now()`. */
  readonly started: number;
}
