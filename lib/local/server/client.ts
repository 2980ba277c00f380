// Sessions of the administrator: one connection a task, verified and closed.
import { readFile } from 'node:fs/promises';
import { Client, escapeIdentifier } from 'pg';
import type { ServerAddress } from './server.ts';

/** Opens a session, does the work in it and closes it; throws what node-postgres throws. */
export async function withClient<T>(
  { host, port, user, password, tls }: ServerAddress,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const ssl = tls === 'off' ? false : { ca: await readFile(tls.caFile, 'utf8') };
  const client = new Client({ host, port, user, password, database, ssl, connectionTimeoutMillis: 10_000 });
  // A lost connection fails the query that needs it; without a listener the event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

export async function createDatabase(client: Client, name: string, template = 'template1'): Promise<void> {
  await client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`);
}

export async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
}
