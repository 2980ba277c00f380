// What one run is made of: its revisions, its bounds, its connection; the same over all attempts.
import type pg from 'pg';
import type { Bounds } from '../model/bounds.ts';
import type { Listener } from '../model/events.ts';
import type { Direction, Estimate, RevisionId } from '../model/report.ts';
import type { Script } from '../revisions/revision.ts';
import type { Observer } from '../session/observer.ts';
import type { Connect } from '../session/session.ts';

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
