// A visit to the database: the one connection of a verb, on a server that fits, closed whatever happens.
import type pg from 'pg';
import { type Bounds, DEFAULT_BOUNDS } from '../model/bounds.ts';
import { BackstopError } from '../model/errors.ts';
import type { Listener } from '../model/events.ts';
import type { Database } from '../revisions/databases.ts';
import { answered, type Connect } from './session.ts';
import { stepError } from './sqlstate.ts';

/** What a verb works with. */
export interface MigratorOptions {
  readonly database: Database;
  readonly connect: Connect;
  /** Default: nobody listens. */
  readonly listener?: Listener;
  /** Default: {@link DEFAULT_BOUNDS}. */
  readonly bounds?: Bounds;
  /** ARN of the execution that asks; kept in the history. */
  readonly execution?: string;
}

/** The options, complete, and the connection. */
export interface Visit extends Required<Omit<MigratorOptions, 'execution'>> {
  readonly execution: string | undefined;
  readonly client: pg.Client;
  /** The backend of `client`. */
  readonly pid: number;
}

/** PostgreSQL 14 is what the execution contract asks for. */
const OLDEST_SERVER = 140_000;

const IDENTITY = `
  SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.current_setting('server_version_num')::int AS number,
         pg_catalog.current_setting('server_version') AS server,
         pg_catalog.current_database() AS database, session_user AS "user"`;

interface Identity {
  readonly pid: number;
  readonly number: number;
  readonly server: string;
  readonly database: string;
  readonly user: string;
}

/**
 * Connects, does the work, and closes the connection: with it go the runner lock and an open transaction.
 *
 * @param purpose stands in the server's list of sessions
 * @throws ServerTooOld, WrongDatabase, ExtensionMissing, what the connection could not be had for, and what the work throws;
 *   never anything but a BackstopError
 */
export async function visit<T>(
  { database, connect, listener = () => {}, bounds = DEFAULT_BOUNDS, execution }: MigratorOptions,
  purpose: string,
  work: (visit: Visit) => Promise<T>,
): Promise<T> {
  const client = await connect(`backstop ${purpose}`);
  try {
    const { pid, ...who } = await answered(client, admit(client, database), bounds.admissionMs);
    listener({ type: 'connected', ...who });
    return await work({ database, connect, listener, bounds, execution, client, pid });
  } catch (error) {
    throw stepError(error, purpose);
  } finally {
    await client.end().catch(() => {});
  }
}

/** A visit that opens no transaction of its own, and that therefore nothing else bounds. Throws as {@link visit} does. */
export async function look<T>(
  options: MigratorOptions,
  purpose: string,
  work: (visit: Visit) => Promise<T>,
): Promise<T> {
  return visit(options, purpose, (visiting) => bounded(visiting, work(visiting)));
}

/** Awaits what a visit does outside its transaction: no longer than it may wait for the lock, and then work. */
export function bounded<T>({ client, bounds }: Visit, work: Promise<T>): Promise<T> {
  return answered(client, work, bounds.lockWaitMs + bounds.transactionMs + bounds.graceMs);
}

/** Who and where we are; refuses a server or a database that is not the right one. */
async function admit(client: pg.Client, database: Database): Promise<Omit<Identity, 'number'>> {
  const { rows } = await client.query<Identity>(IDENTITY);
  const { number, ...identity } = rows[0] as Identity;
  requireVersion(number, identity.server);
  await requireOwn(client, database);
  await requireExtensions(client, database.definition.extensions);
  return identity;
}

function requireVersion(number: number, server: string): void {
  if (number >= OLDEST_SERVER) return;
  throw new BackstopError('ServerTooOld', {
    message: `PostgreSQL ${server} is too old`,
    hint: 'Upgrade the server to PostgreSQL 14 or later.',
  });
}

/** Refuses a database that has another one's landmarks and not its own: a URL or a secret was mixed up. */
async function requireOwn(client: pg.Client, { definition, others = [] }: Database): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    "SELECT relname AS table FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
  );
  const tables = new Set(rows.map(({ table }) => table));
  const stands = ({ landmarks = [] }: Database['definition']) =>
    landmarks.length > 0 && landmarks.every((table) => tables.has(table));
  const other = others.map((neighbour) => neighbour.definition).find(stands);
  if (!other || stands(definition)) return;
  throw new BackstopError('WrongDatabase', {
    message: `The connection for ${definition.name} leads to a database of ${other.name}`,
    detail: `Its tables are there: ${other.landmarks?.join(', ')}; those of ${definition.name} are not.`,
    hint: `Correct ${definition.urlVariable}, or in AWS the host and dbname of the secret.`,
  });
}

async function requireExtensions(client: pg.Client, extensions: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ missing: string }>(
    `SELECT wanted.name AS missing FROM pg_catalog.unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = wanted.name)`,
    [extensions],
  );
  if (rows.length === 0) return;
  throw new BackstopError('ExtensionMissing', {
    message: `The database lacks the extension ${rows.map(({ missing }) => `"${missing}"`).join(', ')}`,
    hint: rows.map(({ missing }) => `CREATE EXTENSION ${missing};`).join(' '),
  });
}
