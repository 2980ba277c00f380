// Connections: how they are opened, their settings, and the errors if they fail.
import pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import { requireBinding } from './channel-binding.ts';
import { answered, Client } from './client.ts';
import { connectionError, type FailedConnection } from './connection-error.ts';
import { neutralize } from './neutral.ts';
import { findPassword } from './password.ts';
import { backendOf, isPooled, keepsSession, readKept } from './pooler.ts';
import { requirePrimary } from './server-kind.ts';
import type { ConnectionSettings } from './settings.ts';

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

/** For one attempt to connect, and for the answer to each of the first questions. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Opens connections to one database. */
export function connectorTo(settings: ConnectionSettings): Connect {
  // Known of the pooler as soon as one connection has been tried.
  const pool = { keepsSession: false };
  return async (applicationName) => {
    const opened = await open(settings, applicationName, pool);
    if (opened instanceof Client) return opened;
    throw connectionError(opened, settings);
  };
}

/** Opens one session. */
async function open(
  settings: ConnectionSettings,
  applicationName: string,
  pool: { keepsSession: boolean },
): Promise<Client | FailedConnection> {
  let lacksPassword = false;
  const timeoutMs = settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  // As long as an attempt to connect, but never without end.
  const answerMs = Math.max(timeoutMs, CONNECT_TIMEOUT_MS);
  const config: pg.ClientConfig = {
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
  };
  const client = new Client(config);
  const isUnbound = settings.channelBinding ? requireBinding(client) : () => false;
  try {
    await client.connect();
    await answered(client, meet(client, config, pool), answerMs);
    client.neutral = await answered(client, neutralize(client), answerMs);
    if (settings.server === 'primary') await requirePrimary(client);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    return { cause: error, tlsAnswer: client.tlsAnswer, lacksPassword, isUnbound: isUnbound() };
  }
}

/**
 * The first question of a session: who answers. Before any setting, because a pooler would leave it in a session of someone else.
 *
 * @throws SessionNotKept
 */
async function meet(client: Client, config: pg.ClientConfig, pool: { keepsSession: boolean }): Promise<void> {
  const backend = await backendOf(client);
  client.isStandby = backend.standby;
  if (isPooled(client, backend)) {
    // Without a name, which a pooler would set in a session of others.
    const other = () => new pg.Client({ ...config, application_name: undefined });
    pool.keepsSession ||= await keepsSession(client, backend.pid, other);
    if (!pool.keepsSession) throw notKept(config);
    client.kept = await readKept(client);
  }
  client.backend = backend.pid;
}

function notKept({ host, port }: pg.ClientConfig): BackstopError {
  return new BackstopError('SessionNotKept', {
    message: `A pooler at ${host}:${port} gives each transaction to another session of the server`,
    detail:
      'A run needs one session from begin to end: its lock, its settings and its time limits belong to the session.',
    hint: 'Connect to the database server itself, or to a pool in session mode.',
  });
}
