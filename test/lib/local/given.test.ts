// A given server: the URL in all its spellings, and a guest that drops nothing but its own.
import { withClient } from '../../../lib/local/server/client.ts';
import { startServer } from '../../../lib/local/server/index.ts';
import type { LocalServer } from '../../../lib/local/server/server.ts';
import { parseDatabaseUrl } from '../../../lib/local/server/url.ts';

describe('DATABASE_URL', () => {
  test.each([
    [
      'postgresql://me:secret@db:5433/app',
      { host: 'db', port: 5433, user: 'me', password: 'secret', database: 'app' },
    ],
    [
      'postgres://me:secret@db/app',
      { host: 'db', port: 5432, user: 'me', password: 'secret', database: 'app' },
    ],
    [
      'postgresql+asyncpg://me:secret@db/app',
      { host: 'db', port: 5432, user: 'me', password: 'secret', database: 'app' },
    ],
    [
      'postgresql://me:p%40ss%25@db/app',
      { host: 'db', port: 5432, user: 'me', password: 'p@ss%', database: 'app' },
    ],
    [
      'postgresql://me:100%@[::1]/app',
      { host: '::1', port: 5432, user: 'me', password: '100%', database: 'app' },
    ],
    [
      'postgresql://me@db/app?sslmode=disable',
      { host: 'db', port: 5432, user: 'me', password: '', database: 'app' },
    ],
  ])('%s is read', (url, expected) => {
    expect(parseDatabaseUrl(url)).toEqual({ ...expected, tls: 'off' });
  });

  test('TLS is verified where it is asked for', () => {
    const url = 'postgresql://me:secret@db/app?sslmode=verify-full&sslrootcert=/etc/ca.pem';
    expect(parseDatabaseUrl(url).tls).toEqual({ caFile: '/etc/ca.pem' });
  });

  test.each([
    ['mysql://me:secret@db/app', 'DATABASE_URL is not the URL of a PostgreSQL database.'],
    ['postgresql://me:sec/ret@db/app', 'DATABASE_URL is not the URL of a PostgreSQL database.'],
    ['postgresql://:secret@db/app', 'DATABASE_URL names no user.'],
    ['postgresql://me:secret@db', 'DATABASE_URL names no database.'],
    ['postgresql://me:secret@/app', 'DATABASE_URL is not the URL of a PostgreSQL database.'],
    [
      'postgresql://me:secret@db/app?sslmode=require',
      'DATABASE_URL says sslmode=require, but not which authority to trust.',
    ],
  ])('%s is refused without showing the password', (url, summary) => {
    expect.assertions(2);
    try {
      parseDatabaseUrl(url);
    } catch (error) {
      expect(error).toMatchObject({ name: 'ConfigurationError', summary });
      expect(String(error)).not.toMatch(/sec|ret/);
    }
  });
});

describe('a given server', () => {
  let host: LocalServer;
  let given: LocalServer;
  const urlOf = (user: string, password: string, database: string) =>
    `postgresql://${user}:${password}@localhost:${host.port}/${database}?sslmode=verify-full&sslrootcert=${host.tls !== 'off' && host.tls.caFile}`;
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
    given = await startServer(urlOf('admin', 'secret', 'theirs'));
  });
  afterAll(() => host.stop());

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
    ['CredentialsRejected', () => urlOf('admin', 'wrong', 'theirs')],
    ['DatabaseNotFound', () => urlOf('admin', 'secret', 'nowhere')],
    ['ConfigurationError', () => urlOf('plain', 'secret', 'theirs')],
    ['DatabaseUnreachable', () => 'postgresql://admin:secret@localhost:1/theirs'],
  ])('that cannot be used ends in %s', async (name, url) => {
    await expect(startServer(url())).rejects.toMatchObject({ name });
  });
});
