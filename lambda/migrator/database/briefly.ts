// Reading for an estimate: in a separate transaction, which waits for no lock and ends in time.
import { pathValue } from '../revisions/search-path.ts';
import type { Queries } from '../session/client.ts';
import { isCancelled, isServerError } from '../session/sqlstate.ts';

/** For a lock that a reading needs, in ms: others are kept waiting behind it no longer. */
const LOCK_MS = 10;

/** How a reading is made. */
export interface Reading {
  /** In ms. */
  readonly withinMs: number;
  /** Where the names of a revision's expressions are looked up. Default: nowhere but in `pg_catalog`. */
  readonly searchPath?: readonly string[];
  /** Default: `BEGIN READ ONLY`. */
  readonly begin?: 'BEGIN READ ONLY' | 'BEGIN';
}

/** Reads in a separate transaction, which is rolled back, table by table in the order of their pages. */
export async function briefly<T>(
  queries: Queries,
  { withinMs, searchPath, begin = 'BEGIN READ ONLY' }: Reading,
  read: () => Promise<T>,
): Promise<T> {
  await queries.query(begin);
  try {
    await queries.query(
      `SELECT pg_catalog.set_config(name, value, true)
       FROM (VALUES ('lock_timeout', $1), ('statement_timeout', $2), ('max_parallel_workers_per_gather', '0'),
                    ('enable_seqscan', 'on'), ('enable_indexscan', 'off'), ('enable_indexonlyscan', 'off'),
                    ('enable_bitmapscan', 'off'), ('enable_tidscan', 'on')) AS setting (name, value)`,
      [`${LOCK_MS}ms`, `${withinMs}ms`],
    );
    if (searchPath) await queries.query(`SET LOCAL search_path TO ${pathValue(searchPath)}`);
    return await read();
  } finally {
    await rollBack(queries);
  }
}

/** The time limit may be up just when the reading is over: the server then cancels the ROLLBACK, and takes the next one. */
const TRIES = 5;

/** Ends the open transaction. A connection that is lost has ended it. */
export async function rollBack(queries: Queries): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const error = await queries.query('ROLLBACK').then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (!isCancelled(error)) return;
  }
}

/** Where the server refuses it: an estimate is no reason to fail. */
export async function orElse<T>(reading: Promise<T>, fallback: (error: Error) => T | Promise<T>): Promise<T> {
  return reading.catch((error: unknown) => {
    if (!isServerError(error)) throw error;
    return fallback(error);
  });
}
