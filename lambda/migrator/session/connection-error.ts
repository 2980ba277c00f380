// A failed connection: the ending, the reason as the server or system gives it, and the remedy.
import pg from 'pg';
import { BackstopError, type EndingName, type ErrorText } from '../model/errors.ts';
import type { ConnectionSettings } from './settings.ts';

/** The facts of a connection that failed. No word of an error decides: it may be in any language. */
export interface FailedConnection {
  /** The error of node-postgres. */
  readonly cause: unknown;
  /** The start of the server's answer to the request for TLS, two bytes at most; undefined if it was not asked, or did not answer. */
  readonly tlsAnswer: string | undefined;
  /** Whether the server asked for a password and there was none. */
  readonly lacksPassword: boolean;
  /** Whether channel binding was required, and the connection cut because the server does not offer it. */
  readonly isUnbound: boolean;
}

type Ending = readonly [name: EndingName, text: Pick<ErrorText, 'message' | 'hint'>];
type Refusal = (settings: ConnectionSettings, error: pg.DatabaseError) => Ending;

/** The ending for a connection that failed. */
export function connectionError(failed: FailedConnection, settings: ConnectionSettings): BackstopError {
  const { cause } = failed;
  if (cause instanceof BackstopError) return cause;
  const [name, text] = endingOf(failed, settings);
  const { code, message } = cause as { code?: string; message?: string };
  return new BackstopError(name, { ...text, detail: message || code || String(cause) }, { cause });
}

function endingOf(failed: FailedConnection, settings: ConnectionSettings): Ending {
  const { cause } = failed;
  if (cause instanceof pg.DatabaseError) return refusal(failed, cause, settings);
  if (failed.tlsAnswer !== undefined && settings.tls.mode !== 'off') {
    if (failed.tlsAnswer === 'N') return withoutTls(settings);
    if (failed.tlsAnswer !== 'S') return unlikePostgres(settings);
    if (isOpenSsl(cause)) return unverified(settings);
  }
  if (failed.isUnbound) return unbound(settings);
  // The driver itself refuses an empty password, with an error that has no code.
  const isDrivers = (cause as { code?: string }).code === undefined;
  return failed.lacksPassword && isDrivers ? noPassword(settings) : unreachable(settings);
}

/** The server's own words. */
function refusal(failed: FailedConnection, error: pg.DatabaseError, settings: ConnectionSettings): Ending {
  if (failed.isUnbound) return unbound(settings);
  if (failed.lacksPassword && error.code === '28P01') return noPassword(settings);
  return (REFUSALS[error.code ?? ''] ?? refused)(settings, error);
}

/** The handshake failed: OpenSSL's codes are no codes of the system. */
function isOpenSsl(cause: unknown): boolean {
  const { code = '' } = cause as { code?: string };
  return code !== '' && (code === 'EPROTO' || !/^E[A-Z0-9]+$/.test(code));
}

const addressOf = ({ host, port }: ConnectionSettings) => `${host}:${port}`;
const quoted = (name: string) => pg.escapeIdentifier(name);

/** SQLSTATE → the ending. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  '28P01': rejected,
  '28000': notAdmitted,
  '3D000': (settings) => [
    'DatabaseNotFound',
    {
      message: `The server at ${addressOf(settings)} has no database "${settings.database}"`,
      hint: `Correct the database name, or create it: CREATE DATABASE "${settings.database}";`,
    },
  ],
  '42501': mayNot,
  '53300': (settings) => [
    'DatabaseUnreachable',
    {
      message: `The server at ${addressOf(settings)} has no connection left for user "${settings.user}"`,
      hint: 'End sessions that are idle, which pg_stat_activity lists, or raise the limit of the server, the database or the user; then run again.',
    },
  ],
  '55000': (settings) => [
    'DatabaseUnreachable',
    {
      message: `The database "${settings.database}" accepts no connections`,
      hint: `If it is not a template: ALTER DATABASE ${quoted(settings.database)} WITH ALLOW_CONNECTIONS true; otherwise correct the database name.`,
    },
  ],
  '57P03': (settings) => [
    'DatabaseUnreachable',
    {
      message: `The server at ${addressOf(settings)} is starting up, shutting down or recovering`,
      hint: 'Wait until it accepts connections, then run again.',
    },
  ],
  '22023': optionsRefused,
  '22P02': optionsRefused,
  '42601': optionsRefused,
  '42704': optionsRefused,
};

function rejected(settings: ConnectionSettings): Ending {
  return [
    'CredentialsRejected',
    {
      message: `The server at ${addressOf(settings)} refused user "${settings.user}"`,
      hint: 'Put the right user name and password in the secret or the URL, or rotate the secret.',
    },
  ];
}

/** 28000 has three reasons, which the server's C function tells apart: its name is not translated. */
function notAdmitted(settings: ConnectionSettings, { routine }: pg.DatabaseError): Ending {
  if (routine === 'InitializeSessionUserId') {
    return [
      'CredentialsRejected',
      {
        message: `The server at ${addressOf(settings)} refused user "${settings.user}"`,
        hint: `If the role exists, it may not log in: ALTER ROLE ${quoted(settings.user)} LOGIN; otherwise correct the user name in the secret or the URL.`,
      },
    ];
  }
  if (routine === 'auth_failed') return rejected(settings);
  if (settings.tls.mode === 'off') {
    return [
      'ConfigurationError',
      {
        message: `The server at ${addressOf(settings)} refused a connection without TLS`,
        hint: 'Ask for TLS in the URL: sslmode=verify-full, and sslrootcert= with the certificate authority of the server. If the server has no TLS, add an entry for this client to its pg_hba.conf.',
      },
    ];
  }
  return [
    'CredentialsRejected',
    {
      message: `The server at ${addressOf(settings)} refused user "${settings.user}"`,
      hint: 'Add an entry for this user, this database and the address of this client to the pg_hba.conf of the server.',
    },
  ];
}

/** The right to connect is asked for in one function of the server, and every other right elsewhere. */
function mayNot(settings: ConnectionSettings, error: pg.DatabaseError): Ending {
  if (error.routine !== undefined && error.routine !== 'CheckMyDatabase')
    return optionsRefused(settings, error);
  return [
    'PrivilegeMissing',
    {
      message: `User "${settings.user}" may not connect to the database "${settings.database}"`,
      hint: `As the owner of the database: GRANT CONNECT ON DATABASE ${quoted(settings.database)} TO ${quoted(settings.user)};`,
    },
  ];
}

/** The codes of a setting that is unknown, or of a value that is invalid. */
function optionsRefused(settings: ConnectionSettings, error: pg.DatabaseError): Ending {
  if (settings.options === undefined) return refused(settings, error);
  return [
    'ConfigurationError',
    {
      message: `The server at ${addressOf(settings)} refused a setting in "options" of the URL`,
      hint: 'Correct the setting there, or grant the right to set it. A role must exist, and the user must be a member of it.',
    },
  ];
}

function noPassword(settings: ConnectionSettings): Ending {
  return [
    'CredentialsRejected',
    {
      message: `The server at ${addressOf(settings)} asks for the password of user "${settings.user}", and there is none`,
      hint: 'Put it in the secret or the URL, or outside AWS in PGPASSWORD or ~/.pgpass.',
    },
  ];
}

function unbound(settings: ConnectionSettings): Ending {
  return [
    'ConfigurationError',
    {
      message: `The server at ${addressOf(settings)} does not bind the login to its TLS connection, as channel_binding=require asks`,
      hint: 'It needs TLS, sslmode=verify-full, and a password that the server keeps as scram-sha-256.',
    },
  ];
}

function withoutTls(settings: ConnectionSettings): Ending {
  return [
    'ConfigurationError',
    {
      message: `The server at ${addressOf(settings)} offers no TLS, so Backstop did not log in`,
      hint: 'Enable TLS on the server, and name its certificate authority in sslrootcert. If you trust the network between here and the server, write sslmode=disable in the URL: then the password is sent without encryption.',
    },
  ];
}

function unlikePostgres(settings: ConnectionSettings): Ending {
  return [
    'DatabaseUnreachable',
    {
      message: `The server at ${addressOf(settings)} did not answer the request for TLS as PostgreSQL does`,
      hint: 'Check that a PostgreSQL server listens at this host and port; the log of the server may say why it refused the request.',
    },
  ];
}

function unverified(settings: ConnectionSettings): Ending {
  return [
    'ConfigurationError',
    {
      message: `The TLS connection to ${addressOf(settings)} could not be verified`,
      hint: 'Configure "caBundle", or sslrootcert in the URL, with the certificate authority of the server, and connect by the host name in its certificate.',
    },
  ];
}

/** For every other error of the server. */
function refused(settings: ConnectionSettings, error: pg.DatabaseError): Ending {
  return [
    'DatabaseUnreachable',
    {
      message: `The server at ${addressOf(settings)} refused the connection (SQLSTATE ${error.code})`,
      hint: error.hint ?? 'Do what the detail says; the log of the server may say more. Then run again.',
    },
  ];
}

function unreachable(settings: ConnectionSettings): Ending {
  return [
    'DatabaseUnreachable',
    {
      message: `The server at ${addressOf(settings)} could not be reached`,
      hint: "Check that it runs and accepts connections there, and in AWS that its security group lets the functions' security group in.",
    },
  ];
}
