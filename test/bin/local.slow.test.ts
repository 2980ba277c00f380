// `npm start` on a given server: a downgrade, and another database.
import type { LocalReport } from '../../bin/local/report.ts';
import { testServer } from '../setup/database.ts';
import { urlOf } from '../setup/url.ts';
import { leftBehind, start } from './local-program.ts';

test('npm start --drill downgrades on a given server, exits with 1, and leaves nothing there', async () => {
  const size = ['--repositories', '2', '--chunks-per-repo', '5'];
  const { stdout, stderr, status } = await start(
    ['--drill', 'validation-failure', '--json', ...size],
    urlOf(testServer, 'postgres'),
  );
  const report: LocalReport = JSON.parse(stdout);
  expect(status).toBe(1);
  expect(report).toMatchObject({
    outcome: 'ValidationFailed',
    execution: { status: 'FAILED', error: 'ValidationFailed' },
    revision: '005',
    rows: { unchanged: true, before: { repositories: 2, code_chunks: 10 } },
  });
  expect(report.rows.after).toEqual(report.rows.before);
  expect(Object.keys(report.rows.after)).toHaveLength(13);
  expect(report.restored).toHaveLength(9);
  expect(stdout + stderr).not.toContain(testServer.password);
  expect(await leftBehind()).toEqual([]);
});

test('npm start --database migrates another database on a given server, and lists its new tables', async () => {
  const { stdout, status } = await start(
    ['--database', 'socrates_auth', '--json'],
    urlOf(testServer, 'postgres'),
  );
  const report: LocalReport = JSON.parse(stdout);
  expect(status).toBe(0);
  expect(report).toMatchObject({ outcome: 'upgraded', from: '001', to: '002', revision: '002' });
  expect(report.snapshot?.id).toMatch(/^backstop-socrates-auth-/);
  expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(report.rows).toEqual({
    before: { refresh_tokens: 100, users: 100 },
    after: { admin_audit_logs: 0, admin_roles: 0, admin_users: 0, refresh_tokens: 100, users: 100 },
    unchanged: false,
  });
  expect(report.message).toContain(
    'at 002; all tables have the rows they had before; new: admin_audit_logs, admin_roles, admin_users.',
  );
  expect(await leftBehind()).toEqual([]);
});
