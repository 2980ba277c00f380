// Sessions of the administrator: one connection a task, verified and closed.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { findPassword } from '../../../lambda/migrator/session/password.ts';
import type { Credentials, ServerAddress } from './server.ts';

/** Opens a session, does the work in it and closes it; throws what node-postgres throws. */
export async function withClient<T>(
  { host, port, user, password, tls }: ServerAddress,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const ssl = tls === 'off' ? false : { rejectUnauthorized: true, ...(await authority(tls.caFile)) };
  const client = new Client({
    host,
    port,
    user,
    password: password || (() => findPassword({ host, port, user, database })),
    database,
    ssl,
    // A busy machine may need more than ten seconds to fork.
    connectionTimeoutMillis: 30_000,
  });
  // A lost connection fails the query that needs it; without a listener the event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function authority(caFile: string | undefined): Promise<{ ca?: string }> {
  return caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') };
}

export async function createDatabase(client: Client, name: string, template = 'template1'): Promise<void> {
  await client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`);
}

export async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
}

/** A role with its own password; the administrator may make it the owner of his objects. */
export async function createRole(client: Client, name: string): Promise<Credentials> {
  const password = randomBytes(18).toString('base64url');
  const role = escapeIdentifier(name);
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD ${escapeLiteral(password)}`);
  await client.query(`GRANT ${role} TO CURRENT_USER`);
  return { user: name, password };
}

export async function dropRole(client: Client, name: string): Promise<void> {
  await client.query(`DROP ROLE IF EXISTS ${escapeIdentifier(name)}`);
}
