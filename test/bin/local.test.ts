// `npm start` as a program: its output, and its exit status.
import type { LocalReport } from '../../bin/local/report.ts';
import { start } from './local-program.ts';

test('npm start --json prints the report and nothing else, and exits with 0 on success', async () => {
  const { stdout, status } = await start(['--json']);
  const report: LocalReport = JSON.parse(stdout);
  expect(status).toBe(0);
  expect(report).toMatchObject({
    outcome: 'upgraded',
    execution: { status: 'SUCCEEDED' },
    from: '005',
    to: '002',
    revision: '002',
    snapshot: { status: 'available' },
    durationMs: expect.any(Number),
  });
  expect(report.execution.states.at(0)?.name).toBe('Receive input');
  expect(report.execution.states.at(-1)?.name).toBe('Succeeded');
  for (const state of report.execution.states) expect(state.durationMs).toBeGreaterThanOrEqual(0);
  expect(report.steps.filter(({ direction }) => direction === 'upgrade')).toHaveLength(8);
  expect(report.checks).toHaveLength(15);
  expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(report.retired).toHaveLength(9);
  expect(report.rows.after).toMatchObject({ repositories: 100, code_chunks: 10_000 });
  expect(Object.keys(report.rows.after)).toHaveLength(4);
  for (const { peakMemoryMb } of Object.values(report.functions)) expect(peakMemoryMb).toBeLessThan(256);
});

test('npm start --help explains the options, and exits with 0', async () => {
  const { stdout, stderr, status } = await start(['--help']);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  for (const option of ['--database', '--repositories', '--chunks-per-repo', '--seed', '--drill', '--json']) {
    expect(stdout).toContain(`  ${option}`);
  }
});

describe('npm start with wrong options exits with 2 and one sentence', () => {
  test.each([
    [['--repositories', '0'], '--repositories is "0"; write a whole number, at least 1'],
    [['--chunks-per-repo', 'many'], '--chunks-per-repo is "many"; write a whole number, at least 1'],
    [['--seed=-1'], '--seed is "-1"; write a whole number, at least 0'],
    [
      ['--database', 'socrates'],
      '--database is "socrates"; write one of: codebase_mcp, socrates_auth, socrates_specs',
    ],
    [
      ['--database', 'socrates_auth', '--repositories', '9'],
      '--repositories is for codebase_mcp only, and --database is "socrates_auth"',
    ],
    [
      ['--database', 'socrates_auth', '--chunks-per-repo', '9'],
      '--chunks-per-repo is for codebase_mcp only, and --database is "socrates_auth"',
    ],
    [['--drill', 'fire'], '--drill is "fire"; write one of: validation-failure,'],
    [['--drill'], "Option '--drill <value>' argument missing"],
    [['--speed', '9'], "Unknown option '--speed'"],
    [['002'], "Unexpected argument '002'"],
  ])('%j', async (options, sentence) => {
    const { stdout, stderr, status } = await start(options);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toMatch(/^[^\n]+\nHINT: {2}npm start -- --help\n$/);
    expect(stderr).toContain(sentence);
  });
});

test('npm start exits with 1 and one sentence if the server cannot be reached', async () => {
  const { stdout, stderr, status } = await start(['--json'], 'postgresql://me:secret-word@localhost:1/app');
  expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
  expect(stderr).toContain('The server at localhost:1 could not be reached');
  expect(stderr).not.toContain('secret-word');
});
