// Tables without a version: the run is refused, and the error says which revision the database looks like.
import { plan, validate } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { contentsOf } from './contents.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('empty');
});
afterEach(() => db.drop());

const refusalOf = (run: Promise<unknown>) => run.then(() => undefined).catch((error) => error);

/** Gone as it is where another tool made the tables, or somebody restored them without it. */
const FORGOTTEN = {
  'no alembic_version': 'DROP TABLE alembic_version; DROP SCHEMA backstop CASCADE',
  'an empty alembic_version': 'DELETE FROM alembic_version',
};

const CASES = ['001', '003', '003a', '005', '002'].flatMap((revision) =>
  Object.entries(FORGOTTEN).map(([what, sql]) => [revision, what, sql] as const),
);

test.each(CASES)(
  'the tables of %s with %s are known, and refused without a trace',
  async (revision, _, sql) => {
    await upgrade(migratorOn(db), revision);
    await db.query(sql);
    const before = await contentsOf(db);
    const refusal = await refusalOf(upgrade(migratorOn(db), 'head'));
    expect(refusal).toMatchObject({
      name: 'UnknownRevision',
      summary:
        'The database holds tables of these revisions, but no version that says at which of them it is',
      detail: expect.stringMatching(
        `^Found in schema public: .*repositories.* They look like revision ${revision}\\.$`,
      ),
    });
    // The text after the first colon is the remedy, word for word.
    expect(refusal.hint.replace(/^.*?: /, '')).toBe(`npx backstop stamp ${revision}`);
    expect(await contentsOf(db)).toEqual(before);
  },
);

test('stamped as the hint says, the database goes on from there', async () => {
  await upgrade(migratorOn(db), '005');
  await db.query('DELETE FROM alembic_version');
  const { hint } = await refusalOf(plan(migratorOn(db), 'upgrade', 'head'));
  await db.query('INSERT INTO alembic_version VALUES ($1)', [hint.split(' ').at(-1)]);
  expect(await upgrade(migratorOn(db), 'head')).toMatchObject({ outcome: 'upgraded', revisions: ['002'] });
});

test('the tables found are named, no matter who made them', async () => {
  await db.query(`
    CREATE TABLE tasks (id integer); CREATE TABLE vendor_extractors (id integer); CREATE TABLE notes (id integer)`);
  const refusal = await refusalOf(plan(migratorOn(db), 'upgrade', 'head'));
  expect(refusal).toMatchObject({
    name: 'UnknownRevision',
    detail: 'Found in schema public: tasks, vendor_extractors.',
    hint: expect.stringMatching(/^They look like none of the revisions\. Check /),
  });
});

test('tables with other names or in other schemas do not block the run', async () => {
  await db.query(
    'CREATE TABLE notes (id integer); CREATE SCHEMA other; CREATE TABLE other.tasks (id integer)',
  );
  const { passed, checks } = await validate(migratorOn(db), 'before-upgrade');
  expect([passed, checks.map(({ id }) => id)]).toEqual([true, ['V0.2']]);
  await expect(upgrade(migratorOn(db), 'head')).resolves.toMatchObject({ outcome: 'upgraded' });
});

test('a database that Alembic left at 005 without one of the nine still looks like 005', async () => {
  await upgrade(migratorOn(db), '005');
  await db.query('DROP TABLE tasks CASCADE; DELETE FROM alembic_version');
  expect((await refusalOf(plan(migratorOn(db), 'upgrade', 'head'))).hint).toMatch(/stamp 005$/);
});
