// The embedded server: verified TLS, backups that hold together under load, and no trace when it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { withClient } from '../../../lib/twin/server/client.ts';
import type { LocalServer, ServerAddress } from '../../../lib/twin/server/server.ts';
import { startServer } from '../../../lib/twin/server.ts';

let server: LocalServer;
beforeAll(async () => {
  server = await startServer(undefined);
});
afterAll(() => server.stop());

const query = async (at: ServerAddress, database: string, sql: string) =>
  (await withClient(at, database, (client) => client.query(sql))).rows;

const trusted = (at: ServerAddress) => (at.tls === 'off' ? '' : (at.tls.caFile ?? ''));

test('the session of a verifying client is encrypted', async () => {
  const [session] = await query(
    server,
    'postgres',
    'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  expect(session).toEqual({ ssl: true });
});

test('a client that does not trust the certificate is refused by its own check', async () => {
  const { host, port, user, password } = server;
  const client = new Client({ host, port, user, password, database: 'postgres', ssl: true });
  await expect(client.connect()).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

test('a wrong password is refused', async () => {
  await expect(query({ ...server, password: 'wrong' }, 'postgres', 'SELECT 1')).rejects.toMatchObject({
    code: '28P01',
  });
});

test('a database is made as a copy of another, and dropped with sessions on it', async () => {
  await server.createDatabase('original');
  await query(server, 'original', 'CREATE TABLE t AS SELECT 7 AS n');
  await server.createDatabase('copy', 'original');
  await withClient(server, 'copy', async (client) => {
    expect((await client.query('SELECT n FROM t')).rows).toEqual([{ n: 7 }]);
    await server.dropDatabase('copy');
  });
  await expect(query(server, 'copy', 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
});

describe('the stand-in for pgvector', () => {
  test('can be created by the plain owner of a database, and columns read vector(768)', async () => {
    await server.createDatabase('vectors');
    await query(
      server,
      'postgres',
      `CREATE ROLE owner LOGIN PASSWORD 'owner'; ALTER DATABASE vectors OWNER TO owner`,
    );
    const owner = { ...server, user: 'owner', password: 'owner' };
    await query(owner, 'vectors', 'CREATE EXTENSION vector');
    await query(owner, 'vectors', 'CREATE SCHEMA s; CREATE TABLE s.t (v vector(768))');
    await query(owner, 'vectors', `INSERT INTO s.t VALUES ('[1,2.5]')`);
    const columns = await query(
      owner,
      'vectors',
      `SELECT format_type(atttypid, atttypmod) AS type, (SELECT v::text FROM s.t) AS value
       FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attnum = 1`,
    );
    expect(columns).toEqual([{ type: 'vector(768)', value: '[1,2.5]' }]);
  });
});

test('a restored server is trusted by the same file, and can be written to and stopped alone', async () => {
  await server.createDatabase('quiet');
  const snapshot = await server.takeSnapshot('quiet');
  const restored = await snapshot.restore();
  await query({ ...restored, tls: server.tls }, 'quiet', 'CREATE TABLE only_here ()');
  await restored.stop();
  expect(await query(server, 'quiet', `SELECT to_regclass('only_here') AS t`)).toEqual([{ t: null }]);
});

describe('a snapshot taken while the server is written to', () => {
  test('restores to a second server that holds together, as of the backup', async () => {
    await server.createDatabase('busy');
    // Each transaction writes the same number to both tables: a torn copy would show in the difference.
    await query(
      server,
      'busy',
      `CREATE TABLE a (n int PRIMARY KEY, filler text); CREATE TABLE b (LIKE a INCLUDING ALL);
       INSERT INTO a SELECT -i, repeat('x', 1000) FROM generate_series(1, 5000) i`,
    );
    let writing = true;
    let written = 0;
    const writer = withClient(server, 'busy', async (client) => {
      while (writing) {
        written += 1;
        await client.query(
          `BEGIN; INSERT INTO a VALUES (${written}, repeat('a', 1000)); INSERT INTO b VALUES (${written}, 'b');
           UPDATE a SET filler = filler || n WHERE n < 0 AND n % 500 = -${written % 500}; COMMIT`,
        );
        if (written % 25 === 0) {
          await client.query(
            'CREATE TABLE passing AS SELECT * FROM a LIMIT 500; DROP TABLE passing; CHECKPOINT',
          );
        }
        if (written % 100 === 0) await client.query('SELECT pg_switch_wal()');
      }
    });
    await sleep(200);

    const before = written;
    const progress: [done: number, total: number][] = [];
    const snapshot = await server.takeSnapshot('busy', (done, total) => progress.push([done, total]));
    const after = written;
    await sleep(200);
    writing = false;
    await writer;
    expect(written).toBeGreaterThan(after);
    expect(after).toBeGreaterThan(before + 20);

    const restored = await snapshot.restore();
    try {
      const [found] = await query(
        restored,
        restored.database,
        `SELECT (SELECT max(n) FROM a) AS last, (SELECT count(*)::int FROM a WHERE n < 0) AS filled,
                (SELECT count(*)::int FROM a FULL JOIN b USING (n) WHERE n > 0 AND (a IS NULL OR b IS NULL)) AS torn,
                (SELECT count(*)::int FROM a WHERE n > 0) AS rows, to_regclass('passing')::text AS passing`,
      );
      expect(found).toEqual({ last: found.rows, filled: 5_000, torn: 0, rows: found.last, passing: null });
      expect(found.last).toBeGreaterThan(before);
      expect(found.last).toBeLessThanOrEqual(after + 1);
      const indexed = await withClient(restored, restored.database, async (client) => {
        await client.query('SET enable_seqscan = off');
        return client.query('SELECT count(*)::int AS rows FROM a WHERE n > -30000');
      });
      // Every row is reached through the index as well.
      expect(indexed.rows).toEqual([{ rows: 5_000 + found.rows }]);
    } finally {
      await restored.stop();
    }
    expect(progress.at(-1)).toEqual([progress.at(-1)?.[1], progress.at(-1)?.[1]]);
    await snapshot.delete();
  });
});

test('a stopped server leaves no file', async () => {
  const short = await startServer(undefined);
  const home = dirname(dirname(trusted(short)));
  expect(existsSync(home)).toBe(true);
  await short.stop();
  expect(existsSync(home)).toBe(false);
});

test.each([['SIGINT', 'SIGTERM', 'SIGKILL'] as const])(
  'a process that gets %s, %s or %s leaves neither server nor files',
  async (...signals) => {
    await Promise.all(signals.map(endsWithItsProcess));
  },
);

async function endsWithItsProcess(signal: NodeJS.Signals): Promise<void> {
  const module = join(import.meta.dirname, '../../../lib/twin/server.ts');
  const script = `
    const { startServer } = await import(${JSON.stringify(module)});
    const { port, tls } = await startServer(undefined);
    console.log(JSON.stringify({ port, caFile: tls.caFile }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const { port, caFile } = JSON.parse(String(line));
  child.kill(signal);
  await once(child, 'exit');
  const home = dirname(dirname(caFile));
  for (let i = 0; existsSync(home) && i < 100; i++) await sleep(50);
  expect(existsSync(home)).toBe(false);
  await expect(query({ ...server, port, tls: 'off' }, 'postgres', 'SELECT 1')).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
}
