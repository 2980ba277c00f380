// Reads SQL in a separate process, because some of it may overflow: deep nesting, and statements of many megabytes.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Window } from './read.ts';

/** In bytes: of the answer, which holds no SQL. */
const LONGEST_ANSWER = 1_000_000_000;

/** The statements of a window; beyond reach if the process fails, which may say so on standard output, too. */
export function readApart(sql: string): Window {
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'apart', 'main.ts')], {
    input: sql,
    encoding: 'utf8',
    maxBuffer: LONGEST_ANSWER,
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  if (status === 0 && stdout.startsWith('{')) return JSON.parse(stdout) as Window;
  return { fault: { at: 0, kind: 'reach', message: 'the process that read it ended' } };
}
