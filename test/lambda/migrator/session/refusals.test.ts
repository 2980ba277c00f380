// Connections that the server refuses: each reason has its ending and its remedy, whatever the server's language.
import { randomBytes } from 'node:crypto';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../../../lambda/migrator/session/settings.ts';
import { makeDatabase, type TestDatabase, testServer } from '../../../setup/database.ts';
import { type NetworkProxy, startProxy } from '../../../setup/proxy.ts';
import { translated } from '../../../setup/translation.ts';

let database: TestDatabase;
let proxy: NetworkProxy;
const role = `Role ${randomBytes(5).toString('hex')}`;
const password = 'sesame-42';
const administrate = (sql: string) => database.asAdministrator(sql);

beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  proxy = await startProxy(database.settings, translated);
});
beforeEach(() => administrate(`CREATE ROLE "${role}" LOGIN PASSWORD '${password}'`));
afterEach(() => administrate(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`));
afterAll(async () => {
  await proxy.stop();
  await administrate(`ALTER DATABASE ${database.name} WITH ALLOW_CONNECTIONS true`).catch(() => {});
  await database.drop();
});

async function refusal(change: Partial<ConnectionSettings> = {}): Promise<unknown> {
  const settings = { ...proxy.settings, user: role, password, ...change };
  return connectorTo(settings)('test').then(
    (client) => client.end().then(() => 'it connected'),
    (error: unknown) => error,
  );
}

test.each<[when: string, given: string, ending: string, says: RegExp, remedy: RegExp, after: string]>([
  [
    'may not connect to the database',
    'REVOKE CONNECT ON DATABASE :database FROM PUBLIC',
    'PrivilegeMissing',
    /^User ".*" may not connect to the database/,
    /GRANT CONNECT ON DATABASE "\w+" TO "Role \w+";$/,
    'GRANT CONNECT ON DATABASE :database TO PUBLIC',
  ],
  [
    'has no connection left',
    'ALTER ROLE :role CONNECTION LIMIT 0',
    'DatabaseUnreachable',
    /has no connection left for user/,
    /pg_stat_activity/,
    '',
  ],
  [
    'may not log in',
    'ALTER ROLE :role NOLOGIN',
    'CredentialsRejected',
    /refused user/,
    /ALTER ROLE "Role \w+" LOGIN;/,
    '',
  ],
])('a user who %s', async (_when, given, name, says, remedy, after) => {
  const filled = (sql: string) =>
    sql.replace(':database', `"${database.name}"`).replace(':role', `"${role}"`);
  await administrate(filled(given));
  expect(await refusal()).toMatchObject({
    name,
    summary: expect.stringMatching(says),
    hint: expect.stringMatching(remedy),
  });
  if (after) await administrate(filled(after));
});

test('a database that accepts no connections does not end as a database that does not exist', async () => {
  const other = await makeDatabase('empty', { extension: false });
  await administrate(`ALTER DATABASE ${other.name} WITH ALLOW_CONNECTIONS false`);
  const error = await refusal({ database: other.name });
  await administrate(`ALTER DATABASE ${other.name} WITH ALLOW_CONNECTIONS true`);
  await other.drop();
  expect(error).toMatchObject({
    name: 'DatabaseUnreachable',
    summary: `The database "${other.name}" accepts no connections`,
    hint: expect.stringContaining('ALLOW_CONNECTIONS true'),
  });
  expect(await refusal({ database: 'nowhere' })).toMatchObject({ name: 'DatabaseNotFound' });
});

test.each([
  ['57P03', /is starting up, shutting down or recovering$/],
  ['53400', /refused the connection \(SQLSTATE 53400\)$/],
  ['53300', /has no connection left/],
  ['XX000', /refused the connection \(SQLSTATE XX000\)$/],
])('a server that answers %s was reached, and is not said to be unreachable', async (code, says) => {
  const body = Buffer.from(`SFATAL\0C${code}\0Motras palabras\0\0`);
  const header = Buffer.from('E\0\0\0\0');
  header.writeInt32BE(body.length + 4, 1);
  const busy = await startProxy(database.settings, () => ({ toClient: () => Buffer.concat([header, body]) }));
  const error = await refusal({ port: busy.settings.port });
  await busy.stop();
  expect(error).toMatchObject({ name: 'DatabaseUnreachable', summary: expect.stringMatching(says) });
});

describe('"options" of the URL', () => {
  test('are passed on: the session has the role that they name, and tables are its own', async () => {
    await administrate(`CREATE ROLE "owner of ${role}"; GRANT "owner of ${role}" TO "${role}"`);
    const options = `-c role=${`owner of ${role}`.replaceAll(' ', '\\ ')}`;
    const client = await connectorTo({ ...proxy.settings, user: role, password, options })('test');
    const { rows } = await client.query('SELECT current_user AS is');
    await client.end();
    await administrate(`DROP ROLE "owner of ${role}"`);
    expect(rows).toEqual([{ is: `owner of ${role}` }]);
  });

  test.each(['-c role=nobody_here', '-c no_such_setting=1', '-c work_mem=much', '-c role=postgres'])(
    '%s is refused by the server, and said to be theirs',
    async (options) => {
      expect(await refusal({ options })).toMatchObject({
        name: 'ConfigurationError',
        summary: expect.stringMatching(/refused a setting in "options" of the URL$/),
      });
    },
  );
});

test('a server on which a session only reads by default is written to: a session of Backstop can', async () => {
  const options = '-c default_transaction_read_only=on';
  expect(await refusal({ options, server: 'primary' })).toBe('it connected');
});

describe('channel_binding=require', () => {
  (testServer.tls === 'off' ? test.skip : test)('binds the login to the TLS connection', async () => {
    const { host, port, tls } = database.settings;
    expect(await refusal({ host, port, tls, channelBinding: true })).toBe('it connected');
  });

  test('is refused without TLS, before the password is used', async () => {
    expect(await refusal({ channelBinding: true, password: 'wrong' })).toMatchObject({
      name: 'ConfigurationError',
      summary: expect.stringMatching(/does not bind the login/),
    });
  });
});
