// Connections: the errors of a failed one, and the settings of every one.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../../../lambda/migrator/session/settings.ts';
import { certificateFiles, writeCertificate } from '../../../../lib/twin/server/certificate.ts';
import { makeDatabase, type TestDatabase, testServer } from '../../../setup/database.ts';
import { startProxy } from '../../../setup/proxy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty');
});
afterAll(() => database.drop());

async function failure(change: Partial<ConnectionSettings>): Promise<Error> {
  const settings = { ...database.settings, ...change };
  const error = await connectorTo(settings)('test').then(
    () => new Error('it connected'),
    (reason: Error) => reason,
  );
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(
    settings.password ?? database.settings.password,
  );
  return error;
}

function errorResponse(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + length.length);
  return Buffer.concat([Buffer.from('E'), length, fields]);
}

describe('a connection that cannot be had', () => {
  test.each<[what: string, change: Partial<ConnectionSettings>, name: string, summary: RegExp]>([
    ['a wrong password', { password: 'sesame-42' }, 'CredentialsRejected', /refused user "\w+"$/],
    [
      'no password',
      { password: undefined },
      'CredentialsRejected',
      /asks for the password of user "\w+", and/,
    ],
    ['an unknown user', { user: 'nobody_here' }, 'CredentialsRejected', /refused user "nobody_here"$/],
    ['an unknown database', { database: 'nowhere' }, 'DatabaseNotFound', /has no database "nowhere"$/],
    [
      'an unknown host',
      { host: 'no-such-host.invalid' },
      'DatabaseUnreachable',
      /^The server at no-such-host\.invalid:\d+ could not be reached$/,
    ],
  ])('because of %s says so, and never the password', async (_what, change, name, summary) => {
    expect(await failure(change)).toMatchObject({
      name,
      summary: expect.stringMatching(summary),
      detail: expect.stringMatching(/\w/),
      hint: expect.stringMatching(/\w/),
    });
  });

  test('because the server takes none without TLS says so', async () => {
    const strict = await startProxy(database.settings, () => ({
      // As RDS answers: an ErrorResponse with its severity, SQLSTATE and message.
      toClient: () => errorResponse('28000', 'no pg_hba.conf entry for host "10.0.0.1", no encryption'),
    }));
    const error = await failure(strict.settings);
    await strict.stop();
    expect(error).toMatchObject({
      name: 'ConfigurationError',
      summary: expect.stringMatching(/refused a connection without TLS$/),
      hint: expect.stringContaining('sslmode=verify-full'),
    });
  });

  test('because of a closed port says so, and never the password', async () => {
    const proxy = await startProxy(database.settings);
    await proxy.stop();
    expect(await failure({ port: proxy.settings.port })).toMatchObject({
      name: 'DatabaseUnreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('because the server hangs up says so', async () => {
    const proxy = await startProxy(database.settings, ({ cut }) => ({
      toClient() {
        cut();
        return undefined;
      },
    }));
    expect(await failure(proxy.settings)).toMatchObject({ name: 'DatabaseUnreachable' });
    await proxy.stop();
  });
});

// A server that is given may have no TLS.
(testServer.tls === 'off' ? describe.skip : describe)('TLS', () => {
  const UNVERIFIED = {
    name: 'ConfigurationError',
    summary: expect.stringMatching(/could not be verified$/),
    hint: expect.stringMatching(/"caBundle".*sslrootcert/),
  };

  test('is used', async () => {
    expect(await database.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([
      { ssl: true },
    ]);
  });

  test('with another authority is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
    await writeCertificate(join(folder, 'tls'));
    const ca = readFileSync(certificateFiles(join(folder, 'tls')).certificate, 'utf8');
    rmSync(folder, { recursive: true });
    expect(await failure({ tls: { mode: 'verify-full', ca } })).toMatchObject(UNVERIFIED);
  });

  test('by a name that is not in the certificate is refused', async () => {
    expect(await failure({ host: '127.1' })).toMatchObject({
      ...UNVERIFIED,
      detail: expect.stringContaining('127.1'),
    });
  });

  test('is not given up because the certificate is not trusted', async () => {
    expect(await failure({ tls: { mode: 'verify-full' } })).toMatchObject(UNVERIFIED);
  });
});

test("neither a role's nor a database's own settings change what a revision means", async () => {
  const { user } = database.settings;
  await database.asAdministrator(`
    ALTER ROLE ${user} IN DATABASE ${database.name} SET search_path = 'elsewhere';
    ALTER DATABASE ${database.name} SET row_security = on;
    ALTER DATABASE ${database.name} SET idle_in_transaction_session_timeout = 0;`);
  const [settings] = await database.query(`
    SELECT current_setting('search_path') AS path, current_setting('row_security') AS security,
           current_setting('idle_in_transaction_session_timeout') AS idle,
           current_setting('client_connection_check_interval') AS check, current_setting('application_name') AS name`);
  expect(settings).toEqual({ path: 'public', security: 'off', idle: '1min', check: '1s', name: 'test' });
});

test('a connection that is lost between queries fails the next query, not the process', async () => {
  const client = await database.connect('test');
  await database.asAdministrator(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = '${database.name}' AND application_name = 'test'`,
  );
  await expect(client.query('SELECT 1')).rejects.toThrow();
  await client.end();
});
