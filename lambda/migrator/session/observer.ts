// The second connection of a run: it looks on while the first one waits, and names who stands in the way.
import type pg from 'pg';
import type { Blocker } from '../model/report.ts';
import type { Connect } from './session.ts';

/** A statement that takes longer than this is looked at, in ms. */
const LOOK_AFTER_MS = 400;

const BLOCKERS = `
  SELECT a.pid, coalesce(a.usename, '') AS "user", coalesce(a.application_name, '') AS application,
         coalesce(a.state, a.backend_type, '') AS state,
         pg_catalog.left(pg_catalog.regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 200) AS query
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS blocker(pid)
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = blocker.pid
  ORDER BY a.pid`;

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
   * Awaits `work`, a statement of the backend `pid`; as long as it is blocked, tells by whom.
   * What the observer itself cannot find out never fails the work.
   */
  async watch<T>(pid: number, work: Promise<T>, blocked: BlockedListener): Promise<T> {
    const started = performance.now();
    let looking = false;
    const timer = setInterval(async () => {
      if (looking) return;
      looking = true;
      const blockers = await this.blockersOf(pid).catch(() => []);
      looking = false;
      if (blockers.length > 0) blocked(blockers, performance.now() - started);
    }, LOOK_AFTER_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** The sessions that block the backend `pid` right now. */
  async blockersOf(pid: number): Promise<Blocker[]> {
    this.#client ??= this.#connect(this.#applicationName).catch((error) => {
      this.#client = undefined;
      throw error;
    });
    const client = await this.#client;
    return (await client.query<Blocker>(BLOCKERS, [pid])).rows;
  }

  async end(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => {});
  }
}
