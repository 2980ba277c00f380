// The parameters of a database's URL: each is passed on as psql would, or refused by its name.
import { BackstopError } from '../model/errors.ts';
import { PINNED } from './neutral.ts';
import type { ConnectionSettings } from './settings.ts';

/** The values that a parameter may have. */
interface Rule {
  /** The values that mean what Backstop does anyway; a value that is none of them is refused. */
  readonly fine: readonly string[];
  /** What to do instead. */
  readonly remedy: string;
}

const OFF = ['0', 'off', 'false', 'no'];
const REMOVE = 'Remove it from the URL.';
const BY_HOST = 'Name the server by host and port.';
const NO_CLIENT_CERTIFICATES = 'Log in by a password: Backstop has no client certificates.';

/** Read elsewhere: where, who and TLS in database-url.ts, the rest in {@link sessionOf}. */
const UNDERSTOOD = [
  ...['host', 'port', 'dbname', 'user', 'password', 'sslmode', 'ssl', 'sslrootcert'],
  ...['options', 'connect_timeout', 'target_session_attrs'],
];

/** The parameters of libpq that Backstop does not pass on, and some of other drivers. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    hostaddr: { fine: [], remedy: BY_HOST },
    service: { fine: [], remedy: BY_HOST },
    servicefile: { fine: [], remedy: BY_HOST },
    passfile: { fine: [], remedy: 'Name the file in PGPASSFILE.' },
    application_name: {
      fine: [],
      remedy: 'Remove it: Backstop finds its sessions by the names that it gives them.',
    },
    // It counts only if the application has no name, and Backstop's sessions have one.
    fallback_application_name: { fine: ['*'], remedy: REMOVE },
    client_encoding: { fine: ['utf8', 'utf-8', 'unicode'], remedy: 'Remove it: revisions are UTF-8.' },
    require_auth: { fine: [], remedy: REMOVE },
    channel_binding: { fine: ['disable', 'prefer', 'require'], remedy: 'Write disable, prefer or require.' },
    gssencmode: { fine: ['disable', 'prefer'], remedy: 'Encrypt by TLS: sslmode=verify-full.' },
    krbsrvname: { fine: [], remedy: 'Log in by a password.' },
    gsslib: { fine: [], remedy: 'Log in by a password.' },
    gssdelegation: { fine: OFF, remedy: 'Log in by a password.' },
    requirepeer: { fine: [], remedy: REMOVE },
    keepalives: { fine: ['1'], remedy: 'Remove it: Backstop needs to learn that a connection is lost.' },
    keepalives_idle: { fine: [], remedy: 'Remove it: Backstop sets it.' },
    keepalives_interval: { fine: [], remedy: 'Remove it: Backstop sets it.' },
    keepalives_count: { fine: [], remedy: 'Remove it: Backstop sets it.' },
    tcp_user_timeout: { fine: ['0'], remedy: 'Remove it: Backstop sets its own limits.' },
    replication: { fine: OFF, remedy: REMOVE },
    load_balance_hosts: { fine: ['disable', 'random'], remedy: REMOVE },
    min_protocol_version: { fine: ['3.0', '3'], remedy: 'Remove it: Backstop speaks version 3.0.' },
    max_protocol_version: {
      fine: ['3.0', '3.2', 'latest'],
      remedy: 'Remove it: Backstop speaks version 3.0.',
    },
    sslcompression: { fine: ['0', '1'], remedy: REMOVE },
    sslnegotiation: { fine: ['postgres'], remedy: 'Remove it: Backstop asks the server for TLS.' },
    sslsni: { fine: ['1'], remedy: 'Remove it: Backstop names the host to the server.' },
    sslcert: { fine: [], remedy: NO_CLIENT_CERTIFICATES },
    sslkey: { fine: [], remedy: NO_CLIENT_CERTIFICATES },
    sslpassword: { fine: [], remedy: NO_CLIENT_CERTIFICATES },
    sslcertmode: { fine: ['disable', 'allow'], remedy: NO_CLIENT_CERTIFICATES },
    sslkeylogfile: { fine: [], remedy: REMOVE },
    sslcrl: { fine: [], remedy: REMOVE },
    sslcrldir: { fine: [], remedy: REMOVE },
    requiressl: { fine: [], remedy: 'Write sslmode instead.' },
    ssl_min_protocol_version: { fine: [], remedy: 'Remove it: Backstop uses TLS 1.2 or later.' },
    ssl_max_protocol_version: { fine: [], remedy: 'Remove it: Backstop uses TLS 1.2 or later.' },
    scram_client_key: { fine: [], remedy: 'Log in by the password itself.' },
    scram_server_key: { fine: [], remedy: 'Log in by the password itself.' },
    oauth_issuer: { fine: [], remedy: 'Log in by a password.' },
    oauth_client_id: { fine: [], remedy: 'Log in by a password.' },
    oauth_client_secret: { fine: [], remedy: 'Log in by a password.' },
    oauth_scope: { fine: [], remedy: 'Log in by a password.' },
    // Prisma's. A revision names the schemas of its tables, and public is where a name without a schema is looked up.
    schema: { fine: ['public'], remedy: 'Remove it, and name the schema in the revisions: app.orders.' },
  } satisfies Record<string, Rule>),
);

/** The parameters of the query. Throws ConfigurationError if there is one twice, or a NUL. */
export function readParameters(query: string, variable: string): ReadonlyMap<string, string> {
  // To libpq a plus sign is no space.
  const entries = [...new URLSearchParams(query.replaceAll('+', '%2B'))];
  const parameters = new Map(entries);
  for (const value of parameters.values()) withoutNul(value, variable);
  if (parameters.size === entries.length) return parameters;
  throw new BackstopError('ConfigurationError', {
    message: `${variable} has a parameter twice`,
    hint: 'Write each parameter once.',
  });
}

/**
 * @param query the part of the URL after the question mark
 * @param variable the source of the URL, which an error names
 * @throws ConfigurationError for a parameter that is not passed on; it never quotes a value
 */
export function requireSupported(
  parameters: ReadonlyMap<string, string>,
  query: string,
  variable: string,
): void {
  for (const [name, value] of parameters) {
    if (!UNDERSTOOD.includes(name)) requireFine(name, value, { variable, query });
  }
}

/** A NUL would end the text on its way to the server, and begin another setting. */
export function withoutNul(text: string, variable: string): string {
  if (!text.includes('\0')) return text;
  throw new BackstopError('ConfigurationError', {
    message: `${variable} contains a NUL character`,
    hint: 'Remove %00.',
  });
}

function requireFine(
  name: string,
  value: string,
  { variable, query }: { readonly variable: string; readonly query: string },
): void {
  const rule = RULES.get(name);
  if (!rule) throw unknown(name, { variable, query });
  if (rule.fine.includes('*') || rule.fine.includes(value.toLowerCase())) return;
  throw new BackstopError('ConfigurationError', {
    message:
      rule.fine.length === 0
        ? `${variable} has the parameter ${name}, which is not supported`
        : `${variable} has a value of the parameter ${name} that is not supported`,
    hint: rule.remedy,
  });
}

/** psql refuses it, too. A password that is not encoded may look like a parameter: it is not quoted. */
function unknown(
  name: string,
  { variable, query }: { readonly variable: string; readonly query: string },
): BackstopError {
  if (/^(require)?(ssl|tls)/i.test(name)) {
    return new BackstopError('ConfigurationError', {
      message: `${variable} has a parameter about TLS that is not supported`,
      hint: 'TLS is set by sslmode and sslrootcert: remove or correct every other parameter that speaks of it.',
    });
  }
  const isName = /^[a-z][a-z0-9_]{0,40}$/i.test(name) && !/[@/:]/.test(query);
  return new BackstopError('ConfigurationError', {
    message: `${variable} has ${isName ? `the parameter ${name}` : 'a parameter'}, which psql does not know`,
    hint: 'Remove it: give Backstop a URL that psql takes, with special characters of the password percent-encoded.',
  });
}

type Session = Pick<ConnectionSettings, 'options' | 'connectTimeoutMs' | 'server' | 'channelBinding'>;

/** The settings of the session; PGOPTIONS stands in for `options`. */
export function sessionOf(
  parameters: ReadonlyMap<string, string>,
  variable: string,
  { PGOPTIONS }: Readonly<Record<string, string | undefined>>,
): Session {
  const own = parameters.get('options');
  const options = own || PGOPTIONS;
  if (options) requirePassedOn(options, own ? `"options" of ${variable}` : 'PGOPTIONS');
  const timeout = parameters.get('connect_timeout');
  const server = SERVERS.get(parameters.get('target_session_attrs') || 'any');
  if (server === undefined) {
    throw new BackstopError('ConfigurationError', {
      message: `${variable} has a value of the parameter target_session_attrs that is not supported`,
      hint: 'Write any, read-write or primary: Backstop has nothing to do on a server that only reads.',
    });
  }
  return {
    ...(options && { options }),
    ...(timeout && { connectTimeoutMs: secondsOf(timeout, variable) * 1000 }),
    ...(server !== 'any' && { server }),
    ...(parameters.get('channel_binding') === 'require' && { channelBinding: true }),
  };
}

const SERVERS: ReadonlyMap<string, 'any' | NonNullable<Session['server']>> = new Map([
  ['any', 'any'],
  ['read-write', 'primary'],
  ['primary', 'primary'],
]);

/** As libpq has it: 0 and less wait without end. */
function secondsOf(text: string, variable: string): number {
  if (/^\s*-?\d{1,6}\s*$/.test(text)) return Math.max(0, Number(text));
  throw new BackstopError('ConfigurationError', {
    message: `${variable} has an invalid connect_timeout`,
    hint: 'Write a whole number of seconds.',
  });
}

/** Settings that each run sets again and again, beside those of the session. */
const SET_BY_RUNS = ['lock_timeout', 'statement_timeout', 'client_encoding', 'application_name'];

/**
 * Backstop sets some settings itself, so that a revision means the same wherever it runs: these would not be passed on.
 *
 * @param source what an error names
 */
function requirePassedOn(options: string, source: string): void {
  const own = [...PINNED, ...SET_BY_RUNS];
  for (const name of settingsIn(options)) {
    if (name === undefined) {
      throw new BackstopError('ConfigurationError', {
        message: `${source} has more than settings`,
        hint: 'Write each setting as -c name=value, with a backslash before a space of the value.',
      });
    }
    if (own.includes(name)) {
      throw new BackstopError('ConfigurationError', {
        message: `${source} sets ${name}, which Backstop sets itself`,
        hint: 'Remove it there. If a revision needs another value, begin the revision with SET LOCAL.',
      });
    }
  }
}

/** The names of the settings, in small letters; undefined for what is no setting. */
function settingsIn(options: string): (string | undefined)[] {
  // As the server splits them: a backslash takes the next character as it is.
  const words = [...options.matchAll(/(?:\\.|[^\\\s])+/gs)].map(([word]) => word.replace(/\\(.)/gs, '$1'));
  const names: (string | undefined)[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    const setting = word === '-c' ? words[++index] : /^(?:-c|--)(.*)$/s.exec(word)?.[1];
    const name = /^([\w.-]+)=/.exec(setting ?? '')?.[1];
    names.push(name?.replaceAll('-', '_').toLowerCase());
  }
  return names;
}
