// The secret scan finds a secret in every place that it searches, and nothing if there is none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, type SecretScan, startScan, TOKEN } from './secret-scan.ts';

const SLEEP = 'setTimeout(() => {}, 30_000)';

async function running(args: string[], env: NodeJS.ProcessEnv, scan: SecretScan): Promise<void> {
  const child = spawn(process.execPath, ['--eval', SLEEP, ...args], { env: { ...process.env, ...env } });
  await once(child, 'spawn');
  try {
    scan.expectNone();
  } finally {
    child.kill();
  }
}

test.each<[string, (scan: SecretScan) => unknown]>([
  ['a text', ({ add }) => add('a text', `password=${PASSWORD}`)],
  ['a URL', ({ add }) => add('a URL', encodeURIComponent(PASSWORD))],
  [
    'the cause of an error',
    ({ add }) => add('the cause of an error', new Error('no', { cause: new Error(PASSWORD) })),
  ],
  [
    'a field that is deep inside',
    ({ add }) => add('a field that is deep inside', { a: [{ b: new Map([[1, { c: TOKEN }]]) }] }),
  ],
  ['the JSON form of an object', ({ add }) => add('the JSON form of an object', { toJSON: () => PASSWORD })],
  [
    'a/b',
    ({ folder }) => {
      mkdirSync(join(folder, 'a'));
      writeFileSync(join(folder, 'a', 'b'), `\0\xff${TOKEN}`);
    },
  ],
])('the scan finds a secret in %s', (where, put) => {
  const scan = startScan();
  put(scan);
  expect(scan.expectNone).toThrow(where);
  expect(existsSync(scan.folder)).toBe(false);
});

const whereThereIsProc = existsSync('/proc/self/environ') ? test : test.skip;

whereThereIsProc('the scan finds a secret in the arguments of a process', async () => {
  await expect(running([PASSWORD], {}, startScan())).rejects.toThrow('the arguments of');
});

whereThereIsProc('the scan finds a secret in the environment of a process', async () => {
  await expect(running([], { X: TOKEN }, startScan())).rejects.toThrow('the environment of');
});

test('the scan finds nothing if there is no secret', async () => {
  const scan = startScan();
  scan.add('text', { a: 'sesame', b: new Error('no') });
  await running([], {}, scan);
});
