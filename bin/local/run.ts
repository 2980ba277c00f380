// One local run, from an empty machine to the report: server, data, synthesis, execution, count.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import { current } from '../../lambda/migrator/inspect.ts';
import { type Database, readDatabase } from '../../lambda/migrator/revisions/databases.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import type { Drill } from '../../lambda/state.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { STACK, synthesize } from '../../lib/synthesize.ts';
import { contentOf } from '../../lib/twin/data/content.ts';
import { countRows } from '../../lib/twin/data/count.ts';
import type { DataSize } from '../../lib/twin/data/tables.ts';
import { localDatabases } from '../../lib/twin/databases.ts';
import { type Deployment, readDeployment } from '../../lib/twin/deployment.ts';
import { startServer } from '../../lib/twin/server.ts';
import { prepareDatabase, startTwin } from '../../lib/twin/twin.ts';
import { describeDenials } from './denied.ts';
import { type LocalReport, makeReport, type Rows } from './report.ts';
import type { Display } from './terminal.ts';

export interface LocalRunOptions {
  /** A key of migrations/databases.json. */
  readonly database: string;
  /** The URL of a server to use; without it, one is started. The run creates its own database there, and drops it. */
  readonly databaseUrl: string | undefined;
  /** The numbers of rows apply to codebase_mcp only, the seed to every database. */
  readonly size: DataSize;
  readonly drill: Drill | undefined;
}

/** Runs the pipeline once, and removes everything it made, also if it fails or is interrupted. */
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
  const migrations = readDatabase(MIGRATIONS, database, await loadReader());
  try {
    const content = contentOf(database, size);
    display.stage(`Making database ${name} with ${content.description}`);
    const settings = await prepareDatabase(server, name, migrations, content, display.progress);
    const { rows: before } = await findOut(migrations, settings);
    display.stage('Synthesizing the stack');
    const deployment = synthesizeLocally();
    const twin = await startTwin(server, { [database]: settings }, deployment);
    display.stage(`Starting the state machine on PostgreSQL ${server.majorVersion}`);
    const watching = setInterval(() => {
      const taken = [...twin.endpoint.snapshots.values()].find(({ status }) => status === 'creating');
      if (taken) display.progress(taken.percentProgress, 100);
    }, 100);
    try {
      const execution = await twin.execute({ database, ...(drill && { drill }) }, display.event);
      const { revision, rows: after } = await findOut(migrations, settings);
      const denials = describeDenials(twin.endpoint.judged);
      const durationMs = performance.now() - started;
      return makeReport({ execution, revision, before, after, denials, durationMs });
    } finally {
      clearInterval(watching);
      await twin.stop();
    }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await server.stop();
  }
}

/** The stack of cdk.json, with the local databases, and with drills allowed. */
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

async function findOut(
  database: Database,
  settings: ConnectionSettings,
): Promise<{ revision: string; rows: Rows }> {
  const connect = connectorTo(settings);
  const client = await connect('backstop local count');
  try {
    return { revision: await current({ database, connect }), rows: await countRows(client) };
  } finally {
    await client.end();
  }
}
