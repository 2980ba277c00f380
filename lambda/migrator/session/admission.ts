// The first questions of a session: whether server and database are the right ones.
import { BackstopError } from '../model/errors.ts';
import type { Database } from '../revisions/databases.ts';
import type { Queries } from './client.ts';

/** The execution contract asks for PostgreSQL 14. */
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
 * Who and where we are.
 *
 * @throws ServerTooOld, WrongDatabase, ExtensionMissing
 */
export async function admit(queries: Queries, database: Database): Promise<Omit<Identity, 'number'>> {
  const { rows } = await queries.query<Identity>(IDENTITY);
  const { number, ...identity } = rows[0] as Identity;
  requireVersion(number, identity.server);
  await requireOwn(queries, database);
  await requireExtensions(queries, database.definition.extensions);
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
async function requireOwn(queries: Queries, { definition, others = [] }: Database): Promise<void> {
  const named = [definition, ...others.map((other) => other.definition)].flatMap(
    ({ landmarks = [] }) => landmarks,
  );
  const { rows } = await queries.query<{ table: string }>(
    `SELECT c.relname AS table FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1::text[])`,
    [named],
  );
  const tables = new Set(rows.map(({ table }) => table));
  const stands = ({ landmarks = [] }: Database['definition']) =>
    landmarks.length > 0 && landmarks.every((table) => tables.has(table));
  const other = others.map((each) => each.definition).find(stands);
  if (!other || stands(definition)) return;
  throw new BackstopError('WrongDatabase', {
    message: `The connection for ${definition.name} leads to a database of ${other.name}`,
    detail: `Its tables are there: ${other.landmarks?.join(', ')}; those of ${definition.name} are not.`,
    hint: `Correct ${definition.urlVariable}, or in AWS the host and dbname of the secret.`,
  });
}

async function requireExtensions(queries: Queries, extensions: readonly string[]): Promise<void> {
  const { rows } = await queries.query<{ missing: string }>(
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
