// Connection pools: whether a connection goes through one, and whether it then keeps the same session from begin to end.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { answered } from './client.ts';
import { noticeDeadClient } from './dead-client.ts';

/** The server process that answered. */
export interface Backend {
  readonly pid: number;
  readonly standby: boolean;
}

/**
 * Sets nothing beyond this transaction: a statement_timeout of the database may be too short for a new session.
 * Operators are not needed, so that a search path cannot change the meaning.
 */
const BACKEND = (notice: string) => `
  SET LOCAL statement_timeout = 0; ${notice}
  SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.pg_is_in_recovery() AS standby`;

/** Which server process answers the connection now: one round trip. */
export async function backendOf(client: pg.Client): Promise<Backend> {
  const answer = await noticeDeadClient('SET LOCAL', (notice) => client.query(BACKEND(notice)));
  const results = answer as unknown as pg.QueryResult<Backend>[];
  return results.at(-1)?.rows[0] as Backend;
}

/** Whether something else than the server answered the login: it gives the client a key that is not the server's. */
export function isPooled(client: pg.Client, { pid }: Backend): boolean {
  return (client as unknown as { processID: number | null }).processID !== pid;
}

/** One connection may lead to another process of the pooler, which has its own pool. */
const OTHERS = 3;
const ROUNDS = 3;
/** For another connection to be made, in ms. */
const CONNECT_MS = 1_500;
/** For an answer to it before the own connection is asked, in ms. */
const PATIENCE_MS = 300;

/**
 * Whether a pooler keeps the connection on one server process. Takes no lock, leaves no setting and no prepared statement. A pool
 * in session mode that has no server process left for another connection passes.
 *
 * @param pid the server process that answered first
 * @param other makes a connection to the same pool, which is not open yet
 * @throws the error of the connection if it is lost
 */
export async function keepsSession(client: pg.Client, pid: number, other: () => pg.Client): Promise<boolean> {
  if (!(await allowsTransactions(client))) return false;
  // A pool that uses its server processes in turn shows another one here; a pool that uses the last one first, below.
  // Twice, because with two processes each second question is answered by the same one.
  if ((await hasMoved(client, pid)) || (await hasMoved(client, pid))) return false;
  for (let index = 0; index < OTHERS; index++) {
    const found = await compare(client, pid, other());
    if (found !== undefined) return found;
  }
  return true;
}

/** In statement mode a pooler refuses BEGIN, and ends the connection. */
async function allowsTransactions(client: pg.Client): Promise<boolean> {
  try {
    await client.query('BEGIN');
    await client.query('COMMIT');
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return false;
    throw error;
  }
}

async function hasMoved(client: pg.Client, pid: number): Promise<boolean> {
  return (await backendOf(client)).pid !== pid;
}

/** Whether another connection shows that the session is kept, or that it is not; undefined if it shows neither. */
async function compare(client: pg.Client, pid: number, other: pg.Client): Promise<boolean | undefined> {
  other.on('error', () => {});
  try {
    await answered(other, other.connect(), CONNECT_MS);
    for (let round = 0; round < ROUNDS; round++) {
      const found = await askBoth(client, pid, other);
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    await answered(other, other.end(), CONNECT_MS).catch(() => {});
  }
}

async function askBoth(client: pg.Client, pid: number, other: pg.Client): Promise<boolean | undefined> {
  let theirs: number | undefined;
  const answer = backendOf(other).then(
    (backend) => {
      theirs = backend.pid;
    },
    () => {
      theirs = 0;
    },
  );
  await Promise.race([answer, sleep(PATIENCE_MS)]);
  const waits = theirs === undefined;
  // In one session no other connection can be answered by the same process.
  if ((await hasMoved(client, pid)) || theirs === pid) return false;
  // If both waited for the same processes, the other connection would have been answered first.
  if (waits && theirs === undefined) return true;
  return (await hasMoved(client, pid)) ? false : undefined;
}

/** SQL that sets the settings of the session again; the name of the application is ours. */
const KEPT = `
  SELECT pg_catalog.string_agg(
           pg_catalog.format('SELECT pg_catalog.set_config(%L, %L, false);', name, pg_catalog.current_setting(name, true)),
           ' ' ORDER BY last, name) AS sql
  FROM (SELECT name, 0 AS last FROM pg_catalog.pg_settings
        WHERE source OPERATOR(pg_catalog.=) 'session' AND name OPERATOR(pg_catalog.<>) 'application_name'
        UNION ALL
        SELECT 'role', 1 WHERE pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) 'none') AS kept`;

/** SQL that makes the session of a pool as it is now, to be run after DISCARD ALL; may be empty. */
export async function readKept(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ sql: string | null }>(KEPT);
  return rows[0]?.sql ?? '';
}
