// Connections: how they are opened, their settings, and the errors if they fail.
import type pg from 'pg';
import { answered, Client } from './client.ts';
import { connectionError } from './connection-error.ts';
import { findPassword } from './password.ts';
import type { ConnectionSettings } from './settings.ts';

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

const CONNECT_TIMEOUT_MS = 10_000;
/** Settings that every session has, so that neither a role's nor a database's own settings change what a revision means. */
const SESSION_SETTINGS = {
  search_path: 'public',
  // Each statement of a run must see the commits of other sessions, whatever the role prefers.
  default_transaction_isolation: 'read committed',
  // A row-level policy must fail a query, not hide rows from it.
  row_security: 'off',
  // A runner that dies must not leave locks: between statements, …
  idle_in_transaction_session_timeout: '60s',
  // … and where its network is gone.
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
} as const;

/** Opens connections to one database. */
export function connectorTo(settings: ConnectionSettings): Connect {
  const withoutTls: ConnectionSettings = { ...settings, tls: { mode: 'off' } };
  return async (applicationName) => {
    try {
      return await open(settings, applicationName);
    } catch (error) {
      if (settings.tls.mode !== 'verify-if-offered' || !NO_TLS.test((error as Error).message)) {
        throw connectionError(error, settings);
      }
    }
    return open(withoutTls, applicationName).catch((error) => {
      throw connectionError(error, withoutTls);
    });
  };
}

/** The words of node-postgres if the server answers that it has no TLS; not if the server does not answer. */
const NO_TLS = /^The server does not support SSL connections$/;

/** Opens one session; rejects with the error of node-postgres. */
async function open(settings: ConnectionSettings, applicationName: string): Promise<pg.Client> {
  const client = new Client({
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    password: settings.password || (() => findPassword(settings)),
    // Discrete fields on purpose: an sslmode in a connection string would overwrite the CA.
    ssl:
      settings.tls.mode === 'off'
        ? false
        : { rejectUnauthorized: true, ...(settings.tls.ca === undefined ? {} : { ca: settings.tls.ca }) },
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // A connection lost between two queries is reported by the next one; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await answered(client, prepareSession(client), CONNECT_TIMEOUT_MS);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

async function prepareSession(client: pg.Client): Promise<void> {
  // First, because from here on the server notices a dead client while a statement runs. Servers on some platforms
  // cannot do it (22023).
  await client
    .query("SELECT pg_catalog.set_config('client_connection_check_interval', '1s', false)")
    .catch((error: { code?: string }) => {
      if (error.code !== '22023') throw error;
    });
  const entries = Object.entries(SESSION_SETTINGS);
  const calls = entries.map(
    (_, index) => `pg_catalog.set_config($${2 * index + 1}, $${2 * index + 2}, false)`,
  );
  await client.query(`SELECT ${calls.join(', ')}`, entries.flat());
}
