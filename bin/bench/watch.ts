// How a run is timed from outside, whichever method it is: its transaction, and what it did to the server.
import type pg from 'pg';
import type { Connect } from '../../lambda/migrator/session/connection.ts';

/** When the one transaction of a run began and when its COMMIT was answered, on the clock of `performance.now()`. */
export interface Stopwatch {
  readonly connect: Connect;
  /** In ms; only once the run is over. */
  elapsed(): number;
}

/** Connections through which BEGIN and COMMIT, each sent alone, are timed. */
export function stopwatchOn(connect: Connect): Stopwatch {
  let began = Number.NaN;
  let committed = Number.NaN;
  const timed = (client: pg.Client): pg.Client => {
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>;
    const watched = (...asked: unknown[]) => {
      if (asked[0] === 'BEGIN') began = performance.now();
      const answer = query(...asked);
      if (asked[0] !== 'COMMIT') return answer;
      return answer.then((result) => {
        committed = performance.now();
        return result;
      });
    };
    return Object.assign(client, { query: watched });
  };
  return {
    connect: async (applicationName) => timed(await connect(applicationName)),
    elapsed: () => committed - began,
  };
}

/** The place in the write-ahead log, in bytes. */
export async function walPosition(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ wal: number }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal",
  );
  return rows[0]?.wal ?? Number.NaN;
}

/** Size of code_chunks with its indexes, in bytes. */
export async function chunksBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    "SELECT pg_total_relation_size('public.code_chunks')::float8 AS bytes",
  );
  return rows[0]?.bytes ?? Number.NaN;
}
