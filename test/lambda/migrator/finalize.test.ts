// A finalize that comes days after its upgrade, unasked: it drops what its own execution has retired, and nothing else.
import { downgrade, finalize, stamp, upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { databaseOf } from '../../setup/revisions.ts';
import { expectNothingLeft } from '../../setup/sessions.ts';

const chain = databaseOf(
  {
    id: '001',
    upgrade: ['CREATE SCHEMA retired_001;', 'CREATE TABLE retired_001.one ();'],
    downgrade: ['DROP SCHEMA retired_001 CASCADE;'],
    finalize: ['DROP SCHEMA retired_001 CASCADE;'],
  },
  { id: '002', revises: '001', upgrade: ['CREATE TABLE two ();'], downgrade: ['DROP TABLE two;'] },
  { id: '003', revises: '002', upgrade: ['SELECT 1 / 0;'] },
);
const [ONE, TWO, LATER] = ['arn:aws:states:one', 'arn:aws:states:two', 'arn:aws:states:later'];

let database: TestDatabase;
/** Options of the execution with this name; without a name, of a person at the command line. */
const by = (execution?: string) =>
  migratorOn(database, { database: chain, ...(execution !== undefined && { execution }) });
const finalizeLater = () => finalize(by(LATER), undefined, { appliedBy: ONE });

beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await upgrade(by(ONE), '001');
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

test('drops what its execution retired', async () => {
  expect(await finalizeLater()).toMatchObject({ outcome: 'finalized', dropped: ['retired_001.one'] });
});

test.each<[what: string, since: () => Promise<unknown>, last: string]>([
  [
    'upgraded further by another execution',
    () => upgrade(by(TWO), '002'),
    `upgraded, 001 -> 002, by .* in ${TWO}`,
  ],
  ['upgraded further by hand', () => upgrade(by(), '002'), 'upgraded, 001 -> 002, by \\w+'],
  [
    'taken back and upgraded again by hand',
    async () => {
      await downgrade(by(), 'base');
      await upgrade(by(), '001');
    },
    'upgraded, base -> 001, by \\w+',
  ],
  ['stamped by hand', () => stamp(by(), '002'), 'stamped, 001 -> 002, by \\w+'],
])('is refused if the database was %s since, and names the author', async (_what, since, last) => {
  await since();
  await expect(finalizeLater()).rejects.toMatchObject({
    name: 'NotAtTarget',
    summary: `The database was changed by another run after ${ONE}`,
    detail: expect.stringMatching(new RegExp(`^Last it was ${last}\\.$`)),
    hint: 'backstop.history says who changed it. To finalize by hand, start an execution with {"action":"finalize"}.',
  });
  expect(await database.query("SELECT to_regclass('retired_001.one')::text AS one")).toEqual([
    { one: 'retired_001.one' },
  ]);
});

test('is refused if the history has no change', async () => {
  await database.query('DROP SCHEMA backstop CASCADE');
  await expect(finalizeLater()).rejects.toMatchObject({
    name: 'NotAtTarget',
    detail: 'backstop.history has no change.',
  });
});

test('does not mind a run of somebody else that changed nothing', async () => {
  await upgrade(by(TWO), '001');
  await upgrade(by(TWO), '002', { dryRun: true });
  await expect(upgrade(by(TWO), '003')).rejects.toMatchObject({ name: 'MigrationFailed' });
  expect(await finalizeLater()).toMatchObject({ outcome: 'finalized' });
});

test('finds nothing to do after any finalize, even if another execution changed the database last', async () => {
  await upgrade(by(TWO), '002');
  await finalize(by());
  expect(await finalizeLater()).toMatchObject({ outcome: 'nothing to do' });
});
