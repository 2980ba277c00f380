// How long a run may take and wait, and the bounds that hold unless others are given.

import { seconds } from './describe.ts';
import { BackstopError } from './errors.ts';
import { describeWork, workMs } from './estimated.ts';
import type { Estimate } from './report.ts';

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
  /** For the whole run, its waiting included: the remaining time of the function that it runs in. */
  readonly runMs: number;
  /** If the answer to COMMIT was lost: until the server must answer how the transaction ended. */
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

/** Throws LockTooLong if a table would be locked for longer than that, in ms. */
export function requireBriefLock({ lockMs, tables }: Estimate, maxLockMs: number): void {
  // The table that most of the time goes into; others are locked for as long.
  const [table] = [...tables].sort((one, other) => workMs(other) - workMs(one));
  if (lockMs <= maxLockMs || table === undefined) return;
  const work = describeWork(table);
  const enough = Math.ceil((1.5 * lockMs) / 1000);
  throw new BackstopError('LockTooLong', {
    message: `The upgrade would lock ${table.relation} for about ${seconds(lockMs)}, longer than the ${seconds(maxLockMs)} that it may`,
    detail: `${table.relation} has about ${Math.round(table.rows)} rows in ${Math.ceil(table.bytes / 1024 ** 2)} MiB${work === undefined ? '' : `, and would be ${work}`}. Nothing was changed.`,
    hint: `Run it when the table may be locked for that long, and allow it: --max-lock ${enough}, or in AWS {"maxLock": ${enough}}; or make the table smaller first.`,
  });
}
