// The main job on this machine, from nothing to the report: server, data, synthesis, execution, count.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDatabase } from '../../lambda/migrator/databases.ts';
import { BASE } from '../../lambda/migrator/report.ts';
import { type ConnectionSettings, connectorTo } from '../../lambda/migrator/session.ts';
import { readVersions } from '../../lambda/migrator/version-table.ts';
import type { Drill } from '../../lambda/state.ts';
import { MIGRATIONS } from '../paths.ts';
import { STACK, synthesize } from '../synthesize.ts';
import { contentOf } from './data/content.ts';
import { countRows } from './data/count.ts';
import type { DataSize } from './data/tables.ts';
import { localDatabases } from './databases.ts';
import { type Deployment, readDeployment } from './deployment.ts';
import { type LocalReport, makeReport, type Rows } from './report.ts';
import { startServer } from './server/index.ts';
import type { Display } from './terminal.ts';
import { prepareDatabase, startTwin } from './twin.ts';

export interface LocalRunOptions {
  /** A key of migrations/databases.json. */
  readonly database: string;
  /** A server to use; without one, one is started. The run makes a database of its own there, and drops it. */
  readonly databaseUrl: string | undefined;
  /** How much of it there is applies to codebase_mcp alone; the seed to every database. */
  readonly size: DataSize;
  readonly drill: Drill | undefined;
}

/** Runs the pipeline once. Everything it made is gone when it returns, also when it fails or is interrupted. */
export async function runLocally(
  { database, databaseUrl, size, drill }: LocalRunOptions,
  display: Display,
): Promise<LocalReport> {
  const started = performance.now();
  display.stage(databaseUrl ? 'Connecting to PostgreSQL' : 'Starting PostgreSQL');
  const server = await startServer(databaseUrl);
  const interrupted = () => void server.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const name = databaseUrl ? `backstop_local_${process.pid}` : database;
  try {
    const content = contentOf(database, size);
    display.stage(`Making database ${name} with ${content.description}`);
    const settings = await prepareDatabase(
      server,
      name,
      readDatabase(MIGRATIONS, database),
      content,
      display.progress,
    );
    const { rows: before } = await look(settings);
    display.stage('Synthesising the stack');
    const deployment = synthesizeLocally();
    const twin = await startTwin(server, { [database]: settings }, deployment);
    display.stage(`Starting the state machine on PostgreSQL ${server.majorVersion}`);
    const watching = setInterval(() => {
      const taken = [...twin.endpoint.snapshots.values()].find(({ status }) => status === 'creating');
      if (taken) display.progress(taken.percentProgress, 100);
    }, 100);
    try {
      const execution = await twin.execute({ database, ...(drill && { drill }) }, display.event);
      const { revision, rows: after } = await look(settings);
      return makeReport({ execution, revision, before, after, durationMs: performance.now() - started });
    } finally {
      clearInterval(watching);
      await twin.stop();
    }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await server.stop();
  }
}

/** The stack of cdk.json, with the local databases, and drills allowed. */
function synthesizeLocally(): Deployment {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-cdk-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const assembly = synthesize(folder, {
    allowDrills: true,
    databases: localDatabases(),
    delivery: undefined,
  });
  return readDeployment(assembly, STACK);
}

async function look(settings: ConnectionSettings): Promise<{ revision: string; rows: Rows }> {
  const client = await connectorTo(settings)('backstop local count');
  try {
    return { revision: (await readVersions(client)).join(', ') || BASE, rows: await countRows(client) };
  } finally {
    await client.end();
  }
}
