// Connections: how they are opened, what they are set to, and what it means when one cannot be had.
import type { Socket } from 'node:net';
import pg from 'pg';
import { BackstopError } from '../model/errors.ts';

/** Where a database is, and who asks. Never printed, never part of an execution's state. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Without one, node-postgres takes PGPASSWORD or what ~/.pgpass says. */
  readonly password: string | undefined;
  readonly tls: TlsSettings;
}

/**
 * `verify-full`: the certificate and the host name must be right. `verify-if-offered`: the same, but a server that says
 * that it has no TLS is spoken to without. `ca` is PEM; without it the certificate authorities of the Node process
 * count. `off` is for servers on this machine.
 */
export type TlsSettings =
  | { readonly mode: 'verify-full' | 'verify-if-offered'; readonly ca?: string | undefined }
  | { readonly mode: 'off' };

/** Opens one connection; the caller ends it. Rejects with one of the errors of {@link connectionError}. */
export type Connect = (applicationName: string) => Promise<pg.Client>;

const CONNECT_TIMEOUT_MS = 10_000;
/** For the answer to the goodbye, with which the server has forgotten the session. */
const GOODBYE_MS = 2_000;

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

/** What node-postgres says where the server answers that it has no TLS; not where it does not answer. */
const NO_TLS = /^The server does not support SSL connections$/;

/** Opens one session; rejects with what node-postgres says. */
async function open(settings: ConnectionSettings, applicationName: string): Promise<pg.Client> {
  const client = new Session({
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
    await answered(client, prepareSession(client), CONNECT_TIMEOUT_MS);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/**
 * Awaits what the server answers, but not for ever: a network that is gone may say so never. After `withinMs` the
 * connection is cut, and the statement that waits for an answer fails.
 */
export async function answered<T>(client: pg.Client, answer: Promise<T>, withinMs: number): Promise<T> {
  const guard = setTimeout(() => streamOf(client).destroy(), withinMs);
  try {
    return await answer;
  } finally {
    clearTimeout(guard);
  }
}

/**
 * From now on a statement is sent at once, even where the answer to the one before it is still awaited: under locks
 * every round trip counts. COPY and cursors cannot be used on such a session.
 */
export function pipeline(client: pg.Client): void {
  // node-postgres knows it as a setting of the connection, and reads it with every statement.
  (client as { pipeline: boolean }).pipeline = true;
}

/**
 * The answers to statements that were sent together. Where one fails, those after it fail because of it: so the error
 * is that of the first.
 */
export async function together<T extends readonly unknown[]>(
  ...answers: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  for (const answer of answers) answer.catch(() => {});
  const values: unknown[] = [];
  for (const answer of answers) values.push(await answer);
  return values as unknown as T;
}

function streamOf(client: pg.Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** A session that is gone from the server when it has ended here, even where its connection was lost. */
class Session extends pg.Client {
  readonly #config: pg.ClientConfig;
  #ended: Promise<void> | undefined;

  constructor(config: pg.ClientConfig) {
    super(config);
    this.#config = config;
  }

  override end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    const lost = streamOf(this).destroyed;
    await answered(this, super.end(), GOODBYE_MS);
    const heard = !lost && streamOf(this).readableEnded;
    if (!heard) await this.#endFromOutside().catch(() => {});
  }

  /** The server may not know yet that nobody is there, and until it does the session keeps its locks. */
  async #endFromOutside(): Promise<void> {
    // The server's name for this session, which node-postgres knows as soon as there is one.
    const { processID } = this as unknown as { processID: number | null };
    if (processID === null) return;
    const other = new pg.Client({ ...this.#config, connectionTimeoutMillis: GOODBYE_MS });
    other.on('error', () => {});
    try {
      await other.connect();
      // The name, because another session may have got the number since.
      const gone = other.query(
        `SELECT pg_catalog.pg_terminate_backend(pid, $3) FROM pg_catalog.pg_stat_activity
         WHERE pid = $1 AND application_name = $2 AND pid <> pg_catalog.pg_backend_pid()`,
        [processID, this.#config.application_name, GOODBYE_MS],
      );
      await answered(other, gone, 2 * GOODBYE_MS);
    } finally {
      await answered(other, other.end(), GOODBYE_MS);
    }
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

const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;

/** What it means that no connection was made: the ending, the reason as the server or system gives it, and the remedy. */
function connectionError(error: unknown, settings: ConnectionSettings): BackstopError {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const address = `${settings.host}:${settings.port}`;
  const detail = message || code;
  const options = { cause: error };
  if (/no encryption|SSL off/i.test(message)) {
    return new BackstopError(
      'ConfigurationError',
      {
        message: `The server at ${address} refused a connection without TLS`,
        detail,
        hint: 'Ask for TLS in the URL: sslmode=verify-full, and sslrootcert= with the certificate authority of the server.',
      },
      options,
    );
  }
  if (TLS_CODES.test(code) || /SSL connection|certificate/i.test(message)) {
    return new BackstopError(
      'ConfigurationError',
      {
        message: `The TLS connection to ${address} could not be verified`,
        detail,
        hint: 'Configure "caBundle", or sslrootcert in the URL, with the certificate authority of the server, and connect by the name that stands in its certificate.',
      },
      options,
    );
  }
  // What node-postgres says where it has no password at all.
  if (/client password must be/.test(message)) {
    return new BackstopError(
      'CredentialsRejected',
      {
        message: `The server at ${address} asks for the password of user "${settings.user}", and there is none`,
        detail,
        hint: 'Put it in the secret or the URL, or outside AWS in PGPASSWORD or ~/.pgpass.',
      },
      options,
    );
  }
  if (code === '28P01' || code === '28000') {
    return new BackstopError(
      'CredentialsRejected',
      {
        message: `The server at ${address} refused user "${settings.user}"`,
        detail,
        hint: 'Put the right user name and password in the secret or the URL, or rotate the secret.',
      },
      options,
    );
  }
  if (code === '3D000') {
    return new BackstopError(
      'DatabaseNotFound',
      {
        message: `The server at ${address} has no database "${settings.database}"`,
        detail,
        hint: `Correct the database name, or create it: CREATE DATABASE "${settings.database}";`,
      },
      options,
    );
  }
  return new BackstopError(
    'DatabaseUnreachable',
    {
      message: `The server at ${address} could not be reached`,
      detail,
      hint: "Check that it runs and accepts connections there, and in AWS that its security group lets the functions' security group in.",
    },
    options,
  );
}
