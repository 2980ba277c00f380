// The size of a database, of its history and of a chain: a verb may take a little longer, and not as much longer as there is more.
import { performance } from 'node:perf_hooks';
import { current, inspect, log, plan, validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, stamp, upgrade } from '../../../lambda/migrator/migrator.ts';
import { countOf } from '../../../lambda/migrator/model/bounded.ts';
import type { MigratorOptions } from '../../../lambda/migrator/session/session.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { databaseOf } from '../../setup/revisions.ts';

const TABLES = 20_000;
const RUNS = 300_000;
const PARTITIONS = 1_000;
const REVISIONS = 1_000;
/** The fixed cost of a verb is some dozens of ms, and another job may hold it up; there is many thousand times more of everything. */
const RATIO = 50;

const app = databaseOf(
  { id: '001', upgrade: ['CREATE TABLE public.one (id integer);'], downgrade: ['DROP TABLE public.one;'] },
  {
    id: '002',
    revises: '001',
    locks: 'public.one',
    upgrade: ['ALTER TABLE public.one ADD two integer;'],
    downgrade: ['ALTER TABLE public.one DROP two;'],
    checks: { 'after-upgrade': ['SELECT 1 WHERE false'] },
  },
);

const VERBS: readonly ((options: MigratorOptions) => Promise<unknown>)[] = [
  current,
  inspect,
  (options) => log(options, 10),
  (options) => plan(options, 'upgrade', '+0'),
  (options) => validate(options, 'after-upgrade'),
  (options) => downgrade(options, '001'),
  (options) => upgrade(options, 'head', { dryRun: true }),
  (options) => upgrade(options, 'head'),
  (options) => stamp(options, 'head'),
];

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await upgrade(migratorOn(database, { database: app }), 'head');
});
afterEach(() => database.drop());

/** The least time of each verb, in ms. */
async function measure(): Promise<number[]> {
  const least = VERBS.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 3; round++) {
    for (const [index, verb] of VERBS.entries()) {
      const started = performance.now();
      await verb(migratorOn(database, { database: app }));
      least[index] = Math.min(least[index] as number, performance.now() - started);
    }
  }
  return least;
}

/** SQL that makes much of something. */
const MUCH: Readonly<Record<string, string>> = {
  tables: `DO $$ BEGIN FOR i IN 1..${TABLES} LOOP
      EXECUTE format('CREATE TABLE public.filler_%s (id int)', i); IF i % 500 = 0 THEN COMMIT; END IF;
    END LOOP; END $$`,
  'history of runs': `INSERT INTO backstop.history
      (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
    SELECT gen_random_uuid(), direction, f, t, now(), 1, outcome, '{"002": "x"}', report
    FROM (SELECT report FROM backstop.history ORDER BY id DESC LIMIT 1) AS last, generate_series(1, ${RUNS / 2}) AS i,
      (VALUES (1, 'downgrade', '002', '001', 'downgraded'), (2, 'upgrade', '001', '002', 'upgraded')) AS run (n, direction, f, t, outcome)
    ORDER BY i, n`,
  'history of failures': `INSERT INTO backstop.history
      (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
    SELECT gen_random_uuid(), 'upgrade', '001', '002', now(), 1, 'MigrationFailed', '{}', '{"error": "MigrationFailed", "message": ""}'
    FROM generate_series(1, ${RUNS})`,
};

test.each(Object.keys(MUCH))('no verb takes as much longer as there is more: %s', async (what) => {
  const small = await measure();
  await database.asAdministrator(MUCH[what] ?? '');
  await database.asAdministrator('ANALYZE');
  const large = await measure();
  const slow = large.map((ms, index) => ms / (small[index] as number)).filter((ratio) => ratio > RATIO);
  expect(slow).toEqual([]);
});

test('partitions are counted in the estimate, and each is locked', async () => {
  await database.query(`CREATE TABLE public.parted (id int) PARTITION BY HASH (id)`);
  await database.asAdministrator(`DO $$ BEGIN FOR i IN 0..${PARTITIONS - 1} LOOP
      EXECUTE format('CREATE TABLE public.part_%s PARTITION OF public.parted FOR VALUES WITH (MODULUS ${PARTITIONS}, REMAINDER %s)', i, i);
      EXECUTE format('ALTER TABLE public.part_%s OWNER TO ${database.settings.user}', i);
    END LOOP; END $$`);
  await database.query('INSERT INTO public.parted SELECT generate_series(1, 10000); ANALYZE public.parted');
  const altering = databaseOf({
    id: '001',
    locks: 'public.parted',
    upgrade: ['ALTER TABLE public.parted ADD CHECK (id > 0);'],
    downgrade: ['SELECT 1;'],
  });
  await stamp(migratorOn(database, { database: altering }), 'base', { purge: true });
  const report = await upgrade(migratorOn(database, { database: altering }), 'head');
  expect(report.estimate?.tables).toMatchObject([{ relation: 'public.parted', rows: 10_000 }]);
  expect(JSON.stringify(report).length).toBeLessThan(100_000);
});

test('a chain of a thousand revisions is read, upgraded and taken back', async () => {
  const many = databaseOf(
    ...Array.from({ length: REVISIONS }, (_, index) => ({
      id: `r${index}`,
      ...(index > 0 && { revises: `r${index - 1}` }),
    })),
  );
  const options = () => migratorOn(database, { database: many });
  await stamp(options(), 'base', { purge: true });
  const report = await upgrade(options(), 'head');
  expect(report.to).toBe(`r${REVISIONS - 1}`);
  expect(countOf(report, 'revisions')).toBe(REVISIONS);
  await expect(current(options())).resolves.toBe(`r${REVISIONS - 1}`);
  await expect(downgrade(options(), '-10')).resolves.toMatchObject({ to: `r${REVISIONS - 11}` });
});
