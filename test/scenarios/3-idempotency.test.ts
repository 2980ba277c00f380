// Scenario 3 of the quickstart: the second upgrade changes nothing in data, schema or history.
import { contentsOf, filesOf } from '../migrations/codebase_mcp/contents.ts';
import type { TestDatabase } from '../setup/database.ts';
import { expectLinesOf, expectOutput } from './golden.ts';
import { backstop, SUCCESS } from './program.ts';
import { countRows, makeSampleDatabase } from './sample-data.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await makeSampleDatabase();
});
afterAll(() => db.drop());

/** Every schema, every row, the files that hold them, and Backstop's own history. */
const everything = async () => ({
  contents: await contentsOf(db),
  files: await filesOf(db),
  history: await db.query('SELECT * FROM backstop.history ORDER BY run_id'),
});
let before: Awaited<ReturnType<typeof everything>>;

describe('Scenario 3: Idempotency Test', () => {
  test('Step 3.1: Execute Migration First Time', async () => {
    expect(await backstop(db, 'upgrade', 'head')).toMatchObject(SUCCESS);
    expectOutput((await backstop(db, 'current')).stdout, 'specified/current');
    before = await everything();
  });

  test('Step 3.2: Execute Migration Second Time', async () => {
    const ended = await backstop(db, 'upgrade', 'head');
    expect(ended).toMatchObject(SUCCESS);
    expectLinesOf(ended.stdout, 'specified/upgrade-again');
    expectOutput(ended.stdout, 'printed/upgrade-again');
  });

  test('Step 3.3: Verify No Changes', async () => {
    expect(await everything()).toEqual(before);
    expectOutput((await backstop(db, 'current')).stdout, 'specified/current');
    expect(await countRows(db)).toEqual({ repo_count: 3, chunk_count: 6 });
    const check = await backstop(db, 'check', 'after-upgrade');
    expect(check).toMatchObject(SUCCESS);
    expectOutput(check.stdout, 'specified/check-after-upgrade');
  });
});
