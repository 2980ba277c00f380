// Scenario 4 of the quickstart: the downgrade restores every row before finalize, and only the schema after it.
import { type Contents, contentsOf, rowsOf, schemaOf } from '../migrations/codebase_mcp/contents.ts';
import { CORE_TABLE_NAMES, FEATURE_TABLE_NAMES } from '../migrations/codebase_mcp/feature-tables.ts';
import type { TestDatabase } from '../setup/database.ts';
import { pgDump } from '../setup/schema-dump.ts';
import { expectOutput } from './golden.ts';
import { backstop, SUCCESS } from './program.ts';
import { countRows, listTables, makeSampleDatabase } from './sample-data.ts';

let db: TestDatabase;
let before: { contents: Contents; dump: string | undefined };
let migrated: { repo_count: number; chunk_count: number };
beforeAll(async () => {
  db = await makeSampleDatabase();
  before = { contents: await contentsOf(db), dump: await pgDump(db.settings) };
});
afterAll(() => db.drop());

describe('Scenario 4: Rollback Test', () => {
  test('Step 4.1: Apply Migration', async () => {
    expect(await backstop(db, 'upgrade', 'head')).toMatchObject(SUCCESS);
    expectOutput((await backstop(db, 'current')).stdout, 'specified/current');
  });

  test('Step 4.2: Record Post-Migration State', async () => {
    migrated = await countRows(db);
    expect(await schemaOf(db)).not.toBe(before.contents.schemas.public);
  });

  // The quickstart's output warns that the data is gone. Before finalize it is not.
  test('Step 4.3: Execute Rollback', async () => {
    const ended = await backstop(db, 'downgrade', '-1');
    expect(ended).toMatchObject(SUCCESS);
    expectOutput(ended.stdout, 'printed/downgrade-with-rows');
  });

  test('Step 4.4: Verify Rollback Applied', async () => {
    const current = await backstop(db, 'current');
    const history = await backstop(db, 'history');
    expect(current).toEqual({ ...SUCCESS, stdout: '005\n' });
    expect(history).toMatchObject(SUCCESS);
    expectOutput(history.stdout, 'specified/history');
  });

  // The quickstart adds the number of rows to the contract's lines; the next step checks it.
  test('Step 4.5: Run Post-Rollback Validation', async () => {
    const ended = await backstop(db, 'check', 'after-downgrade');
    expect(ended).toMatchObject(SUCCESS);
    expectOutput(ended.stdout, 'specified/check-after-downgrade');
  });

  // The quickstart counts two core tables; there are four, thirteen in all.
  test('Step 4.6: Verify Schema Restoration', async () => {
    expect(await listTables(db)).toEqual(
      ['alembic_version', ...CORE_TABLE_NAMES, ...FEATURE_TABLE_NAMES].sort(),
    );
    expect(await countRows(db)).toEqual(migrated);
    expect(migrated).toEqual({ repo_count: 3, chunk_count: 6 });
    expect(await contentsOf(db)).toEqual(before.contents);
    expect(await pgDump(db.settings)).toBe(before.dump);
  });
});

describe('Scenario 4 after finalize', () => {
  test('Step 4.1: Apply Migration', async () => {
    expect(await backstop(db, 'upgrade', 'head', '--finalize', '--yes')).toMatchObject(SUCCESS);
  });

  test("Step 4.3: Execute Rollback, in the contract's words to the last line", async () => {
    const ended = await backstop(db, 'downgrade', '005');
    expect(ended).toMatchObject(SUCCESS);
    expectOutput(ended.stdout, 'specified/downgrade');
  });

  test('Step 4.6: Verify Schema Restoration', async () => {
    expect(await schemaOf(db)).toBe(before.contents.schemas.public);
    expect(await pgDump(db.settings)).toBe(before.dump);
    const rows = await rowsOf(db);
    for (const table of CORE_TABLE_NAMES) {
      expect(rows[`public.${table}`]).toBe(before.contents.rows[`public.${table}`]);
    }
    for (const table of FEATURE_TABLE_NAMES) expect(rows[`public.${table}`]).toMatch(/^0 /);
  });
});
