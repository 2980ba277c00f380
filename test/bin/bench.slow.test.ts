// `npm run bench` as a program: its figures, the options that it refuses, and that it leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Goal } from '../../bin/bench/goals.ts';
import type { Results } from '../../bin/bench/results.ts';
import { ROOT } from '../../lib/paths.ts';
import { testServer } from '../setup/database.ts';
import { urlOf } from '../setup/url.ts';

/** Few, for it is the program that is tested, not its figures. */
const CHUNKS = 1_000;
const DOCUMENTS = join(ROOT, 'docs');

function start(options: readonly string[]) {
  return spawn(process.execPath, [join(ROOT, 'bin/bench.ts'), ...options], {
    env: { ...process.env, BENCH_DATABASE_URL: urlOf(testServer, 'postgres') },
  });
}

async function bench(...options: string[]) {
  const child = start(options);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect(stdout + stderr).not.toContain(testServer.password);
  return { stdout, stderr, status };
}

/** Databases and roles that runs have made on the server and not dropped. */
async function leftBehind(): Promise<string[]> {
  const { host, port, user, password } = testServer;
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname LIKE 'backstop\\_bench%'
       UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'backstop\\_bench%'`,
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

const documents = () => readdirSync(DOCUMENTS, { recursive: true }).sort();

test('both methods and every way back are measured, with the locks, the log and the steps of each', async () => {
  const before = documents();
  const { stdout } = await bench('--sizes', String(CHUNKS), '--runs', '1', '--json');
  const { sizes, machine, goals } = JSON.parse(stdout) as Results & { readonly goals: readonly Goal[] };

  expect(machine).toMatchObject({
    node: process.versions.node,
    postgres: expect.stringMatching(/^\d+\.\d+/),
  });
  expect(sizes).toHaveLength(1);
  const [size] = sizes;
  expect(size).toMatchObject({ chunks: CHUNKS, vectorIndex: 'none', runs: 1, checks: 15 });
  for (const figures of [size?.threePhase, size?.backstop]) {
    expect(Object.keys(figures?.steps ?? {})).toEqual(
      expect.arrayContaining(['Adding project_id to code_chunks table', 'Dropping unused tables']),
    );
    expect(figures?.exclusiveMs['public.code_chunks']).toBeLessThan(figures?.databaseMs ?? 0);
    expect(figures?.exclusiveMs['public.tasks']).toBeGreaterThan(0);
    expect(figures?.databaseMs).toBeLessThan(figures?.wallMs ?? 0);
    expect(figures?.walBytes).toBeGreaterThan(0);
  }
  // An UPDATE of every row leaves the old ones behind; nothing else makes the table grow.
  expect(size?.threePhase.tableBytes).toBeGreaterThan(1.5 * (size?.tableBytes ?? Infinity));
  expect(size?.backstop).toMatchObject({ rewritten: [], tableBytes: size?.tableBytes });
  for (const figures of [size?.downgrade, size?.finalize, size?.downgradeFinalized])
    expect(figures?.databaseMs).toBeGreaterThan(0);
  expect(goals.length).toBeGreaterThan(0);

  expect(await leftBehind()).toEqual([]);
  expect(documents()).toEqual(before);
});

test('a terminal gets tables and a verdict a line', async () => {
  const { stdout, stderr, status } = await bench('--sizes', '500', '--runs', '1');
  expect(stdout).toMatch(/^ {2}times as fast in the database +[\d.]+ ×$/m);
  expect(stdout).toMatch(/^ {2}Verifying foreign key constraints +[\d.]+ ms$/m);
  expect(stdout).toMatch(/^✓ 500 chunks: no table rewritten: none$/m);
  expect(stderr).toContain('Filling a database with 500 chunks');
  // So few rows cannot be locked for less than three passes over them.
  expect(status).toBe(1);
});

test('Ctrl-C leaves nothing behind', async () => {
  const child = start(['--sizes', '20000', '--runs', '9']);
  const ended = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  while (!said.includes('Running both methods')) await sleep(20);
  expect(await leftBehind()).not.toEqual([]);
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(await leftBehind()).toEqual([]);
});

test.each([
  [['--sizes', '150'], '--sizes has 150; write multiples of 100'],
  [['--sizes', 'many'], '--sizes is "many"'],
  [['--runs', '0'], '--runs is "0"'],
  [['--quick', '--sizes', '100'], '--quick measures a fixed size'],
])('refuses options that cannot be measured: %j', async (options, said) => {
  const { stdout, stderr, status } = await bench(...options);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(said);
});
