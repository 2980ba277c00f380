// A server that is already there, given by its URL: the twin works in its own databases beside the existing ones.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { connectorTo } from '../../../lambda/migrator/session/connection.ts';
import { parseDatabaseUrl, readDatabaseUrl } from '../../../lambda/migrator/session/database-url.ts';
import { createDatabase, createRole, dropDatabase, dropRole, withClient } from './client.ts';
import type { LocalServer, ServerAddress } from './server.ts';

/** The variable that holds the URL. */
const VARIABLE = 'DATABASE_URL';
/** How long a template may stay in use before a snapshot of it is given up. */
const TEMPLATE_WAIT_MS = 10_000;

/**
 * The database that the URL names is only connected to; nothing in it is read or changed. `stop()` drops the
 * databases and roles that were made here, and no other.
 * @throws ConfigurationError, CredentialsRejected, DatabaseNotFound, DatabaseUnreachable
 */
export async function useGiven(databaseUrl: string): Promise<LocalServer> {
  const { database: maintenance, majorVersion, ...address } = await meet(databaseUrl);
  const session = <T>(work: (client: Client) => Promise<T>) => withClient(address, maintenance, work);
  const own = new Set<string>();
  const ownRoles = new Set<string>();

  const server: LocalServer = {
    ...address,
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
    /** A copy within the server. It needs a moment without any session in the database. */
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

interface GivenServer extends ServerAddress {
  readonly database: string;
  readonly majorVersion: number;
}

/** Asks the server for its version and the privileges of the user. */
async function meet(databaseUrl: string): Promise<GivenServer> {
  const settings = parseDatabaseUrl(databaseUrl, VARIABLE);
  const { host, port, user, password = '', database, tls } = readDatabaseUrl(databaseUrl, VARIABLE);
  const client = await connectorTo(settings)('backstop local');
  try {
    const { rows } = await client.query<{ version: string; may: boolean }>(
      `SELECT current_setting('server_version_num') AS version,
              (SELECT rolsuper OR (rolcreatedb AND rolcreaterole) FROM pg_roles WHERE rolname = current_user) AS may`,
    );
    const [{ version, may } = { version: '', may: false }] = rows;
    if (!may) {
      throw new BackstopError('ConfigurationError', {
        message: `The user ${user} of ${VARIABLE} may not create databases and roles`,
        hint: `Run: ALTER ROLE "${user}" CREATEDB CREATEROLE, or name another user.`,
      });
    }
    return {
      host,
      port,
      user,
      password,
      database,
      tls: tls.mode === 'verify-full' ? { caFile: tls.caFile } : 'off',
      majorVersion: Math.floor(Number(version) / 10_000),
    };
  } finally {
    await client.end();
  }
}

/** PostgreSQL copies a database only while it has no sessions: this waits until those of other programs end. */
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

/** A name that no other run has, and that tells whose it is should a run have been killed. */
function freshName(purpose: string): string {
  return `backstop_${purpose}_${randomBytes(4).toString('hex')}`;
}
