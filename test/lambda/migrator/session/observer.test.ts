// The observer: who blocks a statement is named, and its own trouble is never the run's.

import type { Blocker } from '../../../../lambda/migrator/model/report.ts';
import type { Connect } from '../../../../lambda/migrator/session/connection.ts';
import { Observer } from '../../../../lambda/migrator/session/observer.ts';
import { makeDatabase, type TestDatabase } from '../../../setup/database.ts';
import { expectNothingLeft, hold } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query('CREATE TABLE one (id integer)');
});
afterAll(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

/** Watches a statement that waits for a lock; the lock is given up once `until` is settled. */
async function watchBlocked(
  connect: Connect,
  until: (blocked: Promise<readonly Blocker[]>) => Promise<unknown>,
) {
  const holder = await hold(database, 'LOCK TABLE one /* held */');
  const client = await database.connect('backstop test');
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const observer = new Observer(connect, 'backstop observer');
  let found: (blockers: readonly Blocker[]) => void = () => {};
  const blocked = new Promise<readonly Blocker[]>((resolve) => {
    found = resolve;
  });
  const sent = performance.now();
  const session = { pid: rows[0].pid, waitingMs: () => performance.now() - sent };
  const unwatch = observer.watch(session, found);
  const work = client.query('SELECT FROM public.one');
  await until(blocked);
  await holder.release();
  const result = await work;
  unwatch();
  await observer.end();
  await client.end();
  return { holder, result, blocked };
}

test('a blocker is named with pid, user, application, state, time, relation and command, and without its statement', async () => {
  const { holder, blocked } = await watchBlocked(database.connect, (seen) => seen);
  expect(await blocked).toEqual([
    {
      pid: holder.pid,
      user: database.settings.user,
      application: 'holder',
      state: 'idle in transaction',
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      relation: 'public.one',
      command: 'SELECT',
    },
  ]);
});

test('an observer that gets no connection does not fail what it observes', async () => {
  let refused: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const connect: Connect = async () => {
    refused();
    throw new Error('too many connections');
  };
  const { result } = await watchBlocked(connect, () => asked);
  expect(result.command).toBe('SELECT');
});

test('an observer has no connection while no session waits', async () => {
  let connections = 0;
  const observer = new Observer(async (name) => {
    connections += 1;
    return database.connect(name);
  }, 'backstop observer');
  observer.watch({ pid: 0, waitingMs: () => 0 }, () => {})();
  await observer.end();
  expect(connections).toBe(0);
});
