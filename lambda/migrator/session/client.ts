// One connection as a client of node-postgres: bounded waits, statements sent together, an end that is certain.
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import pg from 'pg';
import { untranslateSeverity } from './severity.ts';

/** The receiver of statements: a client, or a session, which bounds them. */
export interface Queries {
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
  /** SQL that makes role and settings as they were at the start of the session. Default: there is nothing to do. */
  readonly neutral?: string;
}

/** For the answer to the goodbye, with which the server has forgotten the session. */
const GOODBYE_MS = 2_000;

/** A statement failed because its connection has ended, by the network or by us. The cause is the driver's error. */
export class ConnectionLost extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/**
 * Awaits the server's answer, but not for ever: a lost network may never report itself. After `withinMs` the
 * connection is cut, and the statement that waits for an answer fails.
 */
export async function answered<T>(client: pg.Client, answer: Promise<T>, withinMs: number): Promise<T> {
  const guard = setTimeout(() => streamOf(client).destroy(), withinMs);
  try {
    return await answer;
  } finally {
    clearTimeout(guard);
  }
}

/**
 * From now on a statement is sent at once, even if the answer to the one before it is still awaited: under locks
 * every round trip counts. COPY and cursors cannot be used on such a session.
 */
export function pipeline(client: pg.Client): void {
  // node-postgres knows it as a setting of the connection, and reads it with every statement.
  (client as { pipeline: boolean }).pipeline = true;
}

/**
 * The answers to statements that were sent together. If a statement fails, the statements after it fail because of
 * it: so the first error is thrown.
 */
export async function together<T extends readonly unknown[]>(
  ...answers: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  for (const answer of answers) answer.catch(() => {});
  const values: unknown[] = [];
  for (const answer of answers) values.push(await answer);
  return values as unknown as T;
}

/**
 * Calls the listener for every statement that the server completes, also within SQL that was sent as one text.
 *
 * @returns stops the calls
 */
export function onCompleted(client: pg.Client, listener: () => void): () => void {
  const { connection } = client as unknown as { connection: EventEmitter };
  connection.on('commandComplete', listener);
  return () => connection.off('commandComplete', listener);
}

function streamOf(client: pg.Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** A client whose session is gone from the server when it has ended here, even if its connection was lost. */
export class Client extends pg.Client {
  neutral = '';
  /** The server process. The driver's own number is the pooler's, if there is one. */
  backend: number | undefined;
  /** Whether the server is a standby. */
  isStandby = false;
  /** Set if a pooler keeps the session for others: SQL that sets in it what others had set. */
  kept: string | undefined;
  readonly #config: pg.ClientConfig;
  #ended: Promise<void> | undefined;
  #tlsAnswer: string | undefined;
  #isBroken = false;

  constructor(config: pg.ClientConfig) {
    super(config);
    this.#config = config;
    // Without a listener, a connection lost between two queries would end the process; the next query reports it.
    this.on('error', () => {
      this.#isBroken = true;
    });
    // The driver has only words for the answer to the request for TLS: the bytes are read before the driver reads them.
    streamOf(this).once('data', (bytes) => {
      this.#tlsAnswer = bytes.toString('latin1', 0, 2);
    });
    untranslateSeverity(this);
    const query = super.query.bind(this) as (...statement: unknown[]) => unknown;
    this.query = ((...statement: unknown[]) => {
      const answer = query(...statement);
      // A COPY is a stream, and reports its errors itself.
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => {
        throw this.#isLost(error) ? new ConnectionLost(error) : error;
      });
    }) as typeof this.query;
  }

  /** The start of the server's answer to the request for TLS: `S` alone is yes, `N` alone is no, anything else an error. */
  get tlsAnswer(): string | undefined {
    return this.#tlsAnswer;
  }

  /** The driver has only words for a lost connection. */
  #isLost(error: unknown): error is Error {
    if (error instanceof pg.DatabaseError || !(error instanceof Error)) return false;
    return this.#isBroken || streamOf(this).destroyed || streamOf(this).readableEnded;
  }

  override end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    const lost = streamOf(this).destroyed;
    if (this.kept !== undefined && !lost) await this.#leave(this.kept).catch(() => streamOf(this).destroy());
    await answered(this, super.end(), GOODBYE_MS);
    const heard = !lost && streamOf(this).readableEnded;
    if (!heard) await this.#endFromOutside().catch(() => {});
  }

  /** A pooler may give the session to others as it is. If it cannot be cleared it is ended. */
  async #leave(kept: string): Promise<void> {
    const left = async () => {
      if (this.getTransactionStatus() !== 'I') await super.query('ROLLBACK');
      await super.query('DISCARD ALL');
      if (kept) await super.query(kept);
    };
    await answered(this, left(), GOODBYE_MS);
  }

  /** The server may not know yet that the client has gone, and until it does the session keeps its locks. */
  async #endFromOutside(): Promise<void> {
    // The server's name for this session; before the first answer node-postgres may know it.
    const { processID } = this as unknown as { processID: number | null };
    const backend = this.backend ?? processID;
    if (backend === null) return;
    const other = new pg.Client({ ...this.#config, connectionTimeoutMillis: GOODBYE_MS });
    other.on('error', () => {});
    try {
      await other.connect();
      // The name, because another session may have got the number since. From a pool this connection may get the session itself.
      const gone = other.query(
        `SELECT pg_catalog.pg_terminate_backend(pid, $3) FROM pg_catalog.pg_stat_activity
         WHERE pid = $1 AND application_name = $2 AND (pid <> pg_catalog.pg_backend_pid() OR $4)`,
        [backend, this.#config.application_name, GOODBYE_MS, this.kept !== undefined],
      );
      await answered(other, gone, 2 * GOODBYE_MS);
    } finally {
      await answered(other, other.end(), GOODBYE_MS);
    }
  }
}
