// COMMIT, and its true outcome: if its answer is lost, the server is asked whether the transaction was committed.
import type pg from 'pg';
import { isRemembered } from '../database/history.ts';
import { BackstopError } from '../model/errors.ts';
import { answered, type Queries } from '../session/client.ts';
import type { Connect } from '../session/connection.ts';
import { isServerError, stepError } from '../session/sqlstate.ts';

const ASK_EVERY_MS = 500;

/** SQLSTATE classes with which the server ends a connection; they do not say whether COMMIT took effect. */
const CONNECTION_ENDED = /^(08|57P)/;

/** The transaction of a run, by the names under which it can be asked for. */
export interface Transaction {
  /** `pg_current_xact_id()`, read before COMMIT. */
  readonly id: string;
  /** The run id that the transaction writes in the history, and that its session has in its name. */
  readonly runId: string;
}

/**
 * A session that is idle in the transaction has never received COMMIT, and now must not: the network may be about to
 * deliver it. It is ended, and the next time the transaction is asked for it is aborted.
 */
const STATUS = `
  SELECT pg_catalog.pg_xact_status($1::xid8) AS status,
         (SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
          WHERE backend_xid = $1::xid8::xid AND state = 'idle in transaction'
            AND pg_catalog.strpos(application_name, $2) > 0)`;

/**
 * Commits the open transaction. Returns only if it is committed.
 *
 * @param reconnectMs how long the server may take to be reachable again and to know, in ms
 * @throws MigrationFailed if the server refused or rolled back
 * @throws OutcomeUnknown if the answer was lost and the server could not be asked
 */
export async function commit(
  queries: Queries,
  connect: Connect,
  transaction: Transaction,
  reconnectMs: number,
): Promise<void> {
  let result: pg.QueryResult;
  try {
    // Sent alone: a COMMIT in one string with other statements would be carried out even for a client that died.
    result = await queries.query('COMMIT');
  } catch (error) {
    if (isServerError(error) && !CONNECTION_ENDED.test(error.code)) throw stepError(error, 'COMMIT');
    return askWhetherCommitted(connect, transaction, reconnectMs, error);
  }
  if (result.command !== 'COMMIT') {
    throw new BackstopError('MigrationFailed', {
      message: 'The server answered COMMIT with ROLLBACK',
      hint: 'A statement before it failed without being noticed: look into the server log, then run again.',
    });
  }
}

async function askWhetherCommitted(
  connect: Connect,
  transaction: Transaction,
  reconnectMs: number,
  cause: unknown,
): Promise<void> {
  const giveUpAt = performance.now() + reconnectMs;
  for (;;) {
    const status = await transactionStatus(connect, transaction, reconnectMs).catch(() => undefined);
    if (status === 'committed') return;
    if (status === 'aborted') {
      throw new BackstopError(
        'MigrationFailed',
        {
          message: 'The connection was lost at COMMIT, and the server rolled back',
          detail: `Transaction ${transaction.id} was not committed.`,
          hint: 'Nothing was changed: run again.',
        },
        { cause },
      );
    }
    if (performance.now() >= giveUpAt) {
      throw new BackstopError(
        'OutcomeUnknown',
        {
          message: 'The connection was lost at COMMIT, and the server could not be asked for the outcome',
          detail: `Transaction ${transaction.id}: ${status ?? 'no answer'} after ${reconnectMs / 1000} s.`,
          hint: `When the server is back, this query finds an outcome other than OutcomeUnknown only if it was committed: SELECT outcome FROM backstop.history WHERE run_id = '${transaction.runId}';`,
        },
        { cause },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function transactionStatus(
  connect: Connect,
  transaction: Transaction,
  withinMs: number,
): Promise<string | undefined> {
  const client = await connect('backstop commit status');
  try {
    return await answered(client, askStatus(client, transaction), withinMs);
  } finally {
    await client.end().catch(() => {});
  }
}

async function askStatus(client: pg.Client, { id, runId }: Transaction): Promise<string | undefined> {
  const { rows: kinds } = await client.query('SELECT pg_catalog.pg_is_in_recovery() AS standby');
  if (kinds[0]?.standby)
    return (await hasReceived(client, { id, runId })) ? 'committed' : 'a standby answered';
  if (await isFuture(client, id)) return 'aborted';
  const { rows } = await client.query<{ status: string | null }>(STATUS, [id, runId]);
  const status = rows[0]?.status ?? undefined;
  if (status !== 'committed') return status;
  return (await isRemembered(client, runId)) ? 'committed' : 'aborted';
}

/** Whether a standby has the transaction. If not, that proves nothing: it may not have received it yet. */
async function hasReceived(client: pg.Client, { id, runId }: Transaction): Promise<boolean> {
  const { rows } = await client.query(
    "SELECT pg_catalog.pg_xact_status($1::xid8) = 'committed' AS committed",
    [id],
  );
  return rows[0]?.committed === true && (await isRemembered(client, runId));
}

/**
 * A server that crashed before anything of the transaction was written has never heard of its id, and gives it out
 * again: that is why a committed id alone proves nothing. Ids are given out in order: this question takes the next id,
 * and an id that is not below has not been given out since the crash.
 */
async function isFuture(client: pg.Client, id: string): Promise<boolean> {
  const { rows } = await client.query('SELECT $1::xid8 >= pg_catalog.pg_current_xact_id() AS future', [id]);
  return rows[0]?.future === true;
}
