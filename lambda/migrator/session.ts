// Connections: how they are opened, what they are set to, and what it means when one cannot be had.
import pg from 'pg';
import {
  type BackstopError,
  ConfigurationError,
  CredentialsRejected,
  DatabaseNotFound,
  DatabaseUnreachable,
} from './errors.ts';

/** Where a database is, and who asks. Never printed, never part of an execution's state. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /**
   * `verify-full`: the certificate and the host name must be right. `ca` is PEM; without it the
   * certificate authorities of the Node process count. `off` is for servers on this machine.
   */
  readonly tls: { readonly mode: 'verify-full'; readonly ca?: string | undefined } | { readonly mode: 'off' };
}

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

const CONNECT_TIMEOUT_MS = 10_000;

/** Settings that every session has, so that neither a role's nor a database's own settings change what a revision means. */
const SESSION_SETTINGS = {
  search_path: 'public',
  // Each statement of a run must see what was committed meanwhile, whatever the role prefers.
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
  return async (applicationName) => {
    const client = new pg.Client({
      host: settings.host,
      port: settings.port,
      database: settings.database,
      user: settings.user,
      password: settings.password,
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
      await prepareSession(client);
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw connectionError(error, settings);
    }
  };
}

async function prepareSession(client: pg.Client): Promise<void> {
  const entries = Object.entries(SESSION_SETTINGS);
  const calls = entries.map(
    (_, index) => `pg_catalog.set_config($${2 * index + 1}, $${2 * index + 2}, false)`,
  );
  await client.query(`SELECT ${calls.join(', ')}`, entries.flat());
  // While a statement runs, this is what notices a dead client. Servers on some platforms cannot do it (22023).
  await client
    .query("SELECT pg_catalog.set_config('client_connection_check_interval', '1s', false)")
    .catch((error: { code?: string }) => {
      if (error.code !== '22023') throw error;
    });
}

const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;

/** What it means that no connection was made: the ending, the reason as the server or system gives it, and the remedy. */
function connectionError(error: unknown, settings: ConnectionSettings): BackstopError {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const address = `${settings.host}:${settings.port}`;
  const detail = message || code;
  const options = { cause: error };
  if (TLS_CODES.test(code) || /SSL connection|certificate|no encryption|SSL off/i.test(message)) {
    return new ConfigurationError(
      {
        message: `The TLS connection to ${address} could not be verified`,
        detail,
        hint: 'Configure "caBundle" with the certificate authority of the server, and connect by the name that stands in its certificate.',
      },
      options,
    );
  }
  if (code === '28P01' || code === '28000') {
    return new CredentialsRejected(
      {
        message: `The server at ${address} refused user "${settings.user}"`,
        detail,
        hint: 'Put the right user name and password in the secret, or rotate it.',
      },
      options,
    );
  }
  if (code === '3D000') {
    return new DatabaseNotFound(
      {
        message: `The server at ${address} has no database "${settings.database}"`,
        detail,
        hint: `Correct the database name, or create it: CREATE DATABASE "${settings.database}";`,
      },
      options,
    );
  }
  return new DatabaseUnreachable(
    {
      message: `The server at ${address} could not be reached`,
      detail,
      hint: "Check that it runs and accepts connections, and that its security group lets the functions' security group in.",
    },
    options,
  );
}
