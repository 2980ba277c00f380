// Connections: how they are opened, their settings, and the errors if they fail.
import type pg from 'pg';
import { requireBinding } from './channel-binding.ts';
import { answered, Client } from './client.ts';
import { connectionError, type FailedConnection } from './connection-error.ts';
import { neutralize } from './neutral.ts';
import { findPassword } from './password.ts';
import { requireKind } from './server-kind.ts';
import type { ConnectionSettings } from './settings.ts';

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

const CONNECT_TIMEOUT_MS = 10_000;

/** Opens connections to one database. */
export function connectorTo(settings: ConnectionSettings): Connect {
  return async (applicationName) => {
    const opened = await open(settings, applicationName);
    if (opened instanceof Client) return opened;
    throw connectionError(opened, settings);
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
    client.neutral = await answered(client, neutralize(client), CONNECT_TIMEOUT_MS);
    await answered(client, requireKind(client, settings), CONNECT_TIMEOUT_MS);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    return { cause: error, tlsAnswer: client.tlsAnswer, lacksPassword, isUnbound: isUnbound() };
  }
}
