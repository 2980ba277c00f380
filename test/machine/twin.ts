// The deployed state machine on a separate test database: executes an input, and compares the database before and after.
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readVersions } from '../../lambda/migrator/database/version-table.ts';
import { READINGS_FILE, readFolder } from '../../lambda/migrator/grammar/bundled.ts';
import { upgrade } from '../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import type { AnyEnding } from '../../lambda/migrator/model/errors.ts';
import { BASE } from '../../lambda/migrator/model/report.ts';
import { readRefusals } from '../../lambda/migrator/revisions/databases.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import { promiseOf } from '../../lambda/promises.ts';
import type { DeployedDatabases } from '../../lambda/runtime/environment.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { countRows } from '../../lib/twin/data/count.ts';
import { localDatabase } from '../../lib/twin/databases.ts';
import { type Deployment, readDeployment } from '../../lib/twin/deployment.ts';
import type { Execution, ExecutionEvent } from '../../lib/twin/execution.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import { useGiven } from '../../lib/twin/server/given.ts';
import type { LocalServer } from '../../lib/twin/server.ts';
import { startTwin, type Twin } from '../../lib/twin/twin.ts';
import { readAssembly } from '../setup/assembly.ts';
import { makeDatabase, migratorOn, type TestDatabase, testServer } from '../setup/database.ts';
import { reader } from '../setup/revisions.ts';
import { dumpSchema } from '../setup/schema-dump.ts';
import { urlOf } from '../setup/url.ts';

const assembly = process.env.BACKSTOP_TEST_ASSEMBLY ?? '';

/** The deployment of the stack in cdk.json; it allows drills. */
export const deployed: Deployment = readDeployment(await readAssembly(assembly), 'Backstop');

/** The endings that the revisions declare. */
export const refusals = readRefusals(MIGRATIONS);

/** A secret that no log, output, error or history of an execution may contain. */
export const NEVER_SEEN = 'a-password-that-must-not-be-seen';

/** Replaces variables in the environment of every function. */
export function withEnvironment(environment: Readonly<Record<string, string>>): Deployment {
  const functions = [...deployed.functions].map(
    ([arn, each]) => [arn, { ...each, environment: { ...each.environment, ...environment } }] as const,
  );
  return { ...deployed, functions: new Map(functions) };
}

/** Functions of a deployment with these databases, and no other, and with these variables. */
export function withDatabases(
  databases: DeployedDatabases,
  environment: Readonly<Record<string, string>> = {},
): Deployment {
  const file = join(mkdtempSync(join(assembly, 'databases-')), 'databases.json');
  writeFileSync(file, JSON.stringify(databases));
  return withEnvironment({ ...environment, BACKSTOP_DATABASES: file });
}

/** Environment variables of the function of one state, from the template. */
export function environmentOf(state: string): Readonly<Record<string, string>> {
  const { Resource: arn } = deployed.definition.States[state] as { Resource: string };
  return deployed.functions.get(arn)?.environment ?? {};
}

/** Gives the function of one state another time limit. */
export function withTimeout(state: string, timeoutSeconds: number): Deployment {
  const { Resource: arn } = deployed.definition.States[state] as { Resource: string };
  const functions = [...deployed.functions].map(
    ([other, each]) => [other, other === arn ? { ...each, timeoutSeconds } : each] as const,
  );
  return { ...deployed, functions: new Map(functions) };
}

/** Functions with changed revisions: a copy of migrations/, beside their code, after `change`. */
export function withMigrations(change: (folder: string) => void): Deployment {
  const folder = mkdtempSync(join(assembly, 'migrations-'));
  cpSync(MIGRATIONS, folder, { recursive: true });
  change(folder);
  writeFileSync(join(folder, READINGS_FILE), JSON.stringify(readFolder(folder, reader)));
  return withEnvironment({ BACKSTOP_MIGRATIONS: join('..', basename(folder)) });
}

export interface TwinOptions {
  /**
   * State of the database: revision `005`, revision `002` before finalize, or empty, with the extension or without it.
   * @default '005'
   */
  readonly at?: '005' | '002' | 'empty' | 'without extension';
  readonly deployment?: Deployment;
  /** Connections to further databases, by name in migrations/databases.json. */
  readonly beside?: Readonly<Record<string, ConnectionSettings>>;
  /** Replaces properties of the server. */
  readonly server?: Partial<LocalServer>;
}

export interface TestTwin extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly endpoint: Twin['endpoint'];
  /** The state that the execution is in. */
  readonly state: string;
  /** Executes an input, and expects no secret in its output; `ended` is called before the database is read again. */
  execute(input: unknown, ended?: () => Promise<unknown>): Promise<Run>;
}

/** The contents of the database; a retired table counts under its own name. */
export interface Look {
  readonly revision: string;
  readonly rows: Readonly<Record<string, number>>;
  /** Schema public as text. */
  readonly schema: string;
}

export interface Run {
  readonly execution: Execution;
  readonly events: readonly ExecutionEvent[];
  readonly before: Look;
  readonly after: Look;
}

export async function makeTwin(options: TwinOptions = {}): Promise<TestTwin> {
  const { at = '005', deployment = deployed } = options;
  const database = await databaseAt(at);
  // Beside many others, a connection may take long.
  const server = await useGiven(`${urlOf(testServer, 'postgres')}&connect_timeout=120`);
  const databases = { codebase_mcp: database.settings, ...options.beside };
  const twin = await startTwin({ ...server, ...options.server }, databases, deployment);
  let state = '';
  return {
    database,
    endpoint: twin.endpoint,
    get state() {
      return state;
    },
    async execute(input, ended) {
      const events: ExecutionEvent[] = [];
      const before = await lookInto(database.name);
      const execution = await twin.execute(input, (event) => {
        events.push(event);
        if (event.type === 'entered') state = event.state;
      });
      await ended?.();
      const after = await lookInto(database.name);
      await expectNoSecret(database, execution, events);
      return { execution, events, before, after };
    },
    async [Symbol.asyncDispose]() {
      await twin.stop();
      await database.drop();
      await server.stop();
    },
  };
}

async function databaseAt(at: NonNullable<TwinOptions['at']>): Promise<TestDatabase> {
  if (at === 'empty' || at === 'without extension')
    return makeDatabase('empty', { extension: at === 'empty' });
  const database = await makeDatabase('at005');
  // Many set-ups at once make the estimate of the lock a long one.
  const bounds = { ...DEFAULT_BOUNDS, maxLockMs: 60_000 };
  if (at === '002') await upgrade(migratorOn(database, { bounds }), 'head');
  return database;
}

export async function lookInto(database: string): Promise<Look> {
  return withClient(testServer, database, async (client) => ({
    revision: (await readVersions(client)).join(', ') || BASE,
    rows: await countRows(client),
    schema: await dumpSchema(client),
  }));
}

/** Adds a snapshot of codebase_mcp's instance, taken on this day of January 2025. */
export function addSnapshot(
  { snapshots, tags }: Twin['endpoint'],
  id: string,
  day: number,
  tag: [string, string],
): void {
  const arn = `arn:aws:rds:eu-central-1:111122223333:snapshot:${id}`;
  snapshots.set(arn, {
    kind: 'instance',
    identifier: id,
    source: localDatabase('codebase_mcp').identifier,
    database: 'codebase_mcp',
    engine: 'postgres',
    engineVersion: '18',
    createdAt: new Date(Date.UTC(2025, 0, day)),
    status: 'available',
    percentProgress: 100,
  });
  tags.set(arn, new Map([tag]));
}

/** No log line, no state, no output, no error, no event and no line of the history holds a password. */
async function expectNoSecret(
  { settings, asAdministrator }: TestDatabase,
  execution: Execution,
  events: readonly ExecutionEvent[],
): Promise<void> {
  const [found] = await asAdministrator("SELECT to_regclass('backstop.history') AS history");
  const history = found?.history ? await asAdministrator('SELECT * FROM backstop.history') : [];
  const pieces = [execution, ...events, ...history].map((piece) => JSON.stringify(piece));
  for (const secret of [settings.password, NEVER_SEEN]) {
    expect(pieces.filter((piece) => piece.includes(secret))).toEqual([]);
  }
}

/** An ending, and the circumstances that lead to it. */
export interface Case extends TwinOptions {
  readonly when: string;
  readonly ending: AnyEnding;
  /** Parts of the sentence with which the execution ends. */
  readonly says: readonly string[];
  /** @default {} */
  readonly input?: unknown;
  /** Prepares the database and the account. */
  readonly given?: (twin: TestTwin) => unknown;
}

/** Provokes an ending, and checks its name, its sentence and its promise. For `test.each('$ending: $when')`. */
export async function provoke({ ending, says, input = {}, given, ...options }: Case): Promise<Run> {
  await using twin = await makeTwin(options);
  await given?.(twin);
  const run = await twin.execute(input);
  expectEnding(run, ending, ...says);
  return run;
}

/** Every sentence ends with a remedy. */
const REMEDY = /HINT: {2}\S/;

export function expectEnding({ execution, before, after }: Run, ending: AnyEnding, ...says: string[]): void {
  expect({ error: execution.error, cause: execution.cause }).toEqual({
    error: ending,
    cause: expect.stringMatching(REMEDY),
  });
  expect(execution.status).toBe('FAILED');
  for (const part of says) expect(execution.cause).toContain(part);
  expect(after.rows).toEqual(before.rows);
  const promise = promiseOf(ending, refusals).database;
  if (promise === 'at target') expect(after.revision).toBe('002');
  if (promise === 'unchanged' || promise === 'downgraded') expect(after).toEqual(before);
}
