// The command line as a user runs it: a process with a user's environment, and without that of the tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../lib/paths.ts';
import { type TestDatabase, testServer } from '../setup/database.ts';
import { urlOf } from '../setup/url.ts';

/** The exit status and the output of a program. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program that `npx backstop` starts, in place of the quickstart's `alembic …` and `pytest …`. */
export function backstop(database: TestDatabase, ...args: readonly string[]): Promise<Ended> {
  return run(database, process.execPath, [join(ROOT, 'bin/backstop.ts'), ...args]);
}

/** Runs any program with the URL of the database in DATABASE_URL. */
export async function run(
  { name, settings: { user, password } }: TestDatabase,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...(PATH && { PATH }),
      ...(HOME && { HOME }),
      LANG: 'C.UTF-8',
      DATABASE_URL: urlOf({ ...testServer, user, password }, name),
      ...environment,
    },
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect(stdout + stderr).not.toContain(password);
  return { status, stdout, stderr };
}

/** Exit status 0, and no error output. */
export const SUCCESS = { status: 0, stderr: '' };
