// The way back: a downgrade restores every row before finalize, and only the schema after it.

import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import type { RunReport } from '../../../lambda/migrator/model/report.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { pgDump } from '../../setup/schema-dump.ts';
import { contentsOf, rowsOf, schemaOf } from './contents.ts';
import { contractLines } from './contract.ts';
import { CORE_TABLE_NAMES, FEATURE_TABLE_NAMES } from './feature-tables.ts';

const WARNING = {
  severity: 'WARNING',
  message: 'Data in dropped tables NOT restored. Restore from backup if needed.',
};

let db: TestDatabase;
afterEach(() => db.drop());

const notices = (report: RunReport) => report.steps.flatMap((step) => step.notices);
const inPublic = (tables: readonly string[]) => tables.map((table) => `public.${table}`);

describe('002 and back', () => {
  beforeEach(async () => {
    db = await makeDatabase('at005');
  });

  test('FR-014, FR-017: before finalize gives back the schema byte for byte and every row', async () => {
    const before = await contentsOf(db);
    const dumped = await pgDump(db.settings);
    await upgrade(migratorOn(db), '002');
    const report = await downgrade(migratorOn(db), '005');
    expect(Object.keys(before.rows)).toEqual(
      expect.arrayContaining(inPublic([...CORE_TABLE_NAMES, ...FEATURE_TABLE_NAMES])),
    );
    expect(await pgDump(db.settings)).toBe(dumped);
    expect(await contentsOf(db)).toEqual(before);
    expect(report.restored).toEqual(inPublic(FEATURE_TABLE_NAMES).sort());
    expect(notices(report)).not.toContainEqual(WARNING);
  });

  test('FR-014: after finalize gives back the schema byte for byte, the nine tables empty', async () => {
    const schema = await schemaOf(db);
    const dumped = await pgDump(db.settings);
    const rows = await rowsOf(db);
    await upgrade(migratorOn(db), '002');
    await finalize(migratorOn(db));
    const report = await downgrade(migratorOn(db), '005');
    expect(await schemaOf(db)).toBe(schema);
    expect(await pgDump(db.settings)).toBe(dumped);
    expect(report.created).toEqual(inPublic(FEATURE_TABLE_NAMES).sort());
    expect(await rowsOf(db)).toEqual({
      ...rows,
      ...Object.fromEntries(inPublic(FEATURE_TABLE_NAMES).map((table) => [table, '0 '])),
    });
    expect(notices(report)).toContainEqual(WARNING);
  });

  describe('where an earlier version moved the tables by hand, and left no record', () => {
    const forget = () => db.query('DROP TABLE backstop.retired');

    test('the downgrade gives back every row', async () => {
      const before = await contentsOf(db);
      await upgrade(migratorOn(db), '002');
      await forget();
      const report = await downgrade(migratorOn(db), '005');
      expect(await contentsOf(db)).toEqual(before);
      expect(report.restored).toEqual(inPublic(FEATURE_TABLE_NAMES).sort());
      expect(notices(report)).not.toContainEqual(WARNING);
    });

    test('finalize drops them, and the downgrade gives back the schema', async () => {
      const schema = await schemaOf(db);
      await upgrade(migratorOn(db), '002');
      await forget();
      expect((await finalize(migratorOn(db))).dropped).toHaveLength(9);
      await downgrade(migratorOn(db), '005');
      expect(await schemaOf(db)).toBe(schema);
    });

    test('the downgrade gives back the schema after its finalize, too', async () => {
      const schema = await schemaOf(db);
      await upgrade(migratorOn(db), '002');
      await db.query('DROP SCHEMA retired_002 CASCADE');
      await forget();
      const report = await downgrade(migratorOn(db), '005');
      expect(await schemaOf(db)).toBe(schema);
      expect(notices(report)).toContainEqual(WARNING);
    });
  });

  test('FR-018: a downgrade that fails leaves the database migrated', async () => {
    await upgrade(migratorOn(db), '002');
    await db.query('CREATE VIEW projects AS SELECT project_id FROM repositories');
    const before = await contentsOf(db);
    await expect(downgrade(migratorOn(db), '005')).rejects.toMatchObject({ name: 'MigrationFailed' });
    expect(await contentsOf(db)).toEqual(before);
  });

  test('FR-020: the downgrade is reported in the words of the execution contract', async () => {
    await upgrade(migratorOn(db), '002');
    await finalize(migratorOn(db));
    const migrator = migratorOn(db);
    await downgrade(migrator, '005');
    const told = contractLines(migrator).filter((line) => /^(Running|Roll|NOTICE|WARN|Migr)/.test(line));
    expect(told.map((line) => line.replace(/ in [\d.]+s$/, ''))).toEqual([
      'Running downgrade 002 -> 005, Rollback: Remove non-search tables',
      'Rollback Step 1/6: Dropping performance index...',
      'Rollback Step 1/6: Complete',
      'Rollback Step 2/6: Dropping validation constraints...',
      'Rollback Step 2/6: Complete',
      'Rollback Step 3/6: Dropping project_id from code_chunks...',
      'Rollback Step 3/6: Complete',
      'Rollback Step 4/6: Dropping project_id from repositories...',
      'Rollback Step 4/6: Complete',
      'Rollback Step 5/6: Restoring dropped tables (schema only)...',
      `WARNING:  ${WARNING.message}`,
      'Rollback Step 5/6: Complete - 9 tables restored',
      'Rollback Step 6/6: Running validation...',
      'Rollback Step 6/6: Complete',
      'Migration 002 rollback completed successfully',
      'Running downgrade 002 -> 005',
    ]);
  });

  test.each([
    ['005', async () => {}],
    ['002', async () => void (await upgrade(migratorOn(db), '002'))],
    [
      '002, finalized',
      async () => {
        await upgrade(migratorOn(db), '002');
        await finalize(migratorOn(db));
      },
    ],
  ])('base from %s leaves nothing but an empty alembic_version', async (_, given) => {
    await given();
    await downgrade(migratorOn(db), 'base');
    const left = await db.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`,
    );
    expect(left.map((row) => row.relname)).toEqual(['alembic_version', 'alembic_version_pkc']);
    expect(await rowsOf(db)).toEqual({ 'public.alembic_version': '0 ' });
    expect(await db.query(`SELECT FROM pg_namespace WHERE nspname = 'retired_002'`)).toEqual([]);
  });
});

test.each([
  ['001', 'base'],
  ['003', '001'],
  ['003a', '003'],
  ['005', '003a'],
  ['002', '005'],
])('%s goes up, down to %s and up again without a trace', async (revision, parent) => {
  db = await makeDatabase('empty');
  if (parent !== 'base') await upgrade(migratorOn(db), parent);
  const below = await withoutVersionTable();
  await upgrade(migratorOn(db), revision);
  const at = await withoutVersionTable();
  await downgrade(migratorOn(db), parent);
  expect(await withoutVersionTable()).toEqual(below);
  await upgrade(migratorOn(db), revision);
  expect(await withoutVersionTable()).toEqual(at);
});

/** The schema of the revisions alone: the first upgrade brings alembic_version, and it stays. */
async function withoutVersionTable(): Promise<string[]> {
  return (await schemaOf(db)).split('\n').filter((line) => !line.includes('alembic_version'));
}
