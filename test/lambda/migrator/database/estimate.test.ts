// The estimate: it reports the cost of an upgrade beforehand, blocks no session, and stops a lock that would last too long.

import { foresee } from '../../../../lambda/migrator/database/foresee.ts';
import { decideWork } from '../../../../lambda/migrator/database/work.ts';
import { plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { type Bounds, DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { describeEvent } from '../../../../lambda/migrator/model/describe.ts';
import type { ProgressEvent } from '../../../../lambda/migrator/model/events.ts';
import { revisionOf } from '../../../../lambda/migrator/revisions/chain.ts';
import type { Database } from '../../../../lambda/migrator/revisions/databases.ts';
import { effectsIn } from '../../../../lambda/migrator/revisions/effects.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { chainOf, databaseOf, type RevisionDraft, revisionFiles } from '../../../setup/revisions.ts';
import { expectNothingLeft, hold } from '../../../setup/sessions.ts';

let database: TestDatabase;
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

/** A database with one revision, whose upgrade has these lines in its header. */
function declaring(header: string, draft: Partial<RevisionDraft> = {}): Database {
  const files = revisionFiles({ id: '001', ...draft });
  const upgradeSql = files['001/upgrade.sql']?.replace(/^-- Locks:.*$/m, header) ?? '';
  const chain = chainOf({ ...files, '001/upgrade.sql': upgradeSql });
  return { ...databaseOf({ id: '001' }), chain };
}

const on = (revisions: Database, bounds: Partial<Bounds> = {}) =>
  migratorOn(database, { database: revisions, bounds: { ...DEFAULT_BOUNDS, ...bounds } });
const estimateOf = async (revisions: Database) =>
  (await plan(on(revisions), 'upgrade', 'head')).estimate ?? { durationMs: 0, lockMs: 0, tables: [] };
const lines = (events: readonly ProgressEvent[], type: ProgressEvent['type']) =>
  events.filter((event) => event.type === type).map(describeEvent);

describe('of 002', () => {
  const { upgrade: script, retires } = revisionOf(codebaseMcp.chain, '002');
  beforeEach(async () => {
    database = await makeDatabase('at005');
  });

  test('its header names what a run really retires', async () => {
    const { retired } = await upgrade(migratorOn(database), 'head');
    expect([...retires].sort()).toEqual(retired);
  });

  test('it locks every table that it scans', () => {
    expect(script.locks).toEqual(expect.arrayContaining([...script.scans]));
  });

  test('the plan names what there is to retire, and no more', async () => {
    await database.query('DROP TABLE archived_work_items');
    const standing = retires.filter((table) => table !== 'public.archived_work_items');
    expect((await plan(migratorOn(database), 'upgrade', 'head')).retires).toEqual(standing);
    expect((await plan(migratorOn(database), 'upgrade', '+0')).retires).toEqual([]);
    expect((await plan(migratorOn(database), 'downgrade', '-1')).retires).toEqual([]);
  });

  test('the chunks come first, and every table that is locked is there', async () => {
    const { events, ...options } = migratorOn(database);
    const { estimate } = await upgrade(options, 'head', { dryRun: true });
    expect(estimate?.tables[0]).toMatchObject({ relation: 'public.code_chunks', rows: 60 });
    expect(estimate?.tables.map(({ relation }) => relation).sort()).toEqual(
      [...retires, 'public.code_chunks', 'public.repositories'].sort(),
    );
    expect(estimate?.durationMs).toBeGreaterThan(estimate?.lockMs ?? Infinity);
    expect(lines(events, 'estimated')).toEqual([
      expect.stringMatching(
        /^Estimated: \d+\.\d\ds in all, public\.code_chunks and 10 more tables locked for \d+\.\d\ds$/,
      ),
    ]);
  });
});

/** For a page of a table that could not be sampled, in ms. */
const UNSAMPLED_PAGE_MS = 0.02 * 1.3;

describe('of a table', () => {
  const scan = (table: string) => declaring(`-- Locks: ${table}\n-- Scans: ${table}`);
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
    await database.query(`
      CREATE TABLE one (id integer PRIMARY KEY, two text DEFAULT repeat('x', 500));
      INSERT INTO one SELECT generate_series(1, 10000);`);
  });

  test('the size is known before any ANALYZE', async () => {
    const [size] = await database.query("SELECT pg_relation_size('one')::float8 AS bytes");
    const { tables } = await estimateOf(scan('public.one'));
    expect(tables).toMatchObject([{ relation: 'public.one', ...size }]);
    expect(tables[0]?.scanMs).toBeGreaterThan(0);
  });

  test('statistics give the size if another session holds a lock, and the estimate does not wait for it', async () => {
    await database.query('ANALYZE one');
    const [known] = await database.query(
      "SELECT reltuples::float8 AS rows, relpages * 8192::float8 AS bytes FROM pg_class WHERE relname = 'one'",
    );
    const holder = await hold(database, 'LOCK TABLE one');
    const { tables } = await estimateOf(scan('public.one'));
    await holder.release();
    expect(tables).toMatchObject([known ?? {}]);
    expect(tables[0]?.scanMs).toBeCloseTo((known?.bytes / 8192) * UNSAMPLED_PAGE_MS);
  });

  test('that the user may not read, the size is known', async () => {
    await database.query(`REVOKE ALL ON one FROM "${database.settings.user}"`);
    const {
      tables: [table],
    } = await estimateOf(scan('public.one'));
    expect(table?.scanMs).toBeCloseTo(((table?.bytes ?? 0) / 8192) * UNSAMPLED_PAGE_MS);
  });

  test('the partitions are counted with it', async () => {
    await database.query(`
      CREATE TABLE parted (id integer) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
      CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (1000);
      INSERT INTO parted SELECT generate_series(1, 300);
      ANALYZE parted;`);
    const { tables } = await estimateOf(scan('public.parted'));
    expect(tables).toMatchObject([{ relation: 'public.parted', rows: 300, bytes: 2 * 8192 }]);
  });

  test.each([
    ['has no column', 'CREATE TABLE strange ()', 'public.strange'],
    ['has a name to be quoted', 'CREATE TABLE "Strange one" ("A b" integer)', 'public."Strange one"'],
    [
      'has lost its last column',
      'CREATE TABLE strange (a int, b int); ALTER TABLE strange DROP b',
      'public.strange',
    ],
  ])('that %s is no trouble', async (_what, sql, table) => {
    await database.query(`${sql}; INSERT INTO ${table} SELECT FROM generate_series(1, 10000)`);
    const { tables } = await estimateOf(scan(table));
    expect(tables).toMatchObject([{ relation: table }]);
    const pages = (tables[0]?.bytes ?? 0) / 8192;
    expect(pages).toBeGreaterThan(1);
    expect(tables[0]?.scanMs).not.toBeCloseTo(pages * UNSAMPLED_PAGE_MS, 9);
  });

  test('that is empty costs nothing to scan', async () => {
    await database.query('TRUNCATE one');
    expect((await estimateOf(scan('public.one'))).tables).toMatchObject([{ bytes: 0, scanMs: 0 }]);
  });

  test('that is not scanned, or not there, no pass is counted', async () => {
    const { tables, lockMs } = await estimateOf(declaring('-- Locks: public.one, public.gone'));
    expect(tables).toMatchObject([{ relation: 'public.one', scanMs: 0, lockMs }]);
    const nothing = await estimateOf(declaring('-- Locks: public.gone\n-- Scans: public.gone'));
    expect(nothing).toMatchObject({ lockMs: 0, tables: [] });
  });

  test('that is scanned and not locked up front, no lock is counted', async () => {
    const { tables, lockMs } = await estimateOf(declaring('-- Scans: public.one'));
    expect({ lockMs, tables }).toMatchObject({ lockMs: 0, tables: [{ relation: 'public.one', lockMs: 0 }] });
  });
});

describe('a lock that is expected to be held for too long', () => {
  const LOCKING = declaring('-- Locks: public.one\n-- Scans: public.one', {
    upgrade: ['ALTER TABLE one ADD two integer;'],
    downgrade: ['ALTER TABLE one DROP two;'],
  });
  const HARDLY = { maxLockMs: 0.001 };
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
    await database.query('CREATE TABLE one (id integer)');
  });

  test('is refused with table, estimate, bound and remedy, and nothing is written', async () => {
    const { events, ...options } = on(LOCKING, HARDLY);
    await expect(upgrade(options, 'head')).rejects.toMatchObject({
      name: 'LockTooLong',
      summary: expect.stringMatching(
        /^The upgrade would lock public\.one for about \d+\.\d\ds, longer than the 0\.00s that it may$/,
      ),
      hint: expect.stringMatching(/--max-lock 1, or in AWS {"maxLock": 1}/),
    });
    expect(events.map(({ type }) => type)).toEqual(['connected', 'planned', 'estimated']);
    expect(await database.query("SELECT to_regnamespace('backstop') AS history")).toEqual([
      { history: null },
    ]);
  });

  test('is refused in a dry run, which takes the same locks', async () => {
    const run = upgrade(on(LOCKING, HARDLY), 'head', { dryRun: true });
    await expect(run).rejects.toMatchObject({ name: 'LockTooLong' });
  });

  test('is only reported by a plan', async () => {
    const { events, ...options } = on(LOCKING, HARDLY);
    await plan(options, 'upgrade', 'head');
    expect(lines(events, 'exceeding')).toEqual([
      expect.stringMatching(/^public\.one would be locked for about .*, longer than the limit of 0\.00s$/),
    ]);
  });

  test('does not keep from the way back', async () => {
    await upgrade(on(LOCKING), 'head');
    const { events, ...options } = on(LOCKING, HARDLY);
    expect(await downgrade(options, 'base')).toMatchObject({ outcome: 'downgraded' });
    expect(lines(events, 'estimated')).toEqual([]);
  });

  test('is not estimated if nothing is pending', async () => {
    await upgrade(on(LOCKING), 'head');
    const { events, ...options } = on(LOCKING, HARDLY);
    expect(await upgrade(options, 'head')).toMatchObject({ outcome: 'nothing to do' });
    expect(await plan(options, 'upgrade', 'head')).not.toHaveProperty('estimate');
    expect(lines(events, 'estimated')).toEqual([]);
  });

  test('does not include a run that is only long: it is reported, not refused', async () => {
    const { events, ...options } = on(declaring('-- Locks: public.gone'), HARDLY);
    expect(await upgrade(options, 'head')).toMatchObject({ outcome: 'upgraded' });
    expect(lines(events, 'exceeding')).toEqual([
      expect.stringMatching(/^The run would take about .*, longer than the limit of 0\.00s for a lock$/),
    ]);
  });
});

test('the history keeps the estimate beside the measurements', async () => {
  database = await makeDatabase('empty', { extension: false });
  const { estimate } = await upgrade(on(declaring('-- Locks:')), 'head');
  expect(await database.query("SELECT report -> 'estimate' AS estimate FROM backstop.history")).toEqual([
    { estimate },
  ]);
});

describe('of the work that the statements show', () => {
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
    await database.query(`
      CREATE TABLE one (id integer PRIMARY KEY, two varchar(20));
      INSERT INTO one SELECT n, n FROM generate_series(1, 30000) AS n;
      CREATE TABLE two (id integer, one integer);
      INSERT INTO two SELECT n, n FROM generate_series(1, 30000) AS n;
      ANALYZE;`);
  });
  const kindsOf = async (...upgradeSql: string[]) => {
    const { tables } = await estimateOf(databaseOf({ id: '001', upgrade: upgradeSql }));
    return Object.fromEntries(
      tables.map(({ relation, scanMs, rewriteMs = 0, indexMs = 0, keyMs = 0, lockMs }) => [
        relation,
        Object.entries({ scanMs, rewriteMs, indexMs, keyMs, lockMs }).flatMap(([kind, ms]) =>
          ms > 0 ? [kind] : [],
        ),
      ]),
    );
  };

  test.each([
    ['ADD CHECK', 'ALTER TABLE one ADD CHECK (id > 0)', { 'public.one': ['scanMs', 'lockMs'] }],
    ['SET NOT NULL', 'ALTER TABLE one ALTER two SET NOT NULL', { 'public.one': ['scanMs', 'lockMs'] }],
    ['NOT NULL that is there', 'ALTER TABLE one ALTER id SET NOT NULL', { 'public.one': ['lockMs'] }],
    [
      'a type that rewrites',
      'ALTER TABLE one ALTER id TYPE bigint',
      { 'public.one': ['rewriteMs', 'indexMs', 'lockMs'] },
    ],
    ['a wider varchar', 'ALTER TABLE one ALTER two TYPE varchar(40)', { 'public.one': ['lockMs'] }],
    ['CREATE INDEX', 'CREATE INDEX ON one (lower(two))', { 'public.one': ['indexMs', 'lockMs'] }],
    [
      'ADD FOREIGN KEY',
      'ALTER TABLE two ADD FOREIGN KEY (one) REFERENCES one',
      { 'public.one': ['lockMs'], 'public.two': ['keyMs', 'lockMs'] },
    ],
    ['a table of the run', 'CREATE TABLE new (id integer); CREATE INDEX ON new (id)', {}],
    ['rows that are read', 'SELECT count(*) FROM one', {}],
  ])('the kind of work is known: %s', async (_what, sql, kinds) => {
    expect(await kindsOf(`${sql};`)).toEqual(kinds);
  });

  test('a NOT NULL that a CHECK of the same run proves is no second pass', async () => {
    const check = 'ALTER TABLE one ADD CONSTRAINT filled CHECK (two IS NOT NULL);';
    const both = await foreseenWork(check, 'ALTER TABLE one ALTER two SET NOT NULL;');
    expect(both.filter(({ isPass }) => isPass)).toHaveLength(1);
  });

  async function foreseenWork(...sql: string[]) {
    const { chain } = databaseOf({ id: '001', upgrade: sql });
    const client = await database.connect('test');
    const effects = effectsIn([revisionOf(chain, '001').upgrade]) ?? [];
    const jobs = await decideWork(client, await foresee(client, effects));
    await client.end();
    return jobs;
  }

  test('without the right to make temporary tables, the work is estimated all the same', async () => {
    await database.asAdministrator(`
      REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC, "${database.settings.user}"`);
    expect(await kindsOf('CREATE INDEX ON one (two);')).toEqual({ 'public.one': ['indexMs', 'lockMs'] });
  });

  test('nothing is left of the samples', async () => {
    await kindsOf('ALTER TABLE one ALTER id TYPE bigint; CREATE INDEX ON one (two);');
    expect(await database.query("SELECT relname FROM pg_class WHERE relname LIKE 'backstop%'")).toEqual([]);
  });
});
