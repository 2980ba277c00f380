// Evidence: a run reports its changes as the server itself recorded them.
import { TOUCHED } from '../../../../lambda/migrator/database/evidence.ts';
import { downgrade, finalize, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import type { RunReport } from '../../../../lambda/migrator/model/report.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';
import { expectNothingLeft, hold } from '../../../setup/sessions.ts';

let database: TestDatabase;
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const NINE = [
  'archived_work_items',
  'deployment_events',
  'future_enhancements',
  'project_configuration',
  'tasks',
  'vendor_deployment_links',
  'vendor_extractors',
  'work_item_dependencies',
  'work_item_deployment_links',
];
const inSchema = (schema: string) => NINE.map((table) => `${schema}.${table}`);

describe('of 002', () => {
  beforeEach(async () => {
    database = await makeDatabase('at005');
  });

  test('retired, restored and dropped tables are named', async () => {
    const options = migratorOn(database);
    const nothing = { retired: [], restored: [], created: [], dropped: [] };
    expect(await upgrade(options, 'head')).toMatchObject({ ...nothing, retired: inSchema('public') });
    expect(await downgrade(options, '-1')).toMatchObject({ ...nothing, restored: inSchema('public') });
    await upgrade(options, 'head');
    expect(await finalize(options)).toMatchObject({ ...nothing, dropped: inSchema('retired_002') });
  });

  test('no table is rewritten, and the lock time of each is reported once', async () => {
    const report = await upgrade(migratorOn(database), 'head');
    expect(report.steps.flatMap(({ rewritten }) => rewritten)).toEqual([]);
    expect(Object.keys(report.exclusiveMs).sort()).toEqual(
      [...inSchema('public'), 'public.code_chunks', 'public.repositories'].sort(),
    );
    for (const ms of Object.values(report.exclusiveMs)) {
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThan(report.durationMs);
    }
  });
});

describe('of any revision', () => {
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
    await database.query(`
      CREATE TABLE one (id integer, two text DEFAULT 'x');
      INSERT INTO one SELECT generate_series(1, 100);`);
  });
  const run = (draft: Omit<RevisionDraft, 'id'>, bounds = DEFAULT_BOUNDS): Promise<RunReport> =>
    upgrade(migratorOn(database, { database: databaseOf({ id: '001', ...draft }), bounds }), 'head', {
      allowLoss: true,
    });

  test.each([
    ['another type', 'ALTER TABLE one ALTER id TYPE bigint;', ['public.one']],
    ['a volatile default', 'ALTER TABLE one ADD three uuid DEFAULT gen_random_uuid();', ['public.one']],
    ['TRUNCATE', 'TRUNCATE one;', ['public.one']],
    ['a constant default', "ALTER TABLE one ADD three text NOT NULL DEFAULT 'y';", []],
    ['a new table', 'CREATE TABLE three (id integer);', []],
    ['another schema', 'CREATE SCHEMA other; ALTER TABLE one SET SCHEMA other;', []],
    ['every row updated', "UPDATE one SET two = 'y';", []],
  ])('a rewritten table is named in its step: %s', async (_what, sql, rewritten) => {
    const { steps } = await run({ upgrade: ['SELECT 1;', sql, 'SELECT 2;'] });
    expect(steps.map((step) => step.rewritten)).toEqual([[], rewritten, []]);
  });

  test('a lock is named in the step that took it, and in no later one', async () => {
    const { steps, exclusiveMs } = await run({
      upgrade: [
        'SELECT count(*) FROM one;',
        'CREATE INDEX ON one (two);',
        'CREATE INDEX again ON one (two);',
      ],
    });
    expect(steps.map(({ locks }) => locks)).toEqual([
      [{ relation: 'public.one', mode: 'AccessShareLock' }],
      [{ relation: 'public.one', mode: 'ShareLock' }],
      [],
    ]);
    expect(exclusiveMs).toEqual({});
  });

  test('locks that are taken up front are held before the first step', async () => {
    const { steps, exclusiveMs } = await run({
      locks: 'public.one, public.not_there',
      upgrade: ['SELECT pg_sleep(0.1);', 'ALTER TABLE one DROP two;'],
    });
    expect(steps.flatMap(({ locks }) => locks)).toEqual([]);
    expect(exclusiveMs['public.one']).toBeGreaterThan(steps[0]?.durationMs ?? Infinity);
  });

  test('rows are counted by table and kind', async () => {
    const { rows } = await run({
      upgrade: [
        'INSERT INTO one SELECT generate_series(101, 107);',
        'UPDATE one SET id = 0 WHERE id <= 5; DELETE FROM one WHERE id > 105;',
      ],
    });
    expect(rows).toEqual([{ relation: 'public.one', inserted: 7, updated: 5, deleted: 2 }]);
  });

  test('rows of an attempt that was rolled back do not count', async () => {
    await database.query('CREATE TABLE blocked ()');
    const holder = await hold(database, 'LOCK TABLE blocked');
    const options = migratorOn(database, {
      database: databaseOf({
        id: '001',
        upgrade: ['INSERT INTO one SELECT generate_series(1, 7);', 'ALTER TABLE blocked ADD id integer;'],
      }),
      bounds: { ...DEFAULT_BOUNDS, lockTimeoutMs: 50 },
    });
    const report = await upgrade(
      {
        ...options,
        listener(event) {
          if (event.type === 'retrying') void holder.release();
        },
      },
      'head',
    );
    expect(report.attempts).toBeGreaterThan(1);
    expect(report.rows).toEqual([{ relation: 'public.one', inserted: 7, updated: 0, deleted: 0 }]);
  });

  test('the write-ahead log is measured, of the run and of each step', async () => {
    const { steps, walBytes } = await run({
      upgrade: [
        "INSERT INTO one SELECT id, repeat('x', 100) FROM generate_series(1, 10000) AS id;",
        'SELECT 1;',
      ],
    });
    expect(steps[0]?.walBytes).toBeGreaterThan(1_000_000);
    expect(walBytes).toBeGreaterThanOrEqual(steps[0]?.walBytes ?? Infinity);
  });

  test('tables that came and went are named', async () => {
    const { created, dropped } = await run({ upgrade: ['CREATE TABLE two (); DROP TABLE one;'] });
    expect(created).toEqual(['public.alembic_version', 'public.two']);
    expect(dropped).toEqual(['public.one']);
  });

  test('a table counts as retired if its schema gets such a name, though no lock is taken on it', async () => {
    await database.query('CREATE SCHEMA old; CREATE TABLE old.one (); CREATE TABLE old.two ()');
    const { retired, steps } = await run({ upgrade: ['ALTER SCHEMA old RENAME TO retired_001;'] });
    expect(retired).toEqual(['old.one', 'old.two']);
    expect(steps[0]?.locks).toEqual([]);
  });

  test('a table is named once if it is altered and its schema renamed', async () => {
    await database.query('CREATE SCHEMA old; CREATE TABLE old.one ()');
    const sql = 'ALTER TABLE old.one ADD id integer; ALTER SCHEMA old RENAME TO retired_001;';
    expect((await run({ upgrade: [sql] })).retired).toEqual(['old.one']);
  });

  test('tables that go with their schema, or as partitions, are named', async () => {
    await database.query(`
      CREATE SCHEMA old; CREATE TABLE old.two ();
      CREATE TABLE parted (id integer) PARTITION BY LIST (id);
      CREATE TABLE parted_1 PARTITION OF parted DEFAULT;`);
    const { dropped } = await run({ upgrade: ['DROP SCHEMA old CASCADE; DROP TABLE parted;'] });
    expect(dropped).toEqual(['old.two', 'public.parted', 'public.parted_1']);
  });

  test('tables that an inner block makes and takes back are not named', async () => {
    const { created, dropped } = await run({
      upgrade: [
        `DO $$ BEGIN
           CREATE TABLE two (); DROP TABLE one; RAISE division_by_zero;
         EXCEPTION WHEN division_by_zero THEN CREATE TABLE three ();
         END $$;`,
      ],
    });
    expect({ created, dropped }).toEqual({
      created: ['public.alembic_version', 'public.three'],
      dropped: [],
    });
  });

  test('only the tables that the run touches are looked up while it holds its locks', async () => {
    await database.query(
      "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE 'CREATE TABLE t' || i || ' ()'; END LOOP; END $$",
    );
    await database.query('ANALYZE pg_catalog.pg_class').catch(() => {});
    const client = await database.connect('test');
    const { rows } = await client.query(`EXPLAIN ${TOUCHED}`);
    await client.end();
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('pg_class_oid_index');
    expect(plan).not.toContain('Seq Scan on pg_class');
  });
});
