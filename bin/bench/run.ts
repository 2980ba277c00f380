// One benchmark: starts a server, measures a database of each size and the functions, and removes everything.
import { cpus, release, totalmem, type } from 'node:os';
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import { readDatabase } from '../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { CODEBASE_MCP } from '../../lib/twin/databases.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import { type LocalServer, startServer } from '../../lib/twin/server.ts';
import { measureBundles } from '../bundles/measure.ts';
import { runLocally } from '../local/run.ts';
import { measureSize, type Subject } from './measure.ts';
import type { Machine, Results, SizeResults } from './results.ts';
import { addVectors, hasHnsw, makeTemplate, requireSpace } from './template.ts';

/** Beyond this many chunks the three-phase method takes hours with a vector index. */
const MOST_WITH_VECTORS = 100_000;
const BUNDLE_RUNS = 5;
/** The settings that influence how long a scan or a commit takes. */
const SETTINGS = ['shared_buffers', 'fsync', 'max_wal_size', 'jit'];

/** As on RDS, which gives a quarter of the memory to shared_buffers, and loses no commit. */
function settings(): string[] {
  return [`shared_buffers=${Math.floor(totalmem() / 4 / 1024 ** 2)}MB`, 'fsync=on'];
}

export interface BenchOptions {
  /** The URL of a server to use; without it, one is started. */
  readonly databaseUrl: string | undefined;
  /** Numbers of chunks, each a multiple of the 100 repositories. */
  readonly sizes: readonly number[];
  /** How often each method runs on each size. */
  readonly runs: number;
  /** Whether the functions are measured, too: their bundles, and their memory in an execution. */
  readonly functions: boolean;
}

/** Shows the current work and its progress. */
export interface BenchDisplay {
  stage(text: string): void;
  progress(done: number, total: number): void;
}

/**
 * Measures all that the options ask for.
 *
 * @throws Error in the shape of the engine's errors if the disk is too small
 */
export async function runBench(
  { databaseUrl, sizes, runs, functions }: BenchOptions,
  display: BenchDisplay,
): Promise<Results> {
  // Another server's disk is its own matter.
  if (databaseUrl === undefined) await requireSpace(Math.max(...sizes));
  const server = await startServer(databaseUrl, settings());
  const interrupted = () => void server.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const machine = await describeMachine(server);
    const results: SizeResults[] = [];
    for (const chunks of sizes) results.push(...(await benchSize(server, chunks, runs, display)));
    const date = new Date().toISOString().slice(0, 10);
    return { date, machine, sizes: results, ...(functions && { functions: await benchFunctions(display) }) };
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await server.stop();
  }
}

/** Without a vector index, and with one if the server supports it. */
async function benchSize(
  server: LocalServer,
  chunks: number,
  runs: number,
  display: BenchDisplay,
): Promise<SizeResults[]> {
  const database = readDatabase(MIGRATIONS, CODEBASE_MCP, await loadReader());
  const name = `backstop_bench_${process.pid}_${chunks}`;
  display.stage(`Filling a database with ${chunks} chunks`);
  const template = await makeTemplate(server, database, name, chunks, display.progress);
  const measure = (vectorIndex: Subject['vectorIndex'], often: number) => {
    display.stage(
      `Running both methods ${often} times in turn${vectorIndex === 'none' ? '' : `, with ${vectorIndex}`}`,
    );
    return measureSize({ server, database, template, vectorIndex }, often, display.progress);
  };
  const results = [await measure('none', runs)];
  if (chunks <= MOST_WITH_VECTORS && (await hasHnsw(server, template))) {
    display.stage('Building an HNSW index');
    await addVectors(server, template);
    // There the other method takes minutes.
    results.push(await measure('hnsw', chunks < MOST_WITH_VECTORS ? runs : 1));
  }
  await server.dropDatabase(name);
  return results;
}

async function benchFunctions({ stage, progress }: BenchDisplay): Promise<Results['functions']> {
  stage('Running the state machine');
  const { functions } = await runLocally(
    {
      database: CODEBASE_MCP,
      databaseUrl: undefined,
      size: { repositories: 100, chunksPerRepository: 100, seed: 1 },
      drill: undefined,
    },
    { stage: () => {}, progress, event: () => {}, report: () => {} },
  );
  stage(`Loading each bundle ${BUNDLE_RUNS} times`);
  return measureBundles(BUNDLE_RUNS).map((bundle) => {
    const measured = functions[bundle.name];
    return measured ? { ...bundle, peakMemoryMb: measured.peakMemoryMb } : bundle;
  });
}

async function describeMachine(server: LocalServer): Promise<Machine> {
  const asked = await withClient(server, 'postgres', async (client) => {
    const { rows } = await client.query<{ name: string; value: string }>(
      `SELECT name, current_setting(name) AS value FROM pg_settings
       WHERE name = ANY ($1) OR name = 'server_version' ORDER BY name`,
      [SETTINGS],
    );
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  });
  const { server_version: postgres = '', ...settings } = asked;
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    postgres,
    settings,
  };
}
