// Reads DATABASE_URL, in libpq's form and in that of other programs, into the fields a session is opened with.
import { ConfigurationError } from '../../../lambda/migrator/errors.ts';
import type { ServerAddress } from './server.ts';

export interface DatabaseUrl extends ServerAddress {
  readonly database: string;
}

const FORM =
  'Write it as postgresql://user:password@host:5432/database, with special characters percent-encoded.';

/**
 * `postgres://` and `postgresql://` are read, also with a driver's name as in `postgresql+asyncpg://`.
 * @throws ConfigurationError that never quotes the URL, for it holds a password.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  if (!/^postgres(ql)?(\+\w+)?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new ConfigurationError({
      message: 'DATABASE_URL is not the URL of a PostgreSQL database.',
      hint: FORM,
    });
  }
  const url = new URL(text);
  const parts = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    user: decode(url.username),
    database: decode(url.pathname.slice(1)),
  };
  for (const [name, value] of Object.entries(parts)) {
    if (!value) throw new ConfigurationError({ message: `DATABASE_URL names no ${name}.`, hint: FORM });
  }
  return {
    ...parts,
    port: Number(url.port || 5432),
    password: decode(url.password),
    tls: tlsOf(url.searchParams.get('sslmode'), url.searchParams.get('sslrootcert')),
  };
}

/** Where TLS is asked for, the certificate is always verified: there is no mode that encrypts and trusts anyone. */
function tlsOf(sslmode: string | null, sslrootcert: string | null): DatabaseUrl['tls'] {
  if (!['require', 'verify-ca', 'verify-full'].includes(sslmode ?? '')) return 'off';
  if (!sslrootcert) {
    throw new ConfigurationError({
      message: `DATABASE_URL says sslmode=${sslmode}, but not which authority to trust.`,
      hint: 'Add &sslrootcert= with the path of a PEM file.',
    });
  }
  return { caFile: sslrootcert };
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
