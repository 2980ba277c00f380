// One runner at a time: the advisory lock that a run holds on its database from before it reads the version
// until its connection ends.

import { blockerOf, type ListedSession } from '../model/blocker.ts';
import { describeBlockers } from '../model/describe.ts';
import { BackstopError } from '../model/errors.ts';
import type { Listener } from '../model/events.ts';
import type { Blocker } from '../model/report.ts';
import type { Queries } from './client.ts';

/** The letters "backstop" as a bigint. Advisory locks are a database's own, so every database may use the same. */
export const RUNNER_LOCK_KEY = BigInt(`0x${Buffer.from('backstop').toString('hex')}`);
const HALF = 32n;
const POLL_MS = 250;

/** SQL for a time as ISO 8601 in UTC, to the second. */
export function asTime(sql: string): string {
  return `pg_catalog.to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}

const HOLDER = `
  SELECT a.pid, coalesce(a.usename, '') AS "user", coalesce(a.application_name, '') AS application,
         coalesce(a.state, '') AS state, ${asTime('coalesce(a.xact_start, a.state_change)')} AS since,
         NULL AS relation, coalesce(a.query, '') AS query, NULL AS gid
  FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid`;

/**
 * Takes the lock, waiting up to `waitMs`.
 *
 * It asks again and again instead of waiting in the server: a waiting statement would need a lock_timeout or
 * statement_timeout, and could not tell who holds the lock.
 *
 * @throws DatabaseBusy with the pid and user of the holder
 */
export async function takeRunnerLock(queries: Queries, waitMs: number, listener: Listener): Promise<void> {
  const started = performance.now();
  let holders: Blocker[] = [];
  for (;;) {
    const { rows } = await queries.query<{ granted: boolean }>(
      'SELECT pg_catalog.pg_try_advisory_lock($1) AS granted',
      [String(RUNNER_LOCK_KEY)],
    );
    if (rows[0]?.granted) return;
    const waitedMs = performance.now() - started;
    // Between our question and this one the holder may have gone; the last holder seen is still the best answer.
    const seen = await queries.query<ListedSession>(HOLDER, [
      String(RUNNER_LOCK_KEY >> HALF),
      String(RUNNER_LOCK_KEY & 0xffffffffn),
    ]);
    if (seen.rows.length > 0) holders = seen.rows.map(blockerOf);
    if (waitedMs >= waitMs) {
      throw new BackstopError('DatabaseBusy', {
        message: `Another Backstop run holds the lock of this database, waited ${Math.round(waitedMs / 1000)} s`,
        detail: `Held by ${describeBlockers(holders)}`,
        hint: `Wait until it ends and run again; if it is stuck: SELECT pg_terminate_backend(${holders[0]?.pid ?? 'pid'});`,
      });
    }
    listener({ type: 'waiting', lock: 'advisory', waitedMs, blockers: holders });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
