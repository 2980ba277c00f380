// Connections: how they are opened, their settings, and the errors if they fail.
import type pg from 'pg';
import { requireBinding } from './channel-binding.ts';
import { answered, Client } from './client.ts';
import { connectionError, type FailedConnection } from './connection-error.ts';
import { findPassword } from './password.ts';
import { requireKind } from './server-kind.ts';
import type { ConnectionSettings } from './settings.ts';

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

const CONNECT_TIMEOUT_MS = 10_000;
/** Settings that every session has, so that neither a role's nor a database's own settings change what a revision means. */
export const SESSION_SETTINGS = {
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
    const opened = await open(settings, applicationName);
    if (opened instanceof Client) return opened;
    const isOffered = settings.tls.mode !== 'verify-if-offered' || opened.tlsAnswer !== 'N';
    if (isOffered) throw connectionError(opened, settings);
    const again = await open(withoutTls, applicationName);
    if (again instanceof Client) return again;
    throw connectionError(again, withoutTls);
  };
}

/** Opens one session. */
async function open(
  settings: ConnectionSettings,
  applicationName: string,
): Promise<Client | FailedConnection> {
  let lacksPassword = false;
  const timeoutMs = settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const client = new Client({
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    async password() {
      const password = settings.password || (await findPassword(settings));
      lacksPassword = password === '';
      return password;
    },
    // Discrete fields on purpose: an sslmode in a connection string would overwrite the CA.
    ssl:
      settings.tls.mode === 'off'
        ? false
        : { rejectUnauthorized: true, ...(settings.tls.ca === undefined ? {} : { ca: settings.tls.ca }) },
    application_name: applicationName,
    connectionTimeoutMillis: timeoutMs,
    ...(settings.options !== undefined && { options: settings.options }),
    enableChannelBinding: settings.channelBinding === true,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const isUnbound = settings.channelBinding ? requireBinding(client) : () => false;
  try {
    await client.connect();
    await answered(client, prepareSession(client, settings), CONNECT_TIMEOUT_MS);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    return { cause: error, tlsAnswer: client.tlsAnswer, lacksPassword, isUnbound: isUnbound() };
  }
}

async function prepareSession(client: pg.Client, settings: ConnectionSettings): Promise<void> {
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
  await requireKind(client, settings);
}
