// Databases for tests: each test has its own, copied from a template in a moment.
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import type { ProgressEvent } from '../../lambda/migrator/model/events.ts';
import { type Database, readDatabase } from '../../lambda/migrator/revisions/databases.ts';
import { type Connect, connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import type { Credentials, ServerAddress } from '../../lib/twin/server.ts';
import { addressOf } from '../../lib/twin/twin.ts';
import type { Templates } from './templates.ts';

/** The server that all tests share; its administrator. */
export const testServer: ServerAddress = JSON.parse(process.env.BACKSTOP_TEST_SERVER ?? '{}');
const templates: Templates = JSON.parse(process.env.BACKSTOP_TEST_TEMPLATES ?? '{}');

export interface TestDatabase {
  readonly name: string;
  /** As the owner, who is no superuser. */
  readonly settings: ConnectionSettings & Credentials;
  readonly connect: Connect;
  /** Runs one statement or more as the owner, and returns the rows of the last. */
  query(sql: string, values?: unknown[]): Promise<pg.QueryResultRow[]>;
  /** The same as the administrator, a superuser on the server that the tests start. */
  asAdministrator(sql: string): Promise<pg.QueryResultRow[]>;
  drop(): Promise<void>;
}

/** Connects the engine, whose sessions are named so, and tests, which write names as an application would. */
export function connectorFor(settings: ConnectionSettings): Connect {
  // On a busy machine, a connection may take long.
  const connect = connectorTo({ connectTimeoutMs: 120_000, ...settings });
  return async (session) => {
    const client = await connect(session);
    if (!session.startsWith('backstop')) await client.query('SET search_path = public');
    return client;
  };
}

/** Connects as the administrator, with the TLS settings of the owner. */
export function superuserOf({ settings }: Pick<TestDatabase, 'settings'>): Connect {
  return connectorFor({ ...settings, user: testServer.user, password: testServer.password });
}

/** `at005`: data in all thirteen tables. `empty`: nothing but the extension, and without it if `extension` is false. */
export async function makeDatabase(
  from: 'at005' | 'empty',
  { extension = true }: { extension?: boolean } = {},
): Promise<TestDatabase> {
  const name = `backstop_test_${randomBytes(5).toString('hex')}`;
  const { user } = templates.owner;
  await withClient(testServer, 'postgres', (client) =>
    client.query(`CREATE DATABASE ${name} TEMPLATE ${templates[from]} OWNER ${user}`),
  );
  const settings = { ...addressOf(testServer, name), ...templates.owner };
  const connect = connectorFor(settings);
  const database: TestDatabase = {
    name,
    settings,
    connect,
    async query(sql, values) {
      const client = await connect('test');
      try {
        return lastRows(await client.query(sql, values));
      } finally {
        await client.end();
      }
    },
    asAdministrator: (sql) =>
      withClient(testServer, name, async (client) => lastRows(await client.query(sql))),
    async drop() {
      await withClient(testServer, 'postgres', (client) =>
        client.query(`DROP DATABASE ${name} WITH (FORCE)`),
      );
    },
  };
  if (from === 'empty') {
    await database.asAdministrator(`ALTER SCHEMA public OWNER TO ${user}`);
    if (extension) await database.asAdministrator('CREATE EXTENSION IF NOT EXISTS vector');
  }
  return database;
}

function lastRows(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResultRow[] {
  return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
}

/** The chain of codebase_mcp, as it is deployed. */
export const codebaseMcp: Database = readDatabase(MIGRATIONS, 'codebase_mcp', await loadReader());

/** Options for a verb of the engine, and the events that it emitted. */
export function migratorOn(
  { connect }: Pick<TestDatabase, 'connect'>,
  options: Partial<MigratorOptions> = {},
): MigratorOptions & { readonly events: ProgressEvent[] } {
  const events: ProgressEvent[] = [];
  return { database: codebaseMcp, connect, listener: (event) => events.push(event), ...options, events };
}
