// Connections: how they are opened, their settings, and the errors if they fail.
import type pg from 'pg';
import { answered, Client } from './client.ts';
import { connectionError } from './connection-error.ts';
import { neutralize } from './neutral.ts';
import { findPassword } from './password.ts';
import type { ConnectionSettings } from './settings.ts';

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

const CONNECT_TIMEOUT_MS = 10_000;

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
    client.neutral = await answered(client, neutralize(client), CONNECT_TIMEOUT_MS);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
