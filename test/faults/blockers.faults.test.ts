// Sessions that block the table locks: a run waits for them, names them, and does not block other sessions for long.
import type pg from 'pg';
import { upgrade } from '../../lambda/migrator/migrator.ts';
import { type Bounds, DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import { connectorFor, migratorOn } from '../setup/database.ts';
import { until } from '../setup/sessions.ts';
import { type CaseDatabase, discard, discardAll, learn, take } from './databases.ts';
import { readFingerprint } from './states.ts';
import { expectNothingLeft, isCommitted } from './verify.ts';

afterAll(discardAll);

/** A session that holds a lock on a table of the migration until its work is done or the test releases it. */
interface Blocker {
  readonly name: string;
  begin(client: pg.Client): Promise<unknown>;
  /** Its work after that. @default none: it is idle in its transaction */
  work?(client: pg.Client): Promise<unknown>;
}

const BLOCKERS: readonly Blocker[] = [
  {
    name: 'that has read a table and is idle in its transaction',
    begin: (c) => c.query('BEGIN; SELECT FROM tasks'),
  },
  { name: 'that has written to a table', begin: (c) => c.query('BEGIN; UPDATE repositories SET id = id') },
  { name: 'that holds a table outright', begin: (c) => c.query('BEGIN; LOCK TABLE code_chunks') },
  {
    name: 'with a long query',
    begin: (c) => c.query('BEGIN'),
    work: (c) => c.query('SELECT pg_sleep(3600) FROM code_chunks LIMIT 1'),
  },
];

/** Begins the blocker, and hands over how to end it; it has ended in any case when the work has. */
async function beside<T>(
  database: CaseDatabase,
  { begin, work }: Blocker,
  act: (end: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const client = await connectorFor(database.settings)('blocker');
  await begin(client);
  void work?.(client).catch(() => {});
  if (work) await untilWaits(database, 'PgSleep');
  try {
    return await act(() => client.end());
  } finally {
    await client.end();
  }
}

/** @param event a wait event, or the type of one */
async function untilWaits({ administrator, settings }: CaseDatabase, event: string): Promise<void> {
  await until(`a wait for ${event}`, async () => {
    const { rows } = await administrator.query(
      'SELECT FROM pg_stat_activity WHERE datname = $1 AND $2 IN (wait_event, wait_event_type)',
      [settings.database, event],
    );
    return rows.length > 0;
  });
}

function migrate({ settings }: CaseDatabase, bounds: Partial<Bounds>) {
  const migrator = migratorOn(
    { connect: connectorTo(settings) },
    { bounds: { ...DEFAULT_BOUNDS, ...bounds } },
  );
  return { events: migrator.events, run: upgrade(migrator, '002') };
}

/** @param work returns whether the database is then migrated; if not, it is as it was */
async function withDatabase(work: (database: CaseDatabase) => Promise<boolean>): Promise<void> {
  const script = await learn('upgrade');
  const database = await take('upgrade');
  const migrated = await work(database);
  await expectNothingLeft(database);
  expect(isCommitted(await readFingerprint(database.reader), script)).toBe(migrated);
  await discard(database);
}

describe.each(BLOCKERS)('a session $name', (blocker) => {
  test('and goes before lock_timeout: the first attempt succeeds', () =>
    withDatabase((database) =>
      beside(database, blocker, async (end) => {
        const { run } = migrate(database, { lockTimeoutMs: 30_000 });
        await untilWaits(database, 'Lock');
        await end();
        expect(await run).toMatchObject({ outcome: 'upgraded', attempts: 1 });
        return true;
      }),
    ));

  test('and goes later: a later attempt succeeds, and names it', () =>
    withDatabase((database) =>
      beside(database, blocker, async (end) => {
        const { run, events } = migrate(database, { lockTimeoutMs: 900 });
        // On a busy machine an attempt may end before its blocker is known.
        for (const event of ['waiting', 'retrying']) {
          await until(event, async () => events.some(({ type }) => type === event));
        }
        await end();
        const report = await run;
        expect(report).toMatchObject({ outcome: 'upgraded' });
        expect(report.attempts).toBeGreaterThan(1);
        expect(report.blockers).toEqual([expect.objectContaining({ application: 'blocker' })]);
        return true;
      }),
    ));

  test('and does not go: the ending names it, and nothing is changed', () =>
    withDatabase((database) =>
      beside(database, blocker, async () => {
        const { run } = migrate(database, { lockTimeoutMs: 3_000, lockWaitMs: 500 });
        await expect(run).rejects.toMatchObject({
          name: 'DatabaseBusy',
          detail: expect.stringMatching(/^Blocked by pid \d+ \(.*, blocker, /),
        });
        return false;
      }),
    ));
});

// An autovacuum against wraparound does not yield to other sessions. A test cannot start it, so a slow VACUUM replaces it.
test('a VACUUM is waited for, and named', () =>
  withDatabase(async (database) => {
    const client = await connectorFor(database.settings)('blocker');
    await client.query('SET vacuum_cost_limit = 1; SET vacuum_cost_delay = 100');
    const vacuum = client.query('VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) tasks');
    await untilWaits(database, 'VacuumDelay');
    const { run } = migrate(database, { lockTimeoutMs: 900 });
    const report = await run;
    expect(report.blockers).toEqual([expect.objectContaining({ command: 'VACUUM' })]);
    await vacuum;
    await client.end();
    return report.outcome === 'upgraded';
  }));

test('readers of a table wait for one attempt of the run, not for all attempts', () =>
  withDatabase((database) =>
    beside(database, BLOCKERS[0] as Blocker, async () => {
      const [lockTimeoutMs, lockWaitMs] = [400, 4_000];
      const { run } = migrate(database, { lockTimeoutMs, lockWaitMs });
      let going = true;
      const ended = run
        .catch(({ name }) => name)
        .finally(() => {
          going = false;
        });
      await untilWaits(database, 'Lock');
      const waits: number[] = [];
      while (going) {
        const asked = performance.now();
        await database.reader.query('SELECT FROM tasks LIMIT 1');
        waits.push(performance.now() - asked);
      }
      expect(await ended).toBe('DatabaseBusy');
      // Every attempt that times out lets the readers pass: they wait more than once, each time for a part of it all.
      expect(waits.filter((ms) => ms > lockTimeoutMs / 4).length).toBeGreaterThan(1);
      expect(Math.max(...waits)).toBeLessThan(lockWaitMs);
      return false;
    }),
  ));
