// Reads the URL of a database, in libpq's form and in that of other drivers, into the settings of a connection.
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { userInfo } from 'node:os';
import { BackstopError } from '../model/errors.ts';
import type { ConnectionSettings } from './settings.ts';
import { readParameters, requireSupported, sessionOf, withoutNul } from './url-parameters.ts';

/** The settings in a URL, before the file that it may name is read. */
export interface DatabaseUrl extends Omit<ConnectionSettings, 'tls'> {
  readonly tls: {
    readonly mode: ConnectionSettings['tls']['mode'];
    /** Path of a PEM file; without it, or where TLS is off, undefined. */
    readonly caFile: string | undefined;
  };
}

/** The variables that libpq looks into for what a URL leaves out: PGHOST, PGPORT, PGUSER, PGSSLMODE, PGSSLROOTCERT, PGOPTIONS. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The name of a mode → where TLS is wanted; the words of libpq's `sslmode`, and of `ssl` as asyncpg and JDBC write it.
 * With TLS the certificate is always verified: there is no mode that encrypts and trusts anyone. To another machine
 * no mode goes on without TLS if the server refuses it: the answer may come from someone in between, who wants the password.
 */
const TLS_WORDS: ReadonlyMap<string, 'off' | 'elsewhere' | 'required'> = new Map([
  ['disable', 'off'],
  ['allow', 'elsewhere'],
  ['prefer', 'elsewhere'],
  ['require', 'required'],
  ['verify-ca', 'required'],
  ['verify-full', 'required'],
  ['false', 'off'],
  ['true', 'required'],
]);

const SCHEME = /postgres(?:ql)?(?:\+\w+)?:\/\//;
/** All before the last @ of the authority, so that a password may have one. */
const WHO = /(?:(?<user>[^:/?#]*)(?::(?<password>[^/?#]*))?@)?/;
const WHERE = /(?:\[(?<ipv6>[^\]/?#@]*)\]|(?<name>[^:/?#@[\]]*))(?::(?<port>\d*))?/;
/** An @ in the path is the end of a password that has an unencoded slash. */
const WHAT = /(?:\/(?<database>[^?#@]*))?(?:\?(?<query>[^#]*))?/;
const DATABASE_URL = new RegExp(`^${[SCHEME, WHO, WHERE, WHAT].map(({ source }) => source).join('')}$`, 'i');

const FORM =
  'Write it as postgresql://user:password@host:5432/database, with special characters percent-encoded.';

/**
 * Reads `postgres://` and `postgresql://`, also with a driver's name as in `postgresql+asyncpg://`. Missing parts have
 * the defaults of libpq, but the database must be named.
 *
 * @param variable the source of the URL, such as `DATABASE_URL` or `--url`: errors say what to correct
 * @throws ConfigurationError that never quotes the URL, for it holds a password
 */
export function parseDatabaseUrl(
  text: string,
  variable: string,
  environment: Environment = process.env,
): ConnectionSettings {
  const { tls, ...url } = readDatabaseUrl(text, variable, environment);
  if (tls.mode === 'off') return { ...url, tls: { mode: tls.mode } };
  const ca = tls.caFile === undefined ? undefined : readCertificates(tls.caFile, variable);
  return { ...url, tls: { mode: tls.mode, ca } };
}

/** The same, without the contents of the file that `sslrootcert` names. */
export function readDatabaseUrl(
  text: string,
  variable: string,
  environment: Environment = process.env,
): DatabaseUrl {
  const parts = DATABASE_URL.exec(text.trim())?.groups;
  if (!parts) {
    throw new BackstopError('ConfigurationError', {
      message: `${variable} is not the URL of a PostgreSQL database`,
      hint: FORM,
    });
  }
  const { query = '' } = parts;
  const parameters = readParameters(query, variable);
  const part = (parameter: string, text: string | undefined) =>
    withoutNul(parameters.get(parameter) || decode(text ?? ''), variable);

  const host = oneHost(part('host', parts.ipv6 ?? parts.name) || environment.PGHOST || 'localhost', variable);
  const database = part('dbname', parts.database);
  if (!database)
    throw new BackstopError('ConfigurationError', { message: `${variable} names no database`, hint: FORM });
  requireSupported(parameters, query, variable);
  return {
    host,
    port: portOf(part('port', parts.port) || environment.PGPORT || '5432', variable),
    database,
    user: part('user', parts.user) || environment.PGUSER || systemUser(variable),
    // If it is missing, node-postgres reads PGPASSWORD and ~/.pgpass.
    password: part('password', parts.password) || undefined,
    tls: tlsOf(host, parameters, variable, environment),
    ...sessionOf(parameters, variable, environment),
  };
}

function oneHost(host: string, variable: string): string {
  if (!host.includes(',')) return host;
  throw new BackstopError('ConfigurationError', {
    message: `${variable} names several hosts`,
    hint: 'Name one server; without a host in the URL, PGHOST is used.',
  });
}

function portOf(text: string, variable: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new BackstopError('ConfigurationError', {
    message: `${variable} has an invalid port`,
    hint: 'Write a number from 1 to 65535; without a port in the URL, PGPORT is used.',
  });
}

/** A process in a container may have no name. */
function systemUser(variable: string): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new BackstopError(
      'ConfigurationError',
      { message: `${variable} names no user`, hint: FORM },
      { cause },
    );
  }
}

function tlsOf(
  host: string,
  parameters: ReadonlyMap<string, string>,
  variable: string,
  environment: Environment,
): DatabaseUrl['tls'] {
  const wanted = tlsWanted(parameters, variable, environment);
  const isHere = isThisMachine(host);
  // A socket has no TLS, whatever the URL asks for; on this machine no other machine can listen in between.
  if (wanted === 'off' || host.startsWith('/') || (wanted === 'elsewhere' && isHere)) {
    return { mode: 'off', caFile: undefined };
  }
  const file = parameters.get('sslrootcert') || environment.PGSSLROOTCERT;
  return {
    mode: 'verify-full',
    // The word that libpq has for the authorities that the system trusts.
    caFile: file === 'system' ? undefined : file || undefined,
  };
}

function tlsWanted(parameters: ReadonlyMap<string, string>, variable: string, environment: Environment) {
  const inUrl = [parameters.get('sslmode'), parameters.get('ssl')].filter((word) => word !== undefined);
  // Who names an authority wants it asked.
  const otherwise = parameters.has('sslrootcert') ? 'verify-full' : environment.PGSSLMODE || 'prefer';
  const words = inUrl.length > 0 ? inUrl : [otherwise];
  const wanted = words.map((word) => TLS_WORDS.get(word.toLowerCase()));
  if (wanted.some((each) => each !== wanted[0])) {
    throw new BackstopError('ConfigurationError', {
      message: `${variable} contradicts itself about TLS`,
      hint: 'Remove either sslmode or ssl.',
    });
  }
  if (wanted[0]) return wanted[0];
  throw new BackstopError('ConfigurationError', {
    message: `${inUrl.length > 0 ? variable : 'PGSSLMODE'} asks for TLS in a way that there is none`,
    hint: 'Write sslmode as one of: disable, allow, prefer, require, verify-ca, verify-full.',
  });
}

function isThisMachine(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function readCertificates(file: string, variable: string): string {
  const unusable = (detail: string, cause?: unknown) =>
    new BackstopError(
      'ConfigurationError',
      {
        message: `The certificate authority of ${variable} cannot be read`,
        detail,
        hint: 'Let sslrootcert, or PGSSLROOTCERT, be the path of a PEM file.',
      },
      { cause },
    );
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (cause) {
    throw unusable((cause as Error).message, cause);
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw unusable(`${file} holds no certificate.`);
}

/** A percent sign that begins no escape stands for itself: passwords are often pasted in as they are. */
function decode(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}
