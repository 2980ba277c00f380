// A run in several transactions: where a revision ends its own, each is all or nothing.
import { log, plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { describeEvent } from '../../../../lambda/migrator/model/describe.ts';
import type { ProgressEvent } from '../../../../lambda/migrator/model/events.ts';
import { offlineSql } from '../../../../lambda/migrator/offline.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';
import { expectNothingLeft } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const MOOD: RevisionDraft = {
  id: '001',
  upgrade: ["CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE people (mood mood);"],
  downgrade: ['DROP TABLE people; DROP TYPE mood;'],
};
const HAPPY: RevisionDraft = { id: '002', revises: '001', upgrade: ["ALTER TYPE mood ADD VALUE 'happy';"] };
const USED: RevisionDraft = {
  id: '003',
  revises: '002',
  upgrade: ["INSERT INTO people VALUES ('happy'); CREATE TABLE later ();"],
  downgrade: ['DELETE FROM people; DROP TABLE later;'],
};
const OWN: RevisionDraft = { ...HAPPY, endsTransaction: ['upgrade'] };
const FAILING: RevisionDraft = { ...USED, upgrade: ["INSERT INTO people VALUES ('happy'); SELECT 1 / 0;"] };

const optionsOf = (...drafts: RevisionDraft[]) => migratorOn(database, { database: databaseOf(...drafts) });
const version = async () => (await database.query('SELECT version_num FROM alembic_version'))[0]?.version_num;

test('a new enum value that a later revision uses needs the commit, and the hint says how', async () => {
  await upgrade(optionsOf(MOOD), 'head');
  await expect(upgrade(optionsOf(MOOD, HAPPY, USED), 'head')).rejects.toMatchObject({
    name: 'MigrationFailed',
    hint: expect.stringContaining('-- Transaction: own'),
  });
  expect(await version()).toBe('001');
});

test('with it the revisions run in two transactions, each with its row in the history', async () => {
  const options = optionsOf(MOOD, OWN, USED);
  expect((await plan(options, 'upgrade', 'head')).transactions).toEqual([['001', '002'], ['003']]);
  const report = await upgrade(options, 'head');
  expect(report).toMatchObject({
    outcome: 'upgraded',
    from: 'base',
    to: '003',
    revisions: ['001', '002', '003'],
    created: ['public.alembic_version', 'public.later', 'public.people'],
    rows: [{ relation: 'public.people', inserted: 1 }],
    transactions: [
      { from: 'base', to: '002', revisions: ['001', '002'] },
      { from: '002', to: '003', revisions: ['003'] },
    ],
  });
  expect((await log(options, 5)).map(({ from, to }) => [from, to])).toEqual([
    ['002', '003'],
    ['base', '002'],
  ]);
  // Back it goes in one: no downgrade.sql ends its transaction.
  expect(await downgrade(options, 'base')).not.toHaveProperty('transactions');
});

test('if a later transaction fails, the earlier one stays, and the error names both', async () => {
  await expect(upgrade(optionsOf(MOOD, OWN, FAILING), 'head')).rejects.toMatchObject({
    name: 'PartlyApplied',
    summary: 'The upgrade stopped at 002: division by zero (SQLSTATE 22012) in step 1/1 of 003 (Step 1)',
    detail: 'Committed: 001, 002, whose transaction was complete. Rolled back or not begun: 003.',
    location: { line: 8 },
  });
  expect(await version()).toBe('002');
  expect(await database.query('SELECT FROM people')).toEqual([]);
  // The next run goes on.
  expect(await upgrade(optionsOf(MOOD, OWN, USED), 'head')).toMatchObject({ from: '002', to: '003' });
});

test('if the first transaction fails, nothing is committed, and the ending is its own', async () => {
  const failing = { ...MOOD, upgrade: ['SELECT 1 / 0;'] };
  await expect(upgrade(optionsOf(failing, OWN, USED), 'head')).rejects.toMatchObject({
    name: 'MigrationFailed',
  });
  expect(await database.query("SELECT to_regclass('alembic_version') AS table")).toEqual([{ table: null }]);
});

test('a downgrade ends its transaction if its file says so', async () => {
  const options = optionsOf(MOOD, { ...OWN, endsTransaction: ['upgrade', 'downgrade'] }, USED);
  await upgrade(options, 'head');
  expect(await downgrade(options, 'base')).toMatchObject({
    outcome: 'downgraded',
    transactions: [
      { from: '003', to: '001' },
      { from: '001', to: 'base' },
    ],
  });
});

test('a dry run tries the first transaction, and names the revisions that it cannot try', async () => {
  const events: ProgressEvent[] = [];
  const options = { ...optionsOf(MOOD, OWN, USED), listener: (event: ProgressEvent) => events.push(event) };
  const report = await upgrade(options, 'head', { dryRun: true });
  expect(report).toMatchObject({ outcome: 'rehearsed', from: 'base', to: '002', revisions: ['001', '002'] });
  expect(events.map(describeEvent)).toContain(
    'Not tried: 003, because the transaction before must be committed first',
  );
  expect(events.map(describeEvent)).toContain(
    'At base, target 003: 001, 002, 003 to run in 2 transactions: 001, 002 | 003',
  );
  expect(await database.query("SELECT to_regclass('alembic_version') AS table")).toEqual([{ table: null }]);
});

test('an execution whose answer was lost learns of both transactions', async () => {
  const options = { ...optionsOf(MOOD, OWN, USED), execution: 'arn:aws:states:one' };
  await upgrade(options, 'head');
  expect(await upgrade(options, 'head')).toMatchObject({
    outcome: 'upgraded',
    from: 'base',
    revisions: ['001', '002', '003'],
    transactions: [{ revisions: ['001', '002'] }, { revisions: ['003'] }],
  });
});

test('the script has the same transactions', async () => {
  const { chain } = databaseOf(MOOD, OWN, USED);
  const script = offlineSql(chain, 'upgrade', 'base', '003');
  await database.query(script);
  expect(await version()).toBe('003');
  expect(script.match(/^COMMIT;$/gm)).toHaveLength(2);
  expect(script).toContain('It has 2 transactions (001, 002 | 003)');
});
