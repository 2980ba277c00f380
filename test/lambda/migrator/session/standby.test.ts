// Standbys: each verb refuses one, and the word of one about a COMMIT counts only if it is yes.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { plan, validate } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, stamp, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { commit } from '../../../../lambda/migrator/run/commit.ts';
import { type Connect, connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { writerOf } from '../../../../lambda/migrator/session/server-kind.ts';
import type { ConnectionSettings } from '../../../../lambda/migrator/session/settings.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import type { ServerAddress } from '../../../../lib/twin/server.ts';
import { addressOf } from '../../../../lib/twin/twin.ts';
import { migratorOn } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';
import { until } from '../../../setup/sessions.ts';
import { type Pair, startPair } from '../../../setup/standby.ts';

const chain = databaseOf(
  { id: '001', upgrade: ['CREATE TABLE one ();'], downgrade: ['DROP TABLE one;'] },
  { id: '002', revises: '001', upgrade: ['CREATE TABLE two ();'], downgrade: ['DROP TABLE two;'] },
);

let pair: Pair;
let reader: ServerAddress;
const on = (server: ServerAddress, change: Partial<ConnectionSettings> = {}) =>
  migratorOn({ connect: connectorTo({ ...addressOf(server, 'app'), ...change }) }, { database: chain });
const ask = <T extends pg.QueryResultRow>(server: ServerAddress, sql: string) =>
  withClient(server, 'app', async (client) => (await client.query<T>(sql)).rows);

/** Until the standby has everything that the primary has now. */
async function replayed(): Promise<void> {
  const [now] = await ask<{ lsn: string }>(pair.primary, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
  await until('the replay', async () => {
    const sql = `SELECT pg_last_wal_replay_lsn() >= '${now?.lsn}' AS done`;
    // At first the database may not be there.
    const [row] = await ask<{ done: boolean }>(pair.standby, sql).catch(() => []);
    return row?.done;
  });
}

beforeAll(async () => {
  pair = await startPair();
  await pair.primary.createDatabase('app');
  reader = { ...pair.standby, ...(await pair.primary.createRole('reader')) };
  await upgrade(on(pair.primary), '001');
  await replayed();
});
afterAll(() => pair.stop());

test.each<[verb: string, run: (options: ReturnType<typeof on>) => Promise<unknown>]>([
  ['upgrade', (options) => upgrade(options, 'head')],
  ['upgrade --dry-run', (options) => upgrade(options, 'head', { dryRun: true })],
  ['downgrade', (options) => downgrade(options, 'base')],
  ['stamp', (options) => stamp(options, '002')],
  ['plan', (options) => plan(options, 'upgrade', 'head')],
  ['check', (options) => validate(options, 'after-upgrade')],
])('%s refuses a standby, and names its primary', async (_verb, run) => {
  const { port } = pair.primary;
  await expect(run(on(pair.standby))).rejects.toMatchObject({
    name: 'ReadOnlyServer',
    summary: `The server at localhost:${pair.standby.port} is a standby, which only reads`,
    hint: `Connect to the primary. This standby receives its data from 127.0.0.1:${port}.`,
  });
});

test('a role that may not see the primary of a standby gets the general remedy', async () => {
  await expect(plan(on(reader), 'upgrade', 'head')).rejects.toMatchObject({
    name: 'ReadOnlyServer',
    hint: 'Connect to the primary, or to the writer endpoint of the cluster.',
  });
});

test('target_session_attrs=primary refuses a standby with the same ending', async () => {
  const { connect } = on(pair.standby, { server: 'primary' });
  await expect(connect('test')).rejects.toMatchObject({ name: 'ReadOnlyServer' });
});

test.each([
  ['app.cluster-ro-c1.eu-central-1.rds.amazonaws.com', 'app.cluster-c1.eu-central-1.rds.amazonaws.com'],
  ['app.cluster-ro-c1.cn-north-1.rds.amazonaws.com.cn', 'app.cluster-c1.cn-north-1.rds.amazonaws.com.cn'],
  ['app.cluster-c1.eu-central-1.rds.amazonaws.com', undefined],
  ['app.cluster-custom-c1.eu-central-1.rds.amazonaws.com', undefined],
  ['app.c1.eu-central-1.rds.amazonaws.com', undefined],
  ['cluster-ro-c1.example.org', undefined],
])('the writer of %s is %s', (host, writer) => {
  expect(writerOf(host)).toBe(writer);
});

describe('the word of a standby about a COMMIT', () => {
  /** A transaction that writes a run's row; committed, rolled back, or still open. */
  async function transaction(end: 'COMMIT' | 'ROLLBACK') {
    const runId = randomUUID();
    const id = await withClient(pair.primary, 'app', async (client) => {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO backstop.history (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
         VALUES ($1, 'upgrade', '001', '002', now(), 1, 'committed', '{}', '{}')`,
        [runId],
      );
      const { rows } = await client.query('SELECT pg_current_xact_id()::text AS id');
      await client.query(end);
      return rows[0].id as string;
    });
    return { id, runId };
  }
  const lost = {
    query: async () => {
      throw new Error('lost');
    },
  };
  const asked = (connect: Connect, of: { id: string; runId: string }, ms: number) =>
    commit(lost, connect, of, ms);

  test('counts if it has the transaction and the row of the run', async () => {
    const committed = await transaction('COMMIT');
    await replayed();
    await expect(asked(on(pair.standby).connect, committed, 5_000)).resolves.toBeUndefined();
  });

  test('does not count without the row of the run', async () => {
    const { id } = await transaction('COMMIT');
    await replayed();
    await expect(asked(on(pair.standby).connect, { id, runId: randomUUID() }, 700)).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      detail: expect.stringContaining('a standby answered'),
    });
  });

  test('does not count if it says that the transaction was rolled back', async () => {
    const aborted = await transaction('ROLLBACK');
    await replayed();
    await expect(asked(on(pair.standby).connect, aborted, 700)).rejects.toMatchObject({
      name: 'OutcomeUnknown',
    });
  });

  test('does not count while it is behind: the question goes on until the primary answers', async () => {
    await ask(pair.standby, 'SELECT pg_wal_replay_pause()');
    const committed = await transaction('COMMIT');
    await expect(asked(on(pair.standby).connect, committed, 700)).rejects.toMatchObject({
      name: 'OutcomeUnknown',
    });
    const servers = [pair.standby, pair.standby, pair.primary];
    const inTurn: Connect = (name) => on(servers.shift() ?? pair.primary).connect(name);
    await expect(asked(inTurn, committed, 20_000)).resolves.toBeUndefined();
    expect(servers).toEqual([]);
    await ask(pair.standby, 'SELECT pg_wal_replay_resume()');
  });
});

test('a standby that was promoted is a primary', async () => {
  await ask(pair.standby, 'SELECT pg_promote()');
  await upgrade(on(pair.standby), 'head');
  expect(await ask(pair.standby, "SELECT to_regclass('public.two') IS NOT NULL AS there")).toEqual([
    { there: true },
  ]);
});
