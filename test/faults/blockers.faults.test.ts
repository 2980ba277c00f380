// Sessions that stand in the way of the table locks: waited for, named, never overtaken, and nobody waits long behind us.
import type pg from 'pg';
import { upgrade } from '../../lambda/migrator/migrator.ts';
import { type Bounds, DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import { migratorOn } from '../setup/database.ts';
import { until } from '../setup/sessions.ts';
import { expectNothingLeft, isCommitted } from './judge.ts';
import { discard, discardAll, learn, type Place, take } from './places.ts';
import { readFingerprint } from './states.ts';

afterAll(discardAll);

/** A session that holds a lock on a table of the migration, until it is told otherwise or has done its work. */
interface Blocker {
  readonly name: string;
  begin(client: pg.Client): Promise<unknown>;
  /** What it then still does; default: nothing, idle in its transaction. */
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
  place: Place,
  { begin, work }: Blocker,
  act: (end: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const client = await connectorTo(place.settings)('blocker');
  await begin(client);
  void work?.(client).catch(() => {});
  if (work) await untilWaits(place, 'PgSleep');
  try {
    return await act(() => client.end());
  } finally {
    await client.end();
  }
}

/** @param event a wait event, or the type of one */
async function untilWaits({ administrator, settings }: Place, event: string): Promise<void> {
  await until(`a wait for ${event}`, async () => {
    const { rows } = await administrator.query(
      'SELECT FROM pg_stat_activity WHERE datname = $1 AND $2 IN (wait_event, wait_event_type)',
      [settings.database, event],
    );
    return rows.length > 0;
  });
}

function migrate({ settings }: Place, bounds: Partial<Bounds>) {
  const migrator = migratorOn(
    { connect: connectorTo(settings) },
    { bounds: { ...DEFAULT_BOUNDS, ...bounds } },
  );
  return { events: migrator.events, run: upgrade(migrator, '002') };
}

/** @param work returns whether the database is then migrated; if not, it is as it was */
async function onPlace(work: (place: Place) => Promise<boolean>): Promise<void> {
  const script = await learn('upgrade');
  const place = await take('upgrade');
  const migrated = await work(place);
  await expectNothingLeft(place);
  expect(isCommitted(await readFingerprint(place.judge), script)).toBe(migrated);
  await discard(place);
}

describe.each(BLOCKERS)('a session $name', (blocker) => {
  test('and goes before lock_timeout: the first attempt succeeds', () =>
    onPlace((place) =>
      beside(place, blocker, async (end) => {
        const { run } = migrate(place, { lockTimeoutMs: 30_000 });
        await untilWaits(place, 'Lock');
        await end();
        expect(await run).toMatchObject({ outcome: 'upgraded', attempts: 1 });
        return true;
      }),
    ));

  test('and goes later: a later attempt succeeds, and names it', () =>
    onPlace((place) =>
      beside(place, blocker, async (end) => {
        const { run, events } = migrate(place, { lockTimeoutMs: 900 });
        await until('a retry', async () => events.some(({ type }) => type === 'retrying'));
        await end();
        const report = await run;
        expect(report).toMatchObject({ outcome: 'upgraded' });
        expect(report.attempts).toBeGreaterThan(1);
        expect(report.blockers).toEqual([expect.objectContaining({ application: 'blocker' })]);
        return true;
      }),
    ));

  test('and does not go: the ending names it, and nothing is changed', () =>
    onPlace((place) =>
      beside(place, blocker, async () => {
        const { run } = migrate(place, { lockTimeoutMs: 900, lockWaitMs: 500 });
        await expect(run).rejects.toMatchObject({
          name: 'DatabaseBusy',
          detail: expect.stringMatching(/^Blocked by pid \d+ \(.*, blocker, /),
        });
        return false;
      }),
    ));
});

// An autovacuum against wraparound, which gives way to nobody, cannot be had in a moment: a slow VACUUM stands for it.
test('a VACUUM is waited for, and named', () =>
  onPlace(async (place) => {
    const client = await connectorTo(place.settings)('blocker');
    await client.query('SET vacuum_cost_limit = 1; SET vacuum_cost_delay = 100');
    const vacuum = client.query('VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) tasks');
    await untilWaits(place, 'VacuumDelay');
    const { run } = migrate(place, { lockTimeoutMs: 900 });
    const report = await run;
    expect(report.blockers).toEqual([expect.objectContaining({ query: expect.stringMatching(/^VACUUM/) })]);
    await vacuum;
    await client.end();
    return report.outcome === 'upgraded';
  }));

test('readers of the table wait behind us no longer than lock_timeout', () =>
  onPlace((place) =>
    beside(place, BLOCKERS[0] as Blocker, async () => {
      const lockTimeoutMs = 400;
      const { run } = migrate(place, { lockTimeoutMs, lockWaitMs: 4_000 });
      let going = true;
      const ended = run
        .catch(({ name }) => name)
        .finally(() => {
          going = false;
        });
      await untilWaits(place, 'Lock');
      const waits: number[] = [];
      while (going) {
        const asked = performance.now();
        await place.judge.query('SELECT FROM tasks LIMIT 1');
        waits.push(performance.now() - asked);
      }
      expect(await ended).toBe('DatabaseBusy');
      // They do wait for us, or nothing was measured; and what is beyond lock_timeout is the machine's.
      expect(Math.max(...waits)).toBeGreaterThan(lockTimeoutMs / 4);
      expect(Math.max(...waits)).toBeLessThan(lockTimeoutMs * 3);
      return false;
    }),
  ));
