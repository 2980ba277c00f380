// A dry run: it runs the checks of each revision and its downgrade, and leaves nothing behind.
import { downgrade, finalize, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import type { Rehearsed } from '../../../../lambda/migrator/model/report.ts';
import { Ledger } from '../../../../lambda/migrator/run/ledger.ts';
import { contentsOf } from '../../../bin/cli/contents.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';
import { hold } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const on = (...drafts: RevisionDraft[]) => migratorOn(database, { database: databaseOf(...drafts) });
const rehearse = async (...drafts: RevisionDraft[]) =>
  (await upgrade(on(...drafts), 'head', { dryRun: true })).rehearsal?.map(brief);
/** Without what the checks took. */
const brief = ({ checks, ...rest }: Rehearsed) => ({
  ...rest,
  checks: checks.map(({ id, passed }) => `${id} ${passed}`),
});

const TABLE = { upgrade: ['CREATE TABLE one (n int);'], downgrade: ['DROP TABLE one;'] };
const HOLDS = 'SELECT 1 WHERE false;';
const FAILS = 'SELECT 1 AS violation;';
const THERE = "SELECT 'one' AS missing WHERE to_regclass('public.one') IS NULL;";
const GONE = "SELECT 'one' AS left WHERE to_regclass('public.one') IS NOT NULL;";
const FINE = { revision: '001', passed: true, reversible: 'yes' };

test.each<[what: string, draft: Omit<RevisionDraft, 'id'>, found: object]>([
  ['all is well', { ...TABLE, checks: { 'after-upgrade': [THERE], 'after-downgrade': [GONE] } }, FINE],
  ['it has no checks', TABLE, FINE],
  [
    'a check does not hold',
    { ...TABLE, checks: { 'after-upgrade': [HOLDS, FAILS] } },
    { passed: false, checks: ['V1.1 true', 'V1.2 false'], reversible: 'yes' },
  ],
  [
    'the query of a check fails',
    { ...TABLE, checks: { 'after-upgrade': ['SELECT nothing FROM one;'] } },
    {
      passed: false,
      fault: expect.stringMatching(/^column "nothing" does not exist .*after-upgrade\.sql:2:8$/),
    },
  ],
  [
    'a check writes',
    {
      upgrade: [
        'CREATE TABLE one (n int);',
        'CREATE FUNCTION put() RETURNS int LANGUAGE sql AS $$ INSERT INTO one VALUES (1) RETURNING n $$;',
      ],
      downgrade: ['DROP FUNCTION put; DROP TABLE one;'],
      checks: { 'after-upgrade': ['SELECT put();'] },
    },
    {
      passed: false,
      fault: expect.stringMatching(/^cannot execute INSERT in a read-only transaction/),
      reversible: 'yes',
    },
  ],
  [
    'the downgrade fails',
    { ...TABLE, downgrade: ['DROP TABLE two;'] },
    {
      passed: true,
      reversible: 'no',
      because: expect.stringMatching(
        /^its downgrade fails: table "two" does not exist .*, at 001\/downgrade\.sql:6$/,
      ),
    },
  ],
  [
    'the downgrade refuses',
    { ...TABLE, downgrade: ["DO $$ BEGIN RAISE EXCEPTION 'There is no way back'; END $$;"] },
    { reversible: 'no', because: expect.stringMatching(/^its downgrade fails: There is no way back/) },
  ],
  [
    'a check after the downgrade does not hold',
    { ...TABLE, downgrade: ['SELECT 1;'], checks: { 'after-downgrade': [HOLDS, GONE] } },
    { reversible: 'no', because: 'after its downgrade, V1.2 check 2 (1 row violates it)' },
  ],
  [
    'the downgrade would lose rows',
    {
      upgrade: ['CREATE TABLE one (n int);', 'INSERT INTO one VALUES (1), (2);'],
      downgrade: ['DROP TABLE one;'],
      checks: { 'before-downgrade': ['SELECT n FROM one;'] },
    },
    { reversible: 'with loss', because: 'V1.1 check 1 (2 rows violate it)' },
  ],
  [
    'the downgrade relies on deferred constraints',
    {
      upgrade: [
        'CREATE TABLE one (n int PRIMARY KEY); CREATE TABLE two (n int REFERENCES one DEFERRABLE INITIALLY DEFERRED);',
        'INSERT INTO two VALUES (1); INSERT INTO one VALUES (1);',
      ],
      downgrade: [
        'INSERT INTO two VALUES (2); INSERT INTO one VALUES (2);',
        'SET CONSTRAINTS ALL IMMEDIATE;',
        'DROP TABLE two; DROP TABLE one;',
      ],
    },
    FINE,
  ],
  [
    'the downgrade violates a deferred constraint',
    {
      upgrade: [
        'CREATE TABLE one (n int PRIMARY KEY); CREATE TABLE two (n int REFERENCES one DEFERRABLE INITIALLY DEFERRED);',
      ],
      downgrade: ['INSERT INTO two VALUES (2);'],
    },
    {
      reversible: 'no',
      because: expect.stringMatching(/^its downgrade fails: insert or update on table "two" viol/),
    },
  ],
  [
    'the checks share a temporary table',
    {
      ...TABLE,
      checks: {
        'after-upgrade': [
          `${HOLDS}\n-- gather: all\nCREATE TEMPORARY TABLE counted ON COMMIT DROP AS\nSELECT count(*) AS n FROM one;\n-- check: V2.1 more\nSELECT n FROM counted WHERE n > 0;`,
        ],
        'after-downgrade': [
          `${GONE}\n-- gather: all\nCREATE TEMPORARY TABLE counted ON COMMIT DROP AS\nSELECT 0 AS n;\n-- check: V2.1 more\nSELECT n FROM counted WHERE n > 0;`,
        ],
      },
    },
    { ...FINE, checks: ['V1.1 true', 'V2.1 true'] },
  ],
  [
    'its checks read their own run in the history',
    {
      ...TABLE,
      checks: {
        'after-upgrade': [
          `SELECT 'not there' AS violation WHERE NOT EXISTS (SELECT FROM backstop.history
             WHERE outcome = 'upgraded' AND to_revision = '001' AND report -> 'created' ? 'public.one');`,
        ],
        'after-downgrade': [
          `SELECT 'not there' AS violation WHERE NOT EXISTS (SELECT FROM backstop.history
             WHERE outcome = 'downgraded' AND to_revision = 'base' AND report -> 'revisions' ? '001');`,
        ],
      },
    },
    FINE,
  ],
])('if %s, a dry run says so and leaves nothing behind', async (_what, draft, found) => {
  const before = await contentsOf(database);
  expect(await rehearse({ id: '001', ...draft })).toEqual([expect.objectContaining(found)]);
  expect(await contentsOf(database)).toBe(before);
});

test('a value that an enum gets in the run itself cannot be used before COMMIT: then a dry run does not know', async () => {
  await database.query("CREATE TYPE mood AS ENUM ('sad')");
  const found = await rehearse({
    id: '001',
    upgrade: ["ALTER TYPE mood ADD VALUE 'glad';"],
    downgrade: ["SELECT 'glad'::mood;"],
    checks: { 'after-upgrade': ["SELECT 1 WHERE 'glad'::mood IS NULL;"] },
  });
  expect(found).toMatchObject([
    { passed: true, fault: expect.stringMatching(/^unsafe use of new value/), reversible: 'unknown' },
  ]);
});

test('each revision is checked before the next one runs, and taken back in the other order', async () => {
  const first = { id: '001', ...TABLE, checks: { 'after-upgrade': [THERE], 'after-downgrade': [GONE] } };
  const second = {
    id: '002',
    revises: '001',
    upgrade: ['ALTER TABLE one RENAME TO two;'],
    downgrade: ['ALTER TABLE two RENAME TO one;'],
    checks: { 'after-upgrade': [GONE], 'after-downgrade': [THERE] },
  };
  expect(await rehearse(first, second)).toMatchObject([FINE, { ...FINE, revision: '002' }]);
  expect(await rehearse(first, { ...second, downgrade: ['SELECT 1 / 0;'] })).toMatchObject([
    { revision: '001', passed: true, reversible: 'no', because: '002 stays above it' },
    { revision: '002', passed: true, reversible: 'no' },
  ]);
});

test('a revision that was applied before is not taken back', async () => {
  const first = { id: '001', ...TABLE, downgrade: ['SELECT 1 / 0;'] };
  await upgrade(on(first), 'head');
  expect(await rehearse(first, { id: '002', revises: '001' })).toMatchObject([
    { revision: '002', reversible: 'yes' },
  ]);
});

test.each<[string, Omit<RevisionDraft, 'id'>, object]>([
  [
    'a downgrade that does nothing is no way back',
    { upgrade: ['CREATE TABLE one (id int); CREATE TYPE t AS ENUM ();'], downgrade: ['DROP TABLE one;'] },
    { reversible: 'no', because: 'after its downgrade, these differ: type public.t added' },
  ],
  [
    'rows that the upgrade deletes do not come back',
    { upgrade: ['DELETE FROM kept WHERE id < 3;'], downgrade: ['SELECT 1;'] },
    { reversible: 'with loss', because: 'public.kept: 2 rows deleted' },
  ],
  [
    'values that were overwritten are not proved',
    { upgrade: ['UPDATE kept SET id = id + 100;'], downgrade: ['UPDATE kept SET id = id - 100;'] },
    { reversible: 'yes', because: 'public.kept: 20 rows overwritten' },
  ],
  [
    'rows that the downgrade deletes are a loss if they are not the upgrade’s',
    { upgrade: ['INSERT INTO kept SELECT 11;'], downgrade: ['DELETE FROM kept WHERE id > 9;'] },
    { reversible: 'with loss', because: 'public.kept: 1 row deleted' },
  ],
  [
    'rows that the upgrade inserts may be deleted',
    { upgrade: ['INSERT INTO kept SELECT 11;'], downgrade: ['DELETE FROM kept WHERE id = 11;'] },
    { reversible: 'yes' },
  ],
  [
    'a table that the downgrade empties',
    { upgrade: ['SELECT 1;'], downgrade: ['TRUNCATE kept;'] },
    { reversible: 'with loss', because: 'public.kept: emptied, its rows were not counted' },
  ],
])('the way back is measured: %s', async (_what, draft, found) => {
  await database.query('CREATE TABLE kept AS SELECT generate_series(1, 10) AS id');
  const options = on({ id: '001', ...draft });
  const { rehearsal } = await upgrade(options, 'head', { dryRun: true });
  expect(rehearsal).toMatchObject([found]);
});

test('a run that also finalizes can be taken back only with a loss', async () => {
  const draft = {
    id: '001',
    upgrade: ['CREATE SCHEMA retired_001; CREATE TABLE retired_001.one ();'],
    downgrade: ['DROP SCHEMA IF EXISTS retired_001 CASCADE;'],
    finalize: ['DROP SCHEMA retired_001 CASCADE;'],
  };
  const { rehearsal } = await upgrade(on(draft), 'head', { dryRun: true, finalize: true });
  expect(rehearsal).toMatchObject([
    { reversible: 'with loss', because: 'the same run drops what it retires' },
  ]);
  await upgrade(on(draft), 'head');
  expect(await finalize(on(draft), undefined, { dryRun: true })).not.toHaveProperty('rehearsal');
});

test('a dry run of a downgrade runs the checks after it', async () => {
  const draft = { id: '001', ...TABLE, checks: { 'after-downgrade': [GONE, FAILS] } };
  await upgrade(on(draft), 'head');
  const before = await contentsOf(database);
  const { rehearsal } = await downgrade(on(draft), 'base', { dryRun: true });
  expect(rehearsal?.map(brief)).toEqual([
    { revision: '001', passed: false, checks: ['V1.1 true', 'V1.2 false'] },
  ]);
  expect(await contentsOf(database)).toBe(before);
});

test('the rehearsal adds nothing to the steps and the events of the run', async () => {
  const draft = { id: '001', ...TABLE, checks: { 'after-upgrade': [THERE] } };
  const [asked, plain] = [on(draft), on(draft)];
  const { rehearsal, ...report } = await upgrade(asked, 'head', { dryRun: true });
  const expected = await upgrade(plain, 'head', { dryRun: true, rehearse: false });
  expect(rehearsal).toHaveLength(1);
  expect(expected).not.toHaveProperty('rehearsal');
  const measured = { runId: expect.any(String), durationMs: expect.any(Number) };
  expect({ ...report, steps: report.steps.length }).toMatchObject({
    outcome: 'rehearsed',
    revisions: ['001'],
    created: expected.created,
    steps: 1,
    ...measured,
  });
  const types = (events: typeof asked.events) =>
    events.map(({ type }) => type).filter((type) => type !== 'check completed');
  expect(types(asked.events)).toEqual(types(plain.events));
});

test('a lock that only the downgrade needs, and that is not granted, is no verdict on the revision', async () => {
  await database.query('CREATE TABLE other ()');
  const holder = await hold(database, 'LOCK TABLE other');
  const options = {
    ...on({ id: '001', ...TABLE, downgrade: ['DROP TABLE one;', 'ALTER TABLE other ADD COLUMN n int;'] }),
    bounds: { ...DEFAULT_BOUNDS, lockTimeoutMs: 50, lockWaitMs: 200 },
  };
  await expect(upgrade(options, 'head', { dryRun: true })).rejects.toMatchObject({ name: 'DatabaseBusy' });
  await holder.release();
});

test('the time of the checks does not count as time under locks', () => {
  const ledger = new Ledger(new Map(), { limits: [0, 0], wal: 0, locks: [], transaction: '1' });
  const lock = { oid: '1', relation: 'public.one', mode: 'AccessExclusiveLock', filenode: '1' };
  ledger.enter({ limits: [0, 0], wal: 0, locks: [lock], transaction: '1' }, 1_000);
  ledger.pause(500);
  expect(ledger.exclusiveMs(2_000)).toEqual({ 'public.one': 500 });
  expect(ledger.pausedMs).toBe(500);
});
