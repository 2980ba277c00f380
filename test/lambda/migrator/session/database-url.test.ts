// Database URLs: everything that people write, read as libpq reads it, and refused without a word of the password.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { BackstopError } from '../../../../lambda/migrator/model/errors.ts';
import {
  type Environment,
  parseDatabaseUrl,
  readDatabaseUrl,
} from '../../../../lambda/migrator/session/database-url.ts';

const read = (url: string, environment: Environment = {}) =>
  readDatabaseUrl(url, 'DATABASE_URL', environment);
const tlsOf = (url: string, environment: Environment = {}) => read(url, environment).tls;

const APP = { host: 'db', port: 5432, user: 'me', password: 'secret', database: 'app' };

describe('the parts of a URL are read', () => {
  test.each<[url: string, expected: object]>([
    ['postgresql://me:secret@db:5433/app', { ...APP, port: 5433 }],
    ['postgres://me:secret@db/app', APP],
    ['PostgreSQL://me:secret@db/app', APP],
    ['postgresql+asyncpg://me:secret@db/app', APP],
    ['postgres+psycopg2://me:secret@db/app', APP],
    ['  postgresql://me:secret@db/app\n', APP],
    ['postgresql://me:p%40ss%25@db/app', { ...APP, password: 'p@ss%' }],
    ['postgresql://me:p@ss:word@db/app', { ...APP, password: 'p@ss:word' }],
    ['postgresql://me:100%@db/app', { ...APP, password: '100%' }],
    ['postgresql://me:5%25%zz%@db/app', { ...APP, password: '5%%zz%' }],
    ['postgresql://me:50%ff@db/app', { ...APP, password: '50%ff' }],
    ['postgresql://me:a+b@db/app', { ...APP, password: 'a+b' }],
    ['postgresql://me%40tenant:secret@db/app', { ...APP, user: 'me@tenant' }],
    ['postgresql://me:secret@[::1]:5433/app', { ...APP, host: '::1', port: 5433 }],
    ['postgresql://me:secret@[fe80::1%25eth0]/app', { ...APP, host: 'fe80::1%eth0' }],
    ['postgresql://me:secret@/app?host=/var/run/postgresql', { ...APP, host: '/var/run/postgresql' }],
    ['postgresql://me:secret@%2Fvar%2Frun%2Fpostgresql/app', { ...APP, host: '/var/run/postgresql' }],
    ['postgresql:///app?host=db&user=me&password=se+cret', { ...APP, password: 'se+cret' }],
    ['postgresql://db?dbname=app&user=me&password=secret&port=5433', { ...APP, port: 5433 }],
    [
      'postgresql://me:secret@db/app?connect_timeout=3&channel_binding=require&target_session_attrs=read-write',
      { ...APP, connectTimeoutMs: 3_000, channelBinding: true, server: 'primary' },
    ],
    ['postgresql://me:secret@db/app?options=-c%20role%3Dapp_owner', { ...APP, options: '-c role=app_owner' }],
    // These mean what Backstop does without them.
    [
      'postgresql://me:secret@db/app?target_session_attrs=any&gssencmode=prefer&client_encoding=UTF8&sslcompression=0',
      APP,
    ],
  ])('%s', (url, expected) => {
    expect(read(url)).toMatchObject(expected);
  });

  test('whatever user, password, host, port and database are', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !value.includes('\0'));
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    const settings = fc.record({
      user: text,
      password: text,
      host,
      port: fc.integer({ min: 1, max: 65_535 }),
      database: text,
    });
    fc.assert(
      fc.property(
        settings,
        fc.constantFrom('postgres', 'postgresql', 'postgresql+asyncpg'),
        (expected, scheme) => {
          const [user, password, database] = [expected.user, expected.password, expected.database].map(
            encodeURIComponent,
          );
          const place = expected.host.includes(':') ? `[${expected.host}]` : expected.host;
          expect(read(`${scheme}://${user}:${password}@${place}:${expected.port}/${database}`)).toMatchObject(
            expected,
          );
          const inQuery = `user=${user}&password=${password}&host=${expected.host}&port=${expected.port}`;
          expect(read(`${scheme}:///${database}?${inQuery}`)).toMatchObject(expected);
        },
      ),
    );
  });
});

describe('missing parts are found as libpq finds them', () => {
  test('in the environment', () => {
    const environment = { PGUSER: 'me', PGHOST: 'db', PGPORT: '5433' };
    expect(read('postgresql:///app', environment)).toMatchObject({ host: 'db', port: 5433, user: 'me' });
    expect(read('postgresql://you@here:1/app', environment)).toMatchObject({
      host: 'here',
      port: 1,
      user: 'you',
    });
  });

  test('or on this machine, with the user of the system', () => {
    expect(read('postgresql://localhost/codebase_mcp')).toEqual({
      host: 'localhost',
      port: 5432,
      user: userInfo().username,
      // For node-postgres, which knows PGPASSWORD and ~/.pgpass.
      password: undefined,
      database: 'codebase_mcp',
      tls: { mode: 'off', caFile: undefined },
    });
  });

  test('but not the database', () => {
    expect(() => read('postgresql://localhost', { PGDATABASE: 'other' })).toThrow('names no database');
  });
});

describe('TLS', () => {
  test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.8.8', '[::1]', '%2Fvar%2Frun%2Fpostgresql'])(
    'is off at %s, because this machine needs no TLS to itself',
    (host) => {
      for (const how of ['', '?sslmode=prefer', '?sslmode=allow', '?sslmode=disable']) {
        expect(tlsOf(`postgresql://${host}/app${how}`).mode).toBe('off');
      }
    },
  );

  test.each(['db', 'localhost.example.org', '127.example.org', '10.0.0.1', '[::2]'])(
    'is verified at %s, unless the URL says disable',
    (host) => {
      for (const how of ['', '?sslmode=prefer', '?sslmode=allow']) {
        expect(tlsOf(`postgresql://${host}/app${how}`).mode).toBe('verify-full');
      }
    },
  );

  test.each([
    'sslmode=require',
    'sslmode=verify-ca',
    'sslmode=verify-full',
    'ssl=true',
    'ssl=True',
    'ssl=require',
    'ssl=true&sslmode=require',
    'sslrootcert=/etc/ca.pem',
  ])('is verified everywhere with %s', (how) => {
    expect(tlsOf(`postgresql://db/app?${how}`).mode).toBe('verify-full');
    expect(tlsOf(`postgresql://localhost/app?${how}`).mode).toBe('verify-full');
  });

  test.each(['sslmode=disable', 'ssl=false', 'ssl=disable'])('is off everywhere with %s', (how) => {
    expect(tlsOf(`postgresql://db/app?${how}`).mode).toBe('off');
  });

  test('follows the environment if the URL says nothing', () => {
    const environment = { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: '/etc/env.pem' };
    expect(tlsOf('postgresql://localhost/app', environment)).toEqual({
      mode: 'verify-full',
      caFile: '/etc/env.pem',
    });
    expect(tlsOf('postgresql://db/app?sslmode=disable', environment).mode).toBe('off');
    expect(tlsOf('postgresql://db/app?sslrootcert=/etc/url.pem', environment).caFile).toBe('/etc/url.pem');
  });

  test('trusts the authorities of the system if the URL names no others', () => {
    expect(tlsOf('postgresql://db/app?sslmode=require').caFile).toBeUndefined();
    expect(tlsOf('postgresql://db/app?sslmode=require&sslrootcert=system').caFile).toBeUndefined();
  });

  describe('with a file of authorities', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'backstop test+'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    const parse = (file: string) =>
      parseDatabaseUrl(`postgresql://me:secret@db/app?sslrootcert=${encodeURIComponent(file)}`, '--url', {});

    test('holds what is in it', () => {
      const pem = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';
      writeFileSync(join(folder, 'ca.pem'), pem);
      expect(parse(join(folder, 'ca.pem'))).toEqual({ ...APP, tls: { mode: 'verify-full', ca: pem } });
    });

    test('says what is wrong with it', () => {
      writeFileSync(join(folder, 'ca.txt'), 'no certificate');
      const about = {
        name: 'ConfigurationError',
        summary: 'The certificate authority of --url cannot be read',
      };
      const hint = expect.stringContaining('sslrootcert');
      expect(errorOf(() => parse(join(folder, 'none.pem')))).toMatchObject({
        ...about,
        hint,
        detail: expect.stringContaining('ENOENT'),
      });
      expect(errorOf(() => parse(join(folder, 'ca.txt')))).toMatchObject({
        ...about,
        hint,
        detail: expect.stringContaining('ca.txt holds no certificate'),
      });
    });
  });
});

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('It was not refused');
}

describe('is refused, without a word of the password', () => {
  test.each<[url: string, summary: RegExp]>([
    ['', /is not the URL of a PostgreSQL database$/],
    ['mysql://me:sesame@db/app', /is not the URL/],
    ['me:sesame@db/app', /is not the URL/],
    ['postgresql:me:sesame@db/app', /is not the URL/],
    // Characters that a password must escape: its start must not be taken for a host, a port or a database.
    ['postgresql://me:ses/ame@db/app', /is not the URL/],
    ['postgresql://me:12/sesame@db/app', /is not the URL/],
    ['postgresql://me:12?sesame@db/app', /names no database$/],
    ['postgresql://me:12#sesame@db/app', /is not the URL/],
    ['postgresql://me:sesame@db/app#1', /is not the URL/],
    ['postgresql://me:sesame@db', /names no database$/],
    ['postgresql://me:sesame@db/', /names no database$/],
    ['postgresql://me:sesame@db:x/app', /is not the URL/],
    ['postgresql://me:sesame@db:0/app', /has an invalid port$/],
    ['postgresql://me:sesame@db:65536/app', /has an invalid port$/],
    ['postgresql://me:sesame@/app?port=five', /has an invalid port$/],
    ['postgresql://me:sesame@/app?host=a,b', /names several hosts$/],
    ['postgresql://me:sesame@/app?host=a&host=b', /has a parameter twice$/],
    ['postgresql://me:sesame@db/app?hostaddr=10.0.0.1', /parameter hostaddr, which is not supported$/],
    ['postgresql://me:sesame@db/app?service=other', /parameter service, which is not supported$/],
    ['postgresql://me:sesame@db/app%00options', /contains a NUL character$/],
    ['postgresql://me:sesame@db/app?sslmode=no-verify', /asks for TLS in a way that there is none$/],
    ['postgresql://me:sesame@db/app?sslmode=constructor', /asks for TLS in a way that there is none$/],
    ['postgresql://me:sesame@db/app?ssl=maybe', /asks for TLS in a way that there is none$/],
    ['postgresql://me:sesame@db/app?sslmode=disable&ssl=true', /contradicts itself about TLS$/],
    ['postgresql://me:sesame@db/app?sslMode=require', /has a parameter about TLS that is not supported$/],
    ['postgresql://me:sesame@db/app?sslcert=me.pem&sslkey=me.key', /parameter sslcert, which is not/],
    ['postgresql://me:sesame@db/app?requiressl=1', /parameter requiressl, which is not supported$/],
    ['postgresql://me:12@db/app?connection_limit=5', /parameter connection_limit, which psql does not know$/],
    // It may be a part of the password.
    ['postgresql://me:12?sesame=1@db/app', /names no database$|a parameter, which psql does not know$/],
    ['postgresql://me:x@db/app?target_session_attrs=standby', /parameter target_session_attrs that is not/],
    ['postgresql://me:x@db/app?connect_timeout=soon', /has an invalid connect_timeout$/],
  ])('%s', (url, summary) => {
    const error = errorOf(() => read(url));
    expect(error).toMatchObject({
      name: 'ConfigurationError',
      summary: expect.stringMatching(summary),
      hint: expect.stringMatching(/\.$/),
    });
    expect(error).toMatchObject({ summary: expect.stringMatching(/^DATABASE_URL /) });
    expect(inspect(error, { depth: 9 })).not.toMatch(/sesame/);
  });

  test('an environment that says nothing readable, by its own name', () => {
    const refusal = (environment: Environment) => errorOf(() => read('postgresql://db/app', environment));
    expect(refusal({ PGSSLMODE: 'no-verify' })).toMatchObject({
      summary: expect.stringMatching(/^PGSSLMODE /),
    });
    expect(refusal({ PGPORT: 'x' })).toMatchObject({ hint: expect.stringContaining('PGPORT') });
  });

  test('whatever the text around it', () => {
    const password = 'sesame-42';
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'postgresql://',
        'me',
        ':',
        '@',
        '/',
        '?',
        '#',
        '&',
        '=',
        '%',
        '%00',
        '[',
        ']',
        'db',
        '5432',
      ),
      fc.constantFrom(
        'sslmode',
        'ssl',
        'host',
        'port',
        'require',
        'no-verify',
        'service',
        'dbname',
        password,
      ),
    );
    const url = fc.oneof(
      fc.array(piece).map((pieces) => pieces.join('')),
      fc.array(piece).map((pieces) => `postgresql://${pieces.join('')}`),
      fc.array(piece).map((pieces) => `postgresql://me:${password}@${pieces.join('')}`),
      fc.array(piece).map((pieces) => `postgresql://me:${password}@db/app?${pieces.join('')}`),
    );
    fc.assert(
      fc.property(url, (text) => {
        try {
          read(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ConfigurationError' });
          expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(password);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** All parameters of libpq 18, as its manual lists them. */
const LIBPQ = `
  host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding options
  application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count
  tcp_user_timeout replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey sslkeylogfile
  sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version
  ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation scram_client_key
  scram_server_key service servicefile target_session_attrs load_balance_hosts oauth_issuer oauth_client_id
  oauth_client_secret oauth_scope`
  .trim()
  .split(/\s+/);

test.each(LIBPQ)(
  'the parameter %s is passed on, or refused by its name, and no value of it is dropped',
  (name) => {
    // To another machine, requiring TLS would change nothing.
    const without = read('postgresql://me@localhost/app');
    const outcome = (value: string) => {
      try {
        return read(`postgresql://me@localhost/app?${name}=${value}`);
      } catch (error) {
        return error as BackstopError;
      }
    };
    for (const value of ['7', '-c%20role=x', 'require', 'never-heard-of', '/etc/x.pem']) {
      const result = outcome(value);
      if (result instanceof BackstopError) {
        expect(result).toMatchObject({ name: 'ConfigurationError', hint: expect.stringMatching(/\w/) });
        expect(result.summary).toMatch(new RegExp(`\\b${name}\\b|port|TLS|"options"`));
      } else if (name !== 'fallback_application_name') {
        expect(result).not.toEqual(without);
      }
    }
  },
);

describe('"options" of the URL', () => {
  const optionsOf = (options: string) =>
    read(`postgresql://me@db/app?options=${encodeURIComponent(options)}`).options;

  test.each(['-c role=app', '-crole=app', '--role=app', '-c role=app -c work_mem=64MB', '-c a.b=a\\ b'])(
    '%s is passed on unchanged',
    (options) => {
      expect(optionsOf(options)).toBe(options);
    },
  );

  test.each([
    '-c search_path=app',
    '--search-path=app',
    '-csearch_path=app',
    '-c role=app -c SEARCH_PATH=app',
    '-c statement_timeout=1s',
    '-c row_security=on',
  ])('%s is refused, because Backstop sets it itself', (options) => {
    expect(errorOf(() => optionsOf(options))).toMatchObject({
      name: 'ConfigurationError',
      summary: expect.stringMatching(/which Backstop sets itself$/),
    });
  });

  test.each(['-d 5', '-c', 'role=app', '-c role'])('%s is refused, because it is no setting', (options) => {
    expect(errorOf(() => optionsOf(options))).toMatchObject({
      name: 'ConfigurationError',
      summary: expect.stringMatching(/has more than settings$/),
    });
  });

  test('count before PGOPTIONS', () => {
    const environment = { PGOPTIONS: '-c role=other' };
    expect(read('postgresql://me@db/app', environment).options).toBe('-c role=other');
    expect(read('postgresql://me@db/app?options=-c%20role=app', environment).options).toBe('-c role=app');
  });
});
