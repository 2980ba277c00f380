#!/usr/bin/env node
// `npm run bench`: compares the migration with the contract's own method, and with the goals for both.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/paths.ts';
import { chart } from './bench/chart.ts';
import { judge, judgeQuick } from './bench/goals.ts';
import type { Results } from './bench/results.ts';
import { type BenchDisplay, type BenchOptions, runBench } from './bench/run.ts';
import { page, terminalText } from './bench/text.ts';
import { Bar } from './local/terminal.ts';
import { readArguments, runProgram, UsageError, wholeNumber } from './program.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const QUICK_SIZES = [10_000];
const REPOSITORIES = 100;
const FOLDER = join(ROOT, 'docs/benchmarks');

const USAGE = `Compares revision 002 with the contract's three-phase method: both run in turn, on copies of the same database.

Usage: npm run bench -- [options]

  --quick         measures 10,000 chunks only, within a minute, and judges ratios only
  --sizes N,N     numbers of chunks, multiples of ${REPOSITORIES} (default ${SIZES.join(',')})
  --runs N        how often each method runs on each size (default 3)
  --json          prints the results as one JSON document and nothing else
                  (npm run --silent bench -- --json)
  --help          prints this text

Without --quick and --sizes the results are written to docs/benchmarks.
BENCH_DATABASE_URL is the URL of a server to use; without it, one is started. The
run creates its own databases there and drops them at the end.

Exit status: 0 every goal was reached, 1 a goal was missed or the run failed, 2 the options are wrong.`;

interface Options extends BenchOptions {
  readonly quick: boolean;
  /** Whether the results are written to docs/benchmarks. */
  readonly publish: boolean;
  readonly json: boolean;
}

/** Returns undefined for --help. */
function readOptions(): Options | undefined {
  const values = readArguments({
    quick: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return undefined;
  const { quick, json } = values;
  if (quick && values.sizes !== undefined)
    throw new UsageError('--quick measures a fixed size: leave out --sizes');
  const publish = !quick && values.sizes === undefined;
  return {
    quick,
    publish,
    json,
    databaseUrl: process.env.BENCH_DATABASE_URL || undefined,
    sizes: quick ? QUICK_SIZES : readSizes(values.sizes),
    runs: wholeNumber('runs', values.runs, 1),
    functions: publish,
  };
}

function readSizes(text: string | undefined): number[] {
  if (text === undefined) return SIZES;
  const sizes = text.split(',').map((size) => wholeNumber('sizes', size.trim(), REPOSITORIES));
  const odd = sizes.find((size) => size % REPOSITORIES !== 0);
  if (odd !== undefined) throw new UsageError(`--sizes has ${odd}; write multiples of ${REPOSITORIES}`);
  return sizes.sort((a, b) => a - b);
}

/** On the error output, so that the results can be piped. */
function display(): BenchDisplay {
  const bar = new Bar(process.stderr);
  return {
    stage(text) {
      bar.end();
      process.stderr.write(`${text}\n`);
    },
    progress: (done, total) => bar.show(done, total),
  };
}

function write(results: Results): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(FOLDER, 'README.md'), page(results, judge(results.sizes)));
  writeFileSync(join(FOLDER, 'latest.svg'), chart(results.sizes));
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  const silent: BenchDisplay = { stage: () => {}, progress: () => {} };
  const results = await runBench(options, options.json ? silent : display());
  const goals = options.quick ? results.sizes.flatMap(judgeQuick) : judge(results.sizes);
  if (options.publish) write(results);
  process.stdout.write(
    options.json ? `${JSON.stringify({ ...results, goals }, null, 2)}\n` : terminalText(results, goals),
  );
  return goals.every(({ reached }) => reached) ? 0 : 1;
}

await runProgram('npm run bench -- --help', main);
