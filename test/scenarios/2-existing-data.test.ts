// Scenario 2 of the quickstart: the migration of a database with sample data, without losing a row.
import { rowsOf } from '../migrations/codebase_mcp/contents.ts';
import { CORE_TABLE_NAMES } from '../migrations/codebase_mcp/feature-tables.ts';
import { makeDatabase, type TestDatabase } from '../setup/database.ts';
import { expectLinesOf, expectOutput } from './golden.ts';
import { backstop, SUCCESS } from './program.ts';
import { countRows, SAMPLE_DATA } from './sample-data.ts';

let db: TestDatabase;
let baseline: Readonly<Record<string, string>>;
beforeAll(async () => {
  db = await makeDatabase('empty');
});
afterAll(() => db.drop());

describe('Scenario 2: Migration with Existing Data', () => {
  test('Step 2.1: Prepare Database with Sample Data', async () => {
    expect(await backstop(db, 'upgrade', '005')).toMatchObject(SUCCESS);
    await db.query(SAMPLE_DATA);
  });

  test('Step 2.2: Record Baseline Counts', async () => {
    baseline = await rowsOf(db);
    expect(await countRows(db)).toEqual({ repo_count: 3, chunk_count: 6 });
  });

  test('Step 2.3: Execute Migration', async () => {
    const ended = await backstop(db, 'upgrade', 'head');
    expect(ended).toMatchObject(SUCCESS);
    expectLinesOf(ended.stdout, 'specified/upgrade');
    expectOutput(ended.stdout, 'printed/upgrade');
  });

  test('Step 2.4: Verify Data Preservation', async () => {
    expect(await countRows(db)).toEqual({ repo_count: 3, chunk_count: 6 });
    const after = await rowsOf(db, ['project_id']);
    for (const table of CORE_TABLE_NAMES) {
      expect(after[`public.${table}`]).toBe(baseline[`public.${table}`]);
    }

    const projects = await db.query(`
      SELECT cc.project_id, r.project_id AS parent_project_id
      FROM code_chunks cc
      JOIN code_files cf ON cc.code_file_id = cf.id
      JOIN repositories r ON cf.repository_id = r.id`);
    expect(projects).toEqual(Array(6).fill({ project_id: 'default', parent_project_id: 'default' }));
  });
});
