// The command line as a process: pipes, signals, and output without colors.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../../lib/paths.ts';
import { makeDatabase } from '../../setup/database.ts';
import { expectNothingLeft, pidRunning } from '../../setup/sessions.ts';
import { contentsOf } from './contents.ts';
import { databaseUrl, UNREACHABLE } from './program.ts';
import { migrationsOf } from './project.ts';

const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}, stdout: 'pipe' | number = 'pipe') =>
  spawn(process.execPath, [join(ROOT, 'bin/backstop.ts'), ...args], {
    env: { ...process.env, DATABASE_URL: '', ...env },
    stdio: ['ignore', stdout, 'pipe'],
  });

async function finish(child: ReturnType<typeof start>) {
  const [stdout, stderr, [status]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'exit'),
  ]);
  return { stdout, stderr, status };
}

test('the output has no escape codes outside a terminal, even if the environment forces colors', async () => {
  for (const env of [{ NO_COLOR: '1' }, { CI: '1', FORCE_COLOR: '1' }]) {
    const { stdout, stderr, status } = await finish(start(['status'], { DATABASE_URL: UNREACHABLE, ...env }));
    expect(status).toBe(1);
    expect(stdout).toContain('codebase_mcp: ');
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stdout + stderr).not.toContain('sesame');
  }
});

test('a closed pipe ends the program silently', async () => {
  // More than a pipe holds.
  const child = start(['upgrade', '--sql', '--database', 'socrates_specs']);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [stderr, [status]] = await Promise.all([child.stderr && text(child.stderr), once(child, 'exit')]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});

(existsSync('/dev/full') ? test : test.skip)('a full disk is reported in one sentence', async () => {
  const { stderr, status } = await finish(start(['history'], {}, openSync('/dev/full', 'w')));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The output cannot be written: ENOSPC[^\n]*\nHINT: {2}[^\n]*\n$/);
});

test('an interruption during a step is reported in one sentence, and the server rolls back', async () => {
  const database = await makeDatabase('empty', { extension: false });
  const migrations = migrationsOf({
    app: { revisions: [{ id: '001', upgrade: ['CREATE TABLE one ();', 'SELECT pg_sleep(60);'] }] },
  });
  const before = await contentsOf(database);
  const child = start(['upgrade', '--migrations', migrations], { DATABASE_URL: databaseUrl(database) });
  const ending = finish(child);
  await pidRunning(database, 'pg_sleep');
  child.kill('SIGINT');
  expect(await ending).toMatchObject({
    status: 130,
    stderr:
      'Interrupted: the server rolls back whatever was not committed.\nHINT:  npx backstop status shows where the database is.\n',
  });
  await expectNothingLeft(database);
  expect(await contentsOf(database)).toBe(before);
  await database.drop();
});
