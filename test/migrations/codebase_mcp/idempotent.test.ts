// FR-016: 002 may run again on what it made, and keeps what it finds done.

import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { contentsOf, filesOf } from './contents.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

/** As `stamp` does: the version alone moves. */
const stamp = (revision: string) => db.query('UPDATE alembic_version SET version_num = $1', [revision]);
const up = () => upgrade(migratorOn(db), '002');
const down = () => downgrade(migratorOn(db), '005');
/** The things that a second run must not change: schemas, rows, and their files. */
const everything = async () => ({ ...(await contentsOf(db)), files: await filesOf(db) });

test('FR-016: an upgrade at the target does nothing', async () => {
  await up();
  const before = await contentsOf(db);
  expect(await up()).toMatchObject({ outcome: 'nothing to do', steps: [] });
  expect(await contentsOf(db)).toEqual(before);
});

test.each([
  ['retired', async () => {}],
  ['finalized', () => finalize(migratorOn(db))],
])('FR-016: the SQL of the upgrade, run again, changes nothing if the tables are %s', async (_, given) => {
  await up();
  await given();
  const before = await everything();
  await stamp('005');
  const report = await up();
  expect(await everything()).toEqual(before);
  expect(report).toMatchObject({ outcome: 'upgraded', rows: [], retired: [], created: [], dropped: [] });
  expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
});

test('FR-016: the SQL of the upgrade run again keeps projects that are in use, and the way back', async () => {
  const before = await contentsOf(db);
  await up();
  await db.query(`
    UPDATE repositories SET project_id = 'acme' WHERE path = (SELECT min(path) FROM repositories);
    UPDATE code_chunks SET project_id = 'acme' WHERE code_file_id IN (
      SELECT code_files.id FROM code_files JOIN repositories ON repositories.id = repository_id WHERE project_id = 'acme')`);
  const migrated = await everything();
  await stamp('005');
  expect(await up()).toMatchObject({ rows: [] });
  expect(await everything()).toEqual(migrated);
  await down();
  expect(await contentsOf(db)).toEqual(before);
});

test.each([
  ['before', async () => {}],
  ['after', () => finalize(migratorOn(db))],
])('FR-016: the SQL of the downgrade run again changes nothing, %s finalize', async (_, given) => {
  await up();
  await given();
  await down();
  const before = await everything();
  await stamp('002');
  const report = await down();
  expect(await everything()).toEqual(before);
  expect(report).toMatchObject({ outcome: 'downgraded', rows: [], restored: [], created: [], dropped: [] });
  expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
});

describe('where a project_id was found', () => {
  beforeEach(() =>
    db.query(`
      ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      ALTER TABLE code_chunks ALTER project_id DROP DEFAULT`),
  );

  test('FR-016: the SQL of the upgrade run again changes nothing, where it found a project_id', async () => {
    await up();
    const before = await contentsOf(db);
    await stamp('005');
    expect(await up()).toMatchObject({ rows: [], created: [], dropped: [] });
    expect(await contentsOf(db)).toEqual(before);
  });

  test('FR-016: the SQL of the downgrade run again changes nothing, where the upgrade found a project_id', async () => {
    await up();
    await down();
    const before = await contentsOf(db);
    await stamp('002');
    expect(await down()).toMatchObject({ rows: [], created: [], dropped: [] });
    expect(await contentsOf(db)).toEqual(before);
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
  });
});

test('FR-016: finalize a second time does nothing', async () => {
  await up();
  await finalize(migratorOn(db));
  const before = await contentsOf(db);
  expect(await finalize(migratorOn(db))).toMatchObject({ outcome: 'nothing to do' });
  expect(await contentsOf(db)).toEqual(before);
});

test('FR-016: up and down five times leaves no trace', async () => {
  const before = await contentsOf(db);
  for (let time = 0; time < 5; time++) {
    await up();
    await down();
  }
  expect(await contentsOf(db)).toEqual(before);
});

test('FR-008: an index built CONCURRENTLY beforehand is kept', async () => {
  await db.query(`ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default'`);
  await db.query('CREATE INDEX CONCURRENTLY idx_project_repository ON repositories (project_id, id)');
  const index = `SELECT oid, relfilenode FROM pg_class WHERE relname = 'idx_project_repository'`;
  const before = await db.query(index);
  const report = await up();
  expect(await db.query(index)).toEqual(before);
  expect(report.steps.flatMap((step) => step.notices.map(({ message }) => message))).toContain(
    'Index idx_project_repository kept',
  );
  await stamp('005');
  await up();
  expect(await db.query(index)).toEqual(before);
});

test('FR-016: an upgrade that somebody did half is completed to the same schema', async () => {
  const whole = await makeDatabase('at005');
  await upgrade(migratorOn(whole), '002');
  await db.query(`
    ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
    ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default';
    ALTER TABLE code_chunks ALTER project_id DROP DEFAULT;
    CREATE SCHEMA retired_002;
    ALTER TABLE archived_work_items SET SCHEMA retired_002`);
  await up();
  // The schemas differ only in the comments that tell the downgrade to keep the columns.
  await db.query(`
    COMMENT ON CONSTRAINT check_repositories_project_id ON repositories IS NULL;
    COMMENT ON CONSTRAINT check_code_chunks_project_id ON code_chunks IS NULL`);
  expect((await contentsOf(db)).schemas.public).toBe((await contentsOf(whole)).schemas.public);
  expect((await contentsOf(db)).rows).toEqual((await contentsOf(whole)).rows);
  await whole.drop();
});
