// Comparison: "as before" is said after a downgrade only if the catalogue is as it was before the upgrade.
import { downgrade, finalize, stamp, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { describeChange } from '../../../../lambda/migrator/model/differences.ts';
import type { RunReport } from '../../../../lambda/migrator/model/report.ts';
import type { Database } from '../../../../lambda/migrator/revisions/databases.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(`
    CREATE TABLE one (id integer PRIMARY KEY, two text);
    INSERT INTO one SELECT generate_series(1, 10);`);
});
afterEach(() => database.drop());

const UP = 'ALTER TABLE one ADD three integer; CREATE INDEX three_i ON one (three);';
const chain = (up: string, down: string) => databaseOf({ id: '001', upgrade: [up], downgrade: [down] });

const on = (revisions: Database) => migratorOn(database, { database: revisions });
const up = (revisions: Database, target = 'head') => upgrade(on(revisions), target, { allowLoss: true });
const down = (revisions: Database, target = 'base') => downgrade(on(revisions), target);
const changesOf = ({ comparison }: RunReport) => comparison?.changes.map(describeChange);

test('a right downgrade leaves the schema as before', async () => {
  const revisions = chain(UP, 'ALTER TABLE one DROP three;');
  const { fingerprint } = await up(revisions);
  const report = await down(revisions);
  expect(report.comparison).toEqual({ same: true, changes: [] });
  expect(report.fingerprint).toEqual({ before: fingerprint?.after, after: fingerprint?.before });
  expect(fingerprint?.before).not.toBe(fingerprint?.after);
});

test.each([
  ['does nothing', UP, 'SELECT 1;', ['column public.one.three added', 'index public.three_i added']],
  [
    'forgets an object',
    `${UP} CREATE TYPE t AS ENUM ('a');`,
    'ALTER TABLE one DROP three;',
    ['type public.t added'],
  ],
  ['takes too much', UP, 'ALTER TABLE one DROP three, DROP two;', ['column public.one.two removed']],
  [
    'makes something else',
    'ALTER TABLE one DROP two;',
    'ALTER TABLE one ADD two varchar(9);',
    ['column public.one.two changed: text -> character varying(9)'],
  ],
])('a downgrade that %s is found out', async (_what, upSql, downSql, changes) => {
  const revisions = chain(upSql, downSql);
  await up(revisions);
  const report = await down(revisions);
  expect(report.comparison?.same).toBe(false);
  expect(changesOf(report)).toEqual(
    expect.arrayContaining(changes.map((line) => expect.stringContaining(line))),
  );
});

test('a change that somebody made between the runs, and that is still there, is not the downgrade’s', async () => {
  const revisions = chain(UP, 'ALTER TABLE one DROP three;');
  await up(revisions);
  await database.query('CREATE INDEX two_i ON one (two); CREATE INDEX both_i ON one (two, three)');
  const report = await down(revisions);
  expect(report.comparison).toMatchObject({ same: true });
});

test('a hundred and more such changes do not count either, and an object that the downgrade left does', async () => {
  const revisions = chain(`${UP} CREATE TYPE t AS ENUM ();`, 'ALTER TABLE one DROP three;');
  await up(revisions);
  await database.query(
    "DO $$ BEGIN FOR i IN 1..150 LOOP EXECUTE 'CREATE TABLE many_' || i || ' (id int)'; END LOOP; END $$",
  );
  const report = await down(revisions);
  expect(changesOf(report)).toEqual(['type public.t added']);
  expect(report.comparison?.omitted).toBeUndefined();
});

test('the losses of the upgrade are known to its downgrade', async () => {
  const revisions = chain('DELETE FROM one WHERE id > 7;', 'SELECT 1;');
  await up(revisions);
  expect((await down(revisions)).comparison).toMatchObject({
    same: true,
    losses: [{ relation: 'public.one', how: 'deleted', count: 3 }],
  });
});

test.each([
  [
    'an object that the upgrade made is no loss',
    `${UP} CREATE TABLE t AS SELECT 1;`,
    'DROP TABLE t; ALTER TABLE one DROP three;',
    undefined,
  ],
  [
    'an older table that is made again is a loss',
    'SELECT 1;',
    'DROP TABLE one; CREATE TABLE one (id integer PRIMARY KEY, two text);',
    [{ relation: 'public.one', how: 'dropped', count: 10 }],
  ],
  [
    'an older column that is made again is a loss',
    UP,
    'ALTER TABLE one DROP two, DROP three; ALTER TABLE one ADD two text;',
    [{ relation: 'public.one', how: 'columns dropped', count: 1 }],
  ],
])('although the schema is the same, %s', async (_what, upSql, downSql, losses) => {
  await database.query("UPDATE one SET two = 'x'");
  const revisions = chain(upSql, downSql);
  await up(revisions);
  const report = await down(revisions);
  expect(report.comparison?.same).toBe(true);
  expect(report.losses).toEqual(losses);
});

describe('of several revisions', () => {
  const three = databaseOf(
    { id: '001', upgrade: ['CREATE TABLE a ();'], downgrade: ['DROP TABLE a;'] },
    { id: '002', revises: '001', upgrade: ['CREATE TABLE b ();'], downgrade: ['DROP TABLE b;'] },
    { id: '003', revises: '002', upgrade: ['CREATE TABLE c ();'], downgrade: ['DROP TABLE c;'] },
  );

  test('several upgrades are taken back by one downgrade', async () => {
    await up(three, '001');
    await up(three, '002');
    await up(three, '003');
    expect((await down(three, '001')).comparison).toEqual({ same: true, changes: [] });
  });

  test.each([
    ['to a revision that no run began at', async () => void (await up(three))],
    [
      'if the way up led past it again',
      async () => {
        await up(three, '002');
        await up(three, '003');
        await down(three);
        await up(three);
      },
    ],
    [
      'after a stamp',
      async () => {
        await up(three, '002');
        await up(three, '003');
        await stamp(on(three), '003', { purge: true });
        await stamp(on(three), '002');
        await stamp(on(three), '003');
      },
    ],
  ])('nothing is compared %s', async (_what, arrange) => {
    await arrange();
    expect((await down(three, '002')).comparison).toBeUndefined();
  });
});

test('a finalize in between is known to the downgrade', async () => {
  const revisions = databaseOf({
    id: '001',
    upgrade: ['CREATE SCHEMA retired_001; ALTER TABLE one SET SCHEMA retired_001;'],
    downgrade: ['CREATE TABLE one (id integer PRIMARY KEY, two text);'],
    finalize: ['DROP SCHEMA retired_001 CASCADE;'],
  });
  await up(revisions);
  await finalize(on(revisions));
  expect((await down(revisions)).comparison).toMatchObject({ same: true, finalized: ['001'] });
});
