// A given server: a guest that drops nothing but its own.
import { withClient } from '../../../lib/twin/server/client.ts';
import type { LocalServer } from '../../../lib/twin/server/server.ts';
import { startServer } from '../../../lib/twin/server.ts';
import { urlOf } from '../../setup/url.ts';

describe('a given server', () => {
  let host: LocalServer;
  let given: LocalServer;
  const as = (user: string, password: string, database: string) =>
    urlOf({ ...host, user, password }, database);
  const databases = async () =>
    (
      await withClient(host, 'postgres', (client) =>
        client.query('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1'),
      )
    ).rows.map(({ datname }) => datname);

  beforeAll(async () => {
    host = await startServer(undefined);
    await host.createDatabase('theirs');
    await withClient(host, 'postgres', (client) =>
      client.query(
        `CREATE ROLE plain LOGIN PASSWORD 'secret'; CREATE ROLE admin LOGIN CREATEDB CREATEROLE PASSWORD 'secret'`,
      ),
    );
    given = await startServer(as('admin', 'secret', 'theirs'));
  });
  afterAll(() => host.stop());

  test('speaks TLS if the URL asks for it; otherwise not on this machine', async () => {
    expect(given.tls).toEqual(host.tls);
    const plain = await startServer(as('admin', 'secret', 'theirs').replace(/\?.*/, ''));
    expect(plain.tls).toBe('off');
  });

  test('gives a snapshot that keeps what the database held, and restores beside it', async () => {
    await given.createDatabase('ours');
    await withClient(given, 'ours', (client) => client.query('CREATE TABLE t AS SELECT 1 AS n'));
    const snapshot = await given.takeSnapshot('ours');
    await withClient(given, 'ours', (client) => client.query('UPDATE t SET n = 2'));

    const restored = await snapshot.restore();
    const rows = await withClient(restored, restored.database, (client) => client.query('SELECT n FROM t'));
    expect(rows.rows).toEqual([{ n: 1 }]);

    await restored.stop();
    await snapshot.delete();
    expect(await databases()).toEqual(['ours', 'postgres', 'theirs']);
  });

  test('does not drop a database that it did not make', async () => {
    await expect(given.dropDatabase('theirs')).rejects.toThrow('Database theirs was not made here');
  });

  test('does not take over a database that is there already', async () => {
    await expect(given.createDatabase('theirs')).rejects.toMatchObject({ code: '42P04' });
    await expect(given.dropDatabase('theirs')).rejects.toThrow('was not made here');
  });

  test('waits for the sessions of others instead of ending them', async () => {
    await given.createDatabase('in_use');
    await withClient(given, 'in_use', async (client) => {
      const snapshot = given.takeSnapshot('in_use');
      await client.query('SELECT pg_sleep(0.5)');
      await client.end();
      await expect(snapshot).resolves.toBeDefined();
    });
  });

  test('is left as it was found', async () => {
    await given.stop();
    expect(await databases()).toEqual(['postgres', 'theirs']);
  });

  test.each([
    ['CredentialsRejected', () => as('admin', 'wrong', 'theirs')],
    ['DatabaseNotFound', () => as('admin', 'secret', 'nowhere')],
    ['ConfigurationError', () => as('plain', 'secret', 'theirs')],
    ['DatabaseUnreachable', () => 'postgresql://admin:secret@localhost:1/theirs'],
  ])('that cannot be used ends in %s', async (name, url) => {
    await expect(startServer(url())).rejects.toMatchObject({ name });
  });
});
