// The types for what runs take away: rows and columns of tables, and the schema compared with the one before.
import type { Shortened } from './bounded.ts';
import type { Differences } from './differences.ts';
import type { CheckReport, RevisionId } from './report.ts';

/** A table that an upgrade made, or to which it gave columns. */
export interface OwnTable {
  readonly oid: string;
  /** How many columns it had before; 0 if it was not there. */
  readonly columns: number;
}

/** Rows or columns of a table that a run has taken away. */
export interface RowLoss {
  readonly relation: string;
  readonly how: 'deleted' | 'updated' | 'emptied' | 'dropped' | 'columns dropped' | 'columns converted';
  /** Rows or columns; above 10,000 for rows that go with their table means more than 10,000. Null if not counted. */
  readonly count: number | null;
}

/** The schema after a downgrade, compared with the one before the upgrades that it took back. */
export interface Comparison extends Differences {
  /** Whether nothing differs. A change that somebody made between two runs does not count. */
  readonly same: boolean;
  /** The rows and columns that the upgrades took away; absent if there are none. */
  readonly losses?: readonly RowLoss[];
  /** The revisions whose retired objects were dropped for good in between; absent if there are none. */
  readonly finalized?: readonly RevisionId[];
}

/** The data that a run would lose for good. */
export interface Loss extends Shortened {
  /** The checks that found data that would be lost, with its rows. */
  readonly found: readonly CheckReport[];
  /** The rows and columns that an upgrade takes away, as its statements show; absent for a downgrade or finalize. */
  readonly rows?: readonly RowLoss[];
  /** Revisions that do not declare what their downgrade loses: it may be anything. */
  readonly unforeseen: readonly RevisionId[];
}
