// A session: the one connection of a verb, on a server that fits, with a deadline, closed whatever happens.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { type Bounds, DEFAULT_BOUNDS } from '../model/bounds.ts';
import type { Listener } from '../model/events.ts';
import type { Database } from '../revisions/databases.ts';
import { admit } from './admission.ts';
import { answered, type Client, type Queries } from './client.ts';
import type { Connect } from './connection.ts';
import { takeRunnerLock } from './runner-lock.ts';
import { requirePrimary } from './server-kind.ts';
import { stepError } from './sqlstate.ts';

/** The options of every verb. */
export interface MigratorOptions {
  readonly database: Database;
  readonly connect: Connect;
  /** Default: no listener. */
  readonly listener?: Listener;
  /** Default: {@link DEFAULT_BOUNDS}. */
  readonly bounds?: Bounds;
  /** ARN of the execution that asks; kept in the history. */
  readonly execution?: string;
}

/** The options, complete, and the connection. Every statement is bounded by the deadline of the session. */
export interface Session extends Required<Omit<MigratorOptions, 'execution'>>, Required<Queries> {
  readonly execution: string | undefined;
  readonly client: pg.Client;
  /** The backend of `client`. */
  readonly pid: number;
  /** Moves the deadline: from now on the session has this long, in ms. */
  limit(ms: number): void;
  /** Until the deadline, in ms; at least 1. */
  leftMs(): number;
  /** For how long the server has not answered the oldest statement, in ms; 0 if nothing is awaited. */
  waitingMs(): number;
}

/** A session that alone may change the database. */
export interface Runner extends Session {
  readonly runId: string;
  readonly startedAt: Date;
  /** When the run began, on the clock of `performance.now()`. */
  readonly started: number;
}

/**
 * Opens a session, does the work, and closes the session.
 *
 * @param purpose the name of the session in the server's list
 * @throws a BackstopError for a refused connection or admission; the errors of the work
 */
export async function withSession<T>(
  options: MigratorOptions,
  purpose: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(options, purpose);
  return work(session)
    .catch(asEnding(purpose))
    .finally(() => close(session.client));
}

/**
 * The same for a verb that changes something: the work begins when no other runner is at work. With the connection go
 * the runner lock and an open transaction.
 *
 * @throws DatabaseBusy if another runner holds the lock; the errors of {@link withSession}
 */
export async function withRunner<T>(
  options: MigratorOptions,
  verb: string,
  work: (runner: Runner) => Promise<T>,
): Promise<T> {
  const run = { runId: randomUUID(), startedAt: new Date(), started: performance.now() };
  const session = await openSession(options, `${verb} ${run.runId}`);
  try {
    await takeRunnerLock(session, session.bounds.lockWaitMs, session.listener);
    return await work({ ...session, ...run });
  } catch (error) {
    throw stepError(error, verb);
  } finally {
    await close(session.client);
  }
}

function asEnding(place: string): (error: unknown) => never {
  return (error) => {
    throw stepError(error, place);
  };
}

async function close(client: pg.Client): Promise<void> {
  await client.end().catch(() => {});
}

async function openSession(options: MigratorOptions, purpose: string): Promise<Session> {
  const { listener, bounds, database } = { listener: () => {}, bounds: DEFAULT_BOUNDS, ...options };
  const client = await options.connect(`backstop ${purpose}`);
  const deadline = deadlineOf(client, bounds);
  try {
    deadline.limit(bounds.admissionMs);
    await requirePrimary(client as Client);
    const { pid, ...who } = await admit(deadline, database);
    listener({ type: 'connected', ...who });
    // Until a transaction has its own deadline: no longer than to wait for the lock, and then work.
    deadline.limit(bounds.lockWaitMs + bounds.transactionMs);
    const { connect, execution } = options;
    const { neutral = '' } = client as Queries;
    return { database, connect, listener, bounds, execution, client, neutral, pid, ...deadline };
  } catch (error) {
    await close(client);
    throw stepError(error, purpose);
  }
}

type Deadline = Pick<Session, 'query' | 'limit' | 'leftMs' | 'waitingMs'>;

function deadlineOf(client: pg.Client, { graceMs }: Bounds): Deadline {
  let deadline = performance.now();
  const sent = new Set<number>();
  const leftMs = () => Math.max(1, Math.round(deadline - performance.now()));
  return {
    leftMs,
    limit(ms) {
      deadline = performance.now() + ms;
    },
    waitingMs() {
      const [oldest] = sent;
      return oldest === undefined ? 0 : performance.now() - oldest;
    },
    query(sql, values) {
      const now = performance.now();
      sent.add(now);
      return answered(client, client.query(sql, values), leftMs() + graceMs).finally(() => sent.delete(now));
    },
  };
}
