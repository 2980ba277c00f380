// The witness itself: it finds a secret wherever one is, and nothing where none is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, TOKEN, type Witness, watch } from './witness.ts';

const SLEEP = 'setTimeout(() => {}, 30_000)';

async function running(args: string[], env: NodeJS.ProcessEnv, witness: Witness): Promise<void> {
  const child = spawn(process.execPath, ['--eval', SLEEP, ...args], { env: { ...process.env, ...env } });
  await once(child, 'spawn');
  try {
    witness.testify();
  } finally {
    child.kill();
  }
}

test.each<[string, (witness: Witness) => unknown]>([
  ['a text', ({ hear }) => hear('a text', `password=${PASSWORD}`)],
  ['a URL', ({ hear }) => hear('a URL', encodeURIComponent(PASSWORD))],
  [
    'the cause of an error',
    ({ hear }) => hear('the cause of an error', new Error('no', { cause: new Error(PASSWORD) })),
  ],
  [
    'a field that is deep inside',
    ({ hear }) => hear('a field that is deep inside', { a: [{ b: new Map([[1, { c: TOKEN }]]) }] }),
  ],
  [
    'what a logger would ask for',
    ({ hear }) => hear('what a logger would ask for', { toJSON: () => PASSWORD }),
  ],
  [
    'a/b',
    ({ folder }) => {
      mkdirSync(join(folder, 'a'));
      writeFileSync(join(folder, 'a', 'b'), `\0\xff${TOKEN}`);
    },
  ],
])('a secret in %s is found', (where, put) => {
  const witness = watch();
  put(witness);
  expect(witness.testify).toThrow(where);
  expect(existsSync(witness.folder)).toBe(false);
});

const whereThereIsProc = existsSync('/proc/self/environ') ? test : test.skip;

whereThereIsProc('a secret in the arguments of a process is found', async () => {
  await expect(running([PASSWORD], {}, watch())).rejects.toThrow('the arguments of');
});

whereThereIsProc('a secret in the environment of a process is found', async () => {
  await expect(running([], { X: TOKEN }, watch())).rejects.toThrow('the environment of');
});

test('where there is none, none is found', async () => {
  const witness = watch();
  witness.hear('text', { a: 'sesame', b: new Error('no') });
  await running([], {}, witness);
});
