#!/usr/bin/env node
// `npm start`: runs the state machine that `cdk deploy` creates, on this machine and a real PostgreSQL.
import { readDefinitions } from '../lambda/migrator/revisions/databases.ts';
import { DRILLS, type Drill } from '../lambda/state.ts';
import { MIGRATIONS } from '../lib/paths.ts';
import { CODEBASE_MCP } from '../lib/twin/databases.ts';
import type { LocalRunOptions } from './local/run.ts';
import { readArguments, runProgram, UsageError, wholeNumber } from './program.ts';

const usage = (
  databases: readonly string[],
) => `Runs the deployed state machine on this machine: snapshot, migrate to the head, validate, finalize.

Usage: npm start -- [options]

  --database NAME       the database to migrate: ${databases.join(', ')}
                        (default ${CODEBASE_MCP}; the tables of the others have 100 rows each)
  --repositories N      number of repositories in ${CODEBASE_MCP} (default 100)
  --chunks-per-repo N   number of chunks in each repository (default 100)
  --seed N              the same seed makes the same data (default 1)
  --drill NAME          makes the run fail on purpose: ${DRILLS.join(', ')}
  --json                prints the report as one JSON document and nothing else
                        (with npm start --silent -- --json, npm prints nothing either)
  --help                prints this text

DATABASE_URL is the URL of a server to use; without it, one is started. The run
creates its own database there and drops it at the end.

Exit status: 0 the execution succeeded, 1 it did not, 2 the options are wrong.
Example: npm start -- --database socrates_specs --drill validation-failure`;

interface Options extends LocalRunOptions {
  readonly json: boolean;
  readonly help: boolean;
}

function readOptions(databases: readonly string[]): Options {
  const values = parse();
  const database = readDatabaseName(values.database, databases);
  for (const option of ['repositories', 'chunks-per-repo'] as const) {
    if (values[option] === undefined || database === CODEBASE_MCP) continue;
    throw new UsageError(`--${option} is for ${CODEBASE_MCP} only, and --database is "${database}"`);
  }
  return {
    database,
    databaseUrl: process.env.DATABASE_URL || undefined,
    size: {
      repositories: wholeNumber('repositories', values.repositories ?? '100', 1),
      chunksPerRepository: wholeNumber('chunks-per-repo', values['chunks-per-repo'] ?? '100', 1),
      seed: wholeNumber('seed', values.seed, 0),
    },
    drill: readDrill(values.drill),
    json: values.json,
    help: values.help,
  };
}

function parse() {
  return readArguments({
    database: { type: 'string', default: CODEBASE_MCP },
    // No default here: for another database they are refused if they were given.
    repositories: { type: 'string' },
    'chunks-per-repo': { type: 'string' },
    seed: { type: 'string', default: '1' },
    drill: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
}

function readDatabaseName(name: string, databases: readonly string[]): string {
  if (databases.includes(name)) return name;
  throw new UsageError(`--database is "${name}"; write one of: ${databases.join(', ')}`);
}

function readDrill(name: string | undefined): Drill | undefined {
  const drill = DRILLS.find((known) => known === name);
  if (name === undefined || drill) return drill;
  throw new UsageError(`--drill is "${name}"; write one of: ${DRILLS.join(', ')}`);
}

async function main(): Promise<number> {
  const databases = readDefinitions(MIGRATIONS).map(({ name }) => name);
  const options = readOptions(databases);
  if (options.help) {
    console.log(usage(databases));
    return 0;
  }
  // Loaded only now: --help and a wrong option should not wait for the CDK.
  const { runLocally } = await import('./local/run.ts');
  const { jsonDisplay, terminalDisplay } = await import('./local/terminal.ts');
  const display = options.json ? jsonDisplay(process.stdout) : terminalDisplay(process.stdout);
  const report = await runLocally(options, display);
  display.report(report);
  return report.execution.status === 'SUCCEEDED' ? 0 : 1;
}

await runProgram('npm start -- --help', main);
