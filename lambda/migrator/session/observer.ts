// The second connection of a run: it watches while the first one waits, and names the blocking sessions.
import type pg from 'pg';
import { blockerOf, type ListedSession } from '../model/blocker.ts';
import type { Blocker } from '../model/report.ts';
import type { Connect } from './connection.ts';
import { asTime } from './runner-lock.ts';
import type { Session } from './session.ts';

/** A statement that takes longer than this is looked at, in ms. */
const LOOK_AFTER_MS = 400;
const LOOK_EVERY_MS = 200;

/** A prepared transaction has no session: pg_blocking_pids says 0, and its locks have no pid. It holds a lock on its id. */
const BLOCKERS = `
  WITH waits AS (
    -- The lock that is not granted, or the tuple that is locked while its writer is waited for.
    SELECT n.nspname || '.' || c.relname AS relation
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE l.pid = $1 AND (NOT l.granted OR l.locktype = 'tuple')
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    ORDER BY l.granted LIMIT 1)
  SELECT a.pid, coalesce(a.usename, '') AS "user", coalesce(a.application_name, '') AS application,
         coalesce(a.state, a.backend_type, '') AS state,
         ${asTime('coalesce(a.xact_start, a.state_change, a.query_start)')} AS since, waits.relation,
         coalesce(a.query, '') AS query, NULL AS gid
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS blocker(pid)
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = blocker.pid
  LEFT JOIN waits ON true
  UNION
  SELECT 0, p.owner, '', 'prepared transaction', ${asTime('p.prepared')}, waits.relation, '', p.gid
  FROM pg_catalog.pg_locks AS wanted
  JOIN pg_catalog.pg_locks AS held
    ON (held.locktype, held.database, held.relation, held.page, held.tuple, held.transactionid, held.classid,
        held.objid, held.objsubid)
       IS NOT DISTINCT FROM
       (wanted.locktype, wanted.database, wanted.relation, wanted.page, wanted.tuple, wanted.transactionid,
        wanted.classid, wanted.objid, wanted.objsubid)
  JOIN pg_catalog.pg_locks AS own
    ON own.virtualtransaction = held.virtualtransaction AND own.locktype = 'transactionid' AND own.pid IS NULL
  JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = own.transactionid
  LEFT JOIN waits ON true
  WHERE wanted.pid = $1 AND NOT wanted.granted AND held.granted AND held.pid IS NULL
    AND 0 = ANY (pg_catalog.pg_blocking_pids($1))
  ORDER BY pid, gid`;

export type BlockedListener = (blockers: readonly Blocker[], waitedMs: number) => void;

/** Connects only when something waits, so that a run without contention has one connection. */
export class Observer {
  readonly #connect: Connect;
  readonly #applicationName: string;
  #client: Promise<pg.Client> | undefined;

  constructor(connect: Connect, applicationName: string) {
    this.#connect = connect;
    this.#applicationName = applicationName;
  }

  /**
   * As long as a statement of the session waits, reports who blocks it. An error of the observer itself never fails
   * the run.
   *
   * @returns ends the watch
   */
  watch({ pid, waitingMs }: Pick<Session, 'pid' | 'waitingMs'>, blocked: BlockedListener): () => void {
    let looking = false;
    const timer = setInterval(async () => {
      if (looking || waitingMs() < LOOK_AFTER_MS) return;
      looking = true;
      const blockers = await this.blockersOf(pid).catch(() => []);
      looking = false;
      const waitedMs = waitingMs();
      if (blockers.length > 0 && waitedMs > 0) blocked(blockers, waitedMs);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }

  /** The sessions that block the backend `pid` right now. */
  async blockersOf(pid: number): Promise<Blocker[]> {
    this.#client ??= this.#connect(this.#applicationName).catch((error) => {
      this.#client = undefined;
      throw error;
    });
    const client = await this.#client;
    const { rows } = await client.query<ListedSession>(BLOCKERS, [pid]);
    return rows.map(blockerOf);
  }

  async end(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => {});
  }
}
