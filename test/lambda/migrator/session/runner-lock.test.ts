// One runner at a time: the others wait, find nothing left to do, or name the session in the way.
import { plan, reconcile } from '../../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { takeRunnerLock } from '../../../../lambda/migrator/session/runner-lock.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';
import { expectNothingLeft, until } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const chain = databaseOf({ id: '001', upgrade: ['CREATE TABLE one (id integer); SELECT pg_sleep(0.2);'] });
const options = (lockWaitMs = 30_000) =>
  migratorOn(database, { database: chain, bounds: { ...DEFAULT_BOUNDS, lockWaitMs } });

/** A session that has the lock as a run has it. */
async function otherRunner() {
  const client = await database.connect('the other runner');
  await takeRunnerLock(client, 0, () => {});
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return { pid: rows[0].pid as number, end: () => client.end() };
}

test('a second run waits for the first, and finds nothing to do', async () => {
  const other = await otherRunner();
  const second = options();
  const run = upgrade(second, 'head');
  await until('waiting', async () => second.events.some(({ type }) => type === 'waiting'));
  await database.query("CREATE TABLE alembic_version AS SELECT '001'::varchar(32) AS version_num");
  await other.end();
  expect(await run).toMatchObject({ outcome: 'nothing to do', from: '001', to: '001', attempts: 0 });
  expect(second.events).toContainEqual({
    type: 'waiting',
    lock: 'advisory',
    waitedMs: expect.any(Number),
    blockers: [expect.objectContaining({ pid: other.pid, user: database.settings.user })],
  });
});

test('of four at once, one upgrades and three find nothing to do', async () => {
  const reports = await Promise.all([1, 2, 3, 4].map(() => upgrade(options(), 'head')));
  expect(reports.map(({ outcome }) => outcome).sort()).toEqual([
    'nothing to do',
    'nothing to do',
    'nothing to do',
    'upgraded',
  ]);
});

test('a lock that is not let go is DatabaseBusy, with pid, user and command of its holder', async () => {
  const other = await otherRunner();
  await expect(upgrade(options(300), 'head')).rejects.toMatchObject({
    name: 'DatabaseBusy',
    detail: expect.stringMatching(
      new RegExp(
        `pid ${other.pid} \\(${database.settings.user}, the other runner, idle\\) since \\S+: SELECT$`,
      ),
    ),
    hint: expect.stringContaining(`pg_terminate_backend(${other.pid})`),
  });
  await other.end();
});

test('a verb that only reads does not wait', async () => {
  const other = await otherRunner();
  expect(await plan(options(0), 'upgrade', 'head')).toMatchObject({ pending: ['001'] });
  await other.end();
});

test('where the database really is, is only said when no run is alive', async () => {
  const first = options();
  const run = upgrade(first, 'head');
  await until('a step', async () => first.events.some(({ type }) => type === 'step started'));
  expect((await reconcile(options())).revision).toBe('001');
  await run;
});

test('every database has its own lock', async () => {
  const neighbor = await makeDatabase('empty', { extension: false });
  const other = await otherRunner();
  const run = await upgrade(migratorOn(neighbor, { ...options(0), connect: neighbor.connect }), 'head');
  expect(run.outcome).toBe('upgraded');
  await other.end();
  await neighbor.drop();
});
