// A failed connection: the ending, the reason as the server or system gives it, and the remedy.
import { BackstopError } from '../model/errors.ts';
import type { ConnectionSettings } from './settings.ts';

const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;

/** The ending for an error of node-postgres while it connected. */
export function connectionError(error: unknown, settings: ConnectionSettings): BackstopError {
  // A session that could be opened, and may not be used, says why itself.
  if (error instanceof BackstopError) return error;
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
        hint: 'Configure "caBundle", or sslrootcert in the URL, with the certificate authority of the server, and connect by the host name in its certificate.',
      },
      options,
    );
  }
  // node-postgres says this if it has no password at all.
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
