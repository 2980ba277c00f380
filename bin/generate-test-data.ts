#!/usr/bin/env node
// `npm run generate-test-data`: fills a codebase_mcp database at 005 with rows to try the migration on.
import { BackstopError } from '../lambda/migrator/model/errors.ts';
import { connectorTo } from '../lambda/migrator/session/connection.ts';
import { parseDatabaseUrl } from '../lambda/migrator/session/database-url.ts';
import type { ConnectionSettings } from '../lambda/migrator/session/settings.ts';
import { fillDatabase } from '../lib/twin/data/fill.ts';
import type { DataSize } from '../lib/twin/data/tables.ts';
import { Bar } from './local/terminal.ts';
import { readArguments, runProgram, wholeNumber } from './program.ts';

const USAGE = `Fills the empty tables of a database at revision 005, in one transaction.

Usage: npm run generate-test-data -- [options]

  --repositories N      number of repositories (default 100)
  --chunks-per-repo N   number of chunks in each repository (default 100)
  --seed N              the same seed makes the same data (default 1)
  --url URL             URL of the database to fill (default: the value of DATABASE_URL)
  --json                prints the number of rows as one JSON document and nothing else
                        (npm run --silent generate-test-data -- --json)
  --help                prints this text

Exit status: 0 filled, 1 failed and wrote nothing, 2 the options are wrong.
Example: npm run generate-test-data -- --repositories 100 --chunks-per-repo 1000`;

interface Options {
  readonly settings: ConnectionSettings;
  readonly size: DataSize;
  readonly json: boolean;
}

/** Returns undefined for --help. */
function readOptions(): Options | undefined {
  const values = parse();
  if (values.help) return undefined;
  return {
    size: {
      repositories: wholeNumber('repositories', values.repositories, 1),
      chunksPerRepository: wholeNumber('chunks-per-repo', values['chunks-per-repo'], 1),
      seed: wholeNumber('seed', values.seed, 0),
    },
    settings: readSettings(values.url),
    json: values.json,
  };
}

function parse() {
  return readArguments({
    repositories: { type: 'string', default: '100' },
    'chunks-per-repo': { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    url: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
}

function readSettings(url: string | undefined): ConnectionSettings {
  if (url !== undefined) return parseDatabaseUrl(url, '--url');
  if (process.env.DATABASE_URL) return parseDatabaseUrl(process.env.DATABASE_URL, 'DATABASE_URL');
  throw new BackstopError('ConfigurationError', {
    message: 'DATABASE_URL is not set: it is the URL of the database to fill',
    hint: 'Run: export DATABASE_URL=postgresql://user:password@host:5432/codebase_mcp',
  });
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  const { settings, size, json } = options;
  const started = performance.now();
  if (!json) console.log(announcement(options));
  const rows = await fill(settings, size, new Bar(json ? process.stderr : process.stdout));
  const durationMs = Math.round(performance.now() - started);
  const { database } = settings;
  console.log(
    json ? JSON.stringify({ database, ...size, rows, durationMs }, null, 2) : summary(rows, durationMs),
  );
  return 0;
}

async function fill(settings: ConnectionSettings, size: DataSize, bar: Bar): Promise<Record<string, number>> {
  const client = await connectorTo(settings)('backstop generate-test-data');
  try {
    return await fillDatabase(client, size, (done, total) => bar.show(done, total));
  } finally {
    bar.end();
    await client.end();
  }
}

function announcement({ settings: { database, host, port }, size }: Options): string {
  const { repositories, chunksPerRepository, seed } = size;
  return `Filling ${database} on ${host}:${port}: ${repositories} repositories, ${repositories * chunksPerRepository} chunks, seed ${seed}`;
}

function summary(rows: Readonly<Record<string, number>>, durationMs: number): string {
  const lines = Object.entries(rows).map(
    ([table, number]) => `${table.padEnd(28)}${String(number).padStart(10)}`,
  );
  return [...lines, `Done in ${(durationMs / 1000).toFixed(1)} s`].join('\n');
}

await runProgram('npm run generate-test-data -- --help', main);
