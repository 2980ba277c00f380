// The current revision of a database: one revision of the chain, or a refusal that names the way on.
import { readCurrent } from '../../../../lambda/migrator/database/current.ts';
import type { Database } from '../../../../lambda/migrator/revisions/databases.ts';
import { makeDatabase, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterAll(() => database.drop());

/** Reads the revision from a version table with `versions`; without `versions` the table is missing. */
async function read(chain: Database, versions?: readonly string[]): Promise<string> {
  await database.query('DROP TABLE IF EXISTS alembic_version');
  if (versions) await database.query('CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)');
  for (const version of versions ?? [])
    await database.query('INSERT INTO alembic_version VALUES ($1)', [version]);
  const client = await database.connect('test');
  return readCurrent(client, chain).finally(() => client.end());
}

const exists = (table: string) => `SELECT 1 AS missing WHERE to_regclass('${table}') IS NULL`;
const isGone = (table: string) => `SELECT 1 AS left_over WHERE to_regclass('${table}') IS NOT NULL`;
const chain = databaseOf(
  { id: '001', checks: { 'after-upgrade': [exists('one')] } },
  {
    id: '002',
    revises: '001',
    checks: { 'after-upgrade': [exists('two'), 'SELECT 1 FROM two WHERE false'] },
  },
);

test.each<[versions: string[] | undefined, revision: string]>([
  [undefined, 'base'],
  [[], 'base'],
  [['001'], '001'],
  [['002'], '002'],
])('%j is %s', async (versions, revision) => {
  expect(await read(chain, versions)).toBe(revision);
});

test.each([
  ['a revision without a folder', ['zzz'], "Can't locate revision identified by 'zzz'"],
  // The start of a revision is for targets: a version is written out.
  ['the start of a revision', ['00'], "Can't locate revision identified by '00'"],
  ['a pair of known revisions', ['001', '002'], 'The database says that it is at 2 revisions at once'],
])('%s is refused', async (_what, versions, summary) => {
  await expect(read(chain, versions)).rejects.toMatchObject({
    name: 'UnknownRevision',
    summary,
    detail: expect.stringContaining(`public.alembic_version holds ${versions.join(', ')}`),
    hint: expect.stringMatching(/npx backstop stamp REVISION --purge --database test$/),
  });
});

describe('the hint names the newest revision that the schema looks like', () => {
  afterEach(() => database.query('DROP TABLE IF EXISTS one, two'));

  test.each([
    ['of two, whose checks hold', 'CREATE TABLE one (); CREATE TABLE two ()', '002'],
    ['of which the checks of the newer cannot even run', 'CREATE TABLE one ()', '001'],
  ])('%s', async (_what, sql, revision) => {
    await database.query(sql);
    await expect(read(chain, ['zzz'])).rejects.toMatchObject({
      hint: expect.stringMatching(
        new RegExp(`^Its schema passes the checks of ${revision}\\. .*stamp ${revision} --purge`),
      ),
    });
  });

  test('also by the after-downgrade checks of the next revision, if it has no checks itself', async () => {
    const judgedByTheNext = databaseOf(
      { id: '001' },
      {
        id: '002',
        revises: '001',
        checks: { 'after-upgrade': [exists('two')], 'after-downgrade': [isGone('two')] },
      },
    );
    await expect(read(judgedByTheNext, ['zzz'])).rejects.toMatchObject({
      hint: expect.stringMatching(/^Its schema passes the checks of 001\./),
    });
  });
});
