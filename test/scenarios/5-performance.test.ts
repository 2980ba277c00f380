// Scenario 5 of the quickstart: 100 repositories with 10,000 chunks, migrated in less than five minutes.
import { makeDatabase, type TestDatabase } from '../setup/database.ts';
import { expectLinesOf, expectOutput } from './golden.ts';
import { backstop, run, SUCCESS } from './program.ts';
import { countRows } from './sample-data.ts';

/** FR-031. */
const BOUND_S = 300;

let db: TestDatabase;
beforeAll(async () => {
  db = await makeDatabase('empty');
});
afterAll(() => db.drop());

/** The number of seconds after these words. */
function secondsIn(output: string, words: string): number {
  return Number(output.split(words)[1]?.match(/^(\d+\.\d\d)s$/m)?.[1]);
}

describe('Scenario 5: Performance Test', () => {
  test('Step 5.1: Generate Performance Test Data', async () => {
    expect(await backstop(db, 'upgrade', '005')).toMatchObject(SUCCESS);
    const size = ['--repositories', '100', '--chunks-per-repo', '100'];
    const { status, stdout } = await run(db, 'npm', ['run', 'generate-test-data', '--', ...size]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^repositories +100$/m);
    expect(stdout).toMatch(/^code_chunks +10000$/m);
    expect(await countRows(db)).toEqual({ repo_count: 100, chunk_count: 10_000 });
  });

  test('Step 5.2: Execute Migration with Timing', async () => {
    const started = performance.now();
    const ended = await backstop(db, 'upgrade', 'head');
    const tookMs = performance.now() - started;
    expect(ended).toMatchObject(SUCCESS);
    expectLinesOf(ended.stdout, 'specified/upgrade');
    expect(secondsIn(ended.stdout, 'completed successfully in ')).toBeLessThan(BOUND_S);
    expect(tookMs / 1000).toBeLessThan(BOUND_S);
  });

  // The quickstart has short words for the steps in parentheses; the output has their titles there. The total, which
  // includes the time for connecting, is an additional line of Backstop.
  test('Step 5.3: Verify Performance Metrics', async () => {
    const ended = await backstop(db, 'log', '--limit', '1', '--verbose');
    expect(ended).toMatchObject(SUCCESS);
    expectOutput(ended.stdout.replace(db.settings.user, '#'), 'printed/step-timings');
    expect(secondsIn(ended.stdout, 'Total: ')).toBeLessThan(BOUND_S);
  });
});
