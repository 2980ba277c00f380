// Connection pools: in transaction mode they are refused, and in session mode they get their sessions back as they were.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../../../lambda/migrator/session/settings.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { type Pooler, type PoolerOptions, startPooler } from '../../../setup/pooler.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
let pooler: Pooler;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => pooler.stop());
afterAll(() => database.drop());

const chain = databaseOf({
  id: '001',
  upgrade: [
    `CREATE TABLE one ();
     SET work_mem = '5MB'; SET application_name = 'mine'; SELECT pg_advisory_lock(7);
     PREPARE question AS SELECT 1; LISTEN news; CREATE TEMPORARY TABLE scratch ();`,
  ],
  downgrade: ['DROP TABLE one;'],
});
const options = () => migratorOn({ connect: connectorTo(pooler.settings) }, { database: chain });

/** A client of the pool that has nothing to do with Backstop. */
async function asStranger<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, user, password, database: name } = pooler.settings;
  const client = new pg.Client({ host, port, user, password, database: name });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Others that use the pool all the time; returns their end. */
function crowd(clients: number, ms: number): () => Promise<void> {
  let isOver = false;
  const all = Array.from({ length: clients }, () =>
    asStranger(async (client) => {
      while (!isOver) {
        await client.query(`SELECT pg_sleep(${ms / 1000})`);
        await sleep(ms);
      }
    }),
  );
  return async () => {
    isOver = true;
    await Promise.all(all);
  };
}

const NOT_KEPT = { name: 'SessionNotKept', hint: expect.stringMatching(/session mode/) };
const SHARED = (['transaction', 'statement'] as const).flatMap((mode) =>
  [1, 2, 5].flatMap((size) => (['last', 'in turn'] as const).map((order) => ({ mode, size, order }))),
);

describe.each<PoolerOptions>(SHARED)('a pooler in $mode mode with $size sessions, $order', (how) => {
  test('is refused before any lock, setting or prepared statement', async () => {
    pooler = await startPooler(database.settings, how);
    // There are as many sessions as there may be.
    await Promise.all(
      Array.from({ length: how.size }, () => asStranger((c) => c.query('SELECT pg_sleep(0.05)'))),
    );
    await expect(upgrade(options(), 'head')).rejects.toMatchObject(NOT_KEPT);
    await expect(plan(options(), 'upgrade', 'head')).rejects.toMatchObject(NOT_KEPT);
    const left = await asStranger(remains);
    expect(left).toMatchObject({ settings: null, locks: '0', prepared: '0' });
  });

  test('is refused while others use it', async () => {
    pooler = await startPooler(database.settings, how);
    const end = crowd(3, 20);
    await expect(plan(options(), 'upgrade', 'head')).rejects.toMatchObject(NOT_KEPT);
    await end();
  });
});

/** Traces of other clients in the session of the pool. */
async function remains(client: pg.Client): Promise<pg.QueryResultRow> {
  const { rows } = await client.query(`
    SELECT (SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
            WHERE source = 'session' AND name <> 'application_name') AS settings,
           current_setting('application_name') AS name,
           (SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
            WHERE locktype = 'advisory' AND datname = current_database()) AS locks,
           (SELECT count(*) FROM pg_prepared_statements) AS prepared,
           (SELECT count(*) FROM pg_listening_channels()) AS channels,
           (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) AS tables,
           current_user = session_user AS own, pg_backend_pid() AS pid`);
  return rows[0];
}

describe.each([1, 2, 5])('a pooler in session mode with %i sessions', (size) => {
  test.each(['last', 'in turn'] as const)('works, and gets its session back as it was: %s', async (order) => {
    pooler = await startPooler(database.settings, { mode: 'session', size, order }, "SET work_mem = '3MB'");
    await upgrade(options(), 'head');
    expect(await plan(options(), 'upgrade', 'head')).toMatchObject({ from: '001' });
    await downgrade(options(), 'base');
    expect(pooler.backends.length).toBeGreaterThan(0);
    for (const _ of pooler.backends) {
      expect(await asStranger(remains)).toMatchObject({
        settings: 'work_mem=3072',
        name: '',
        locks: '0',
        prepared: '0',
        channels: '0',
        tables: '0',
        own: true,
      });
    }
  });

  test('gets its session back as it was after a run that failed', async () => {
    pooler = await startPooler(database.settings, { mode: 'session', size, order: 'in turn' });
    const bad = databaseOf({
      id: '001',
      upgrade: ["SET work_mem = '5MB'; SELECT pg_advisory_lock(7); SELECT 1/0;"],
    });
    await expect(upgrade({ ...options(), database: bad }, 'head')).rejects.toMatchObject({
      name: 'MigrationFailed',
    });
    for (const _ of pooler.backends) {
      expect(await asStranger(remains)).toMatchObject({ settings: null, name: '', locks: '0' });
    }
  });
});

test('a pooler in session mode works while others use it', async () => {
  pooler = await startPooler(database.settings, { mode: 'session', size: 6, order: 'last' });
  const end = crowd(3, 20);
  await upgrade(options(), 'head');
  expect(await plan(options(), 'upgrade', 'head')).toMatchObject({ from: '001' });
  await downgrade(options(), 'base');
  await end();
});

test('a lost connection through a pooler leaves no session behind', async () => {
  pooler = await startPooler(database.settings, { mode: 'session', size: 3, order: 'last' });
  const client = await connectorTo(pooler.settings)('backstop lost');
  await client.query('SELECT pg_advisory_lock(7)');
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  await client.end();
  expect(
    await database.asAdministrator(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'backstop lost'",
    ),
  ).toEqual([]);
});

test('a connection without a pooler asks one question before its settings', async () => {
  pooler = await startPooler(database.settings, { mode: 'session', size: 1, order: 'last' });
  const settings: ConnectionSettings = database.settings;
  const client = await connectorTo(settings)('test');
  const { rows } = await client.query(
    'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()',
  );
  await client.end();
  expect(rows).toEqual([{ count: '1' }]);
});
