// A server that is already there, given by its URL: the twin works in databases of its own beside those it finds.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import {
  ConfigurationError,
  CredentialsRejected,
  DatabaseNotFound,
  DatabaseUnreachable,
} from '../../../lambda/migrator/errors.ts';
import { createDatabase, createRole, dropDatabase, dropRole, withClient } from './client.ts';
import type { LocalServer } from './server.ts';
import { parseDatabaseUrl } from './url.ts';

/** How long a template may stay in use before a snapshot of it is given up. */
const TEMPLATE_WAIT_MS = 10_000;

/**
 * The database that the URL names is only connected to; nothing in it is read or changed. `stop()` drops the
 * databases and roles that were made here, and no other.
 * @throws ConfigurationError, CredentialsRejected, DatabaseNotFound, DatabaseUnreachable
 */
export async function useGiven(databaseUrl: string): Promise<LocalServer> {
  const address = parseDatabaseUrl(databaseUrl);
  const session = <T>(work: (client: Client) => Promise<T>) => withClient(address, address.database, work);
  const majorVersion = await session(requireAdministrator).catch(explain);
  const own = new Set<string>();
  const ownRoles = new Set<string>();

  const server: LocalServer = {
    host: address.host,
    port: address.port,
    user: address.user,
    password: address.password,
    tls: address.tls,
    majorVersion,
    async createDatabase(name, template) {
      await session((client) => createDatabase(client, name, template));
      own.add(name);
    },
    async createRole(name) {
      const credentials = await session((client) => createRole(client, name));
      ownRoles.add(name);
      return credentials;
    },
    async dropDatabase(name) {
      if (!own.has(name)) throw new Error(`Database ${name} was not made here, so it is not dropped.`);
      await session((client) => dropDatabase(client, name));
      own.delete(name);
    },
    /** A copy within the server. It needs a moment in which nobody is connected to the database. */
    async takeSnapshot(database, progress) {
      const snapshot = freshName('snapshot');
      const bytes = await session(async (client) => {
        const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size($1) AS bytes', [
          database,
        ]);
        return Number(rows[0]?.bytes);
      });
      progress?.(0, bytes);
      await session((client) => copyWhenUnused(client, database, snapshot));
      own.add(snapshot);
      progress?.(bytes, bytes);
      return {
        async restore() {
          const restored = freshName('restored');
          await server.createDatabase(restored, snapshot);
          return { ...server, database: restored, stop: () => server.dropDatabase(restored) };
        },
        delete: () => server.dropDatabase(snapshot),
      };
    },
    async stop() {
      for (const name of own) await server.dropDatabase(name);
      // Last, for what they own must be gone before them.
      for (const name of ownRoles) await session((client) => dropRole(client, name));
      ownRoles.clear();
    },
  };
  return server;
}

async function requireAdministrator(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: string; may: boolean }>(
    `SELECT current_setting('server_version_num') AS version, rolsuper OR (rolcreatedb AND rolcreaterole) AS may
     FROM pg_roles WHERE rolname = current_user`,
  );
  if (!rows[0]?.may) {
    throw new ConfigurationError({
      message: `The user ${client.user} of DATABASE_URL may not create databases and roles.`,
      hint: `Run: ALTER ROLE "${client.user}" CREATEDB CREATEROLE, or name another user.`,
    });
  }
  return Math.floor(Number(rows[0].version) / 10_000);
}

/** PostgreSQL copies a database only while nobody is connected to it. The sessions may be anybody's: they are waited for. */
async function copyWhenUnused(client: Client, database: string, copy: string): Promise<void> {
  const deadline = Date.now() + TEMPLATE_WAIT_MS;
  for (;;) {
    try {
      return await createDatabase(client, copy, database);
    } catch (error) {
      const inUse = (error as { code?: unknown }).code === '55006';
      if (!inUse) throw error;
      if (Date.now() > deadline) {
        const { rows } = await client.query<{ session: string }>(
          `SELECT format('pid %s (%s, %s)', pid, usename, coalesce(nullif(application_name, ''), 'unnamed')) AS session
           FROM pg_stat_activity WHERE datname = $1`,
          [database],
        );
        const sessions = rows.map(({ session }) => session).join(', ');
        throw new Error(
          `Database ${database} cannot be copied while others are connected to it: ${sessions}`,
          {
            cause: error,
          },
        );
      }
      await sleep(500);
    }
  }
}

function explain(cause: { code?: unknown; message: string }): never {
  if (cause instanceof ConfigurationError) throw cause;
  const text = { message: 'The server of DATABASE_URL cannot be used.', detail: cause.message };
  switch (cause.code) {
    case '28P01':
    case '28000':
      throw new CredentialsRejected(
        { ...text, hint: 'Check the user and password in DATABASE_URL.' },
        { cause },
      );
    case '3D000':
      throw new DatabaseNotFound({ ...text, hint: 'Name a database that exists.' }, { cause });
    default:
      throw new DatabaseUnreachable(
        { ...text, hint: 'Check host, port and sslmode in DATABASE_URL.' },
        { cause },
      );
  }
}

/** A name that no other run has, and that tells whose it is should a run have been killed. */
function freshName(purpose: string): string {
  return `backstop_${purpose}_${randomBytes(4).toString('hex')}`;
}
