// Other sessions during a test: they hold locks, watch running queries, and end them.
import type pg from 'pg';
import { withClient } from '../../lib/twin/server/client.ts';
import { type TestDatabase, testServer } from './database.ts';

/** Long enough for a busy machine; a test that passes never waits so long. */
const PATIENCE_MS = 45_000;

/** Asks until the answer is neither undefined nor false. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as T;
    if (performance.now() > giveUpAt) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A session that has begun a transaction with `sql`, and keeps its locks until `release()`. */
export interface Holder {
  readonly pid: number;
  readonly client: pg.Client;
  /** Rolls back and ends the session; more than once is once. */
  release(): Promise<void>;
}

export async function hold({ connect }: TestDatabase, sql: string): Promise<Holder> {
  const client = await connect('holder');
  await client.query('BEGIN');
  await client.query(sql);
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  let released: Promise<void> | undefined;
  return {
    pid: rows[0].pid,
    client,
    release: () => {
      released ??= client.query('ROLLBACK').then(() => client.end());
      return released;
    },
  };
}

/** The pid of the session that runs a statement with this text, as soon as there is one. */
export async function pidRunning(database: TestDatabase, text: string): Promise<number> {
  return until(`a statement with ${text}`, async () => {
    const [row] = await database.asAdministrator(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = '${database.name}' AND state = 'active' AND pid <> pg_backend_pid()
         AND position('${text}' IN query) > 0`,
    );
    return row?.pid as number | undefined;
  });
}

/** Throws unless the engine's sessions, and with them their locks, are all gone from the database. */
export async function expectNothingLeft({ name }: TestDatabase): Promise<void> {
  // From another database, so that the looking does not see itself.
  await withClient(testServer, 'postgres', (client) =>
    // The client learns of its end a moment before the server has forgotten it.
    until(`the end of the sessions in ${name}`, async () => {
      const { rows } = await client.query(
        `SELECT pid FROM pg_stat_activity WHERE datname = '${name}' AND application_name LIKE 'backstop%'
         UNION ALL
         SELECT pid FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE datname = '${name}'`,
      );
      return rows.length === 0;
    }),
  );
}
