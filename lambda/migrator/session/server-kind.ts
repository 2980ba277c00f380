// Standbys: a server that only reads is refused, with the address of the server that writes.
import { BackstopError } from '../model/errors.ts';
import { answered, type Client } from './client.ts';

/** The reader endpoint of an Aurora cluster; its writer has the same name without `-ro`. */
const AURORA_READER = /^([^.]+\.cluster)-ro(-[^.]+\.[^.]+\.rds\.amazonaws\.com(?:\.cn)?)$/i;

/** The connection of the standby to its primary. The setting that names the primary is not read: it may hold a password. */
const SENDER = `
  SELECT sender_host AS host, sender_port AS port FROM pg_catalog.pg_stat_get_wal_receiver()
  WHERE sender_host IS NOT NULL`;

/** For the answer, in ms. */
const SENDER_MS = 2_000;

/** Throws ReadOnlyServer if the server is a standby. */
export async function requirePrimary(client: Client): Promise<void> {
  if (!client.isStandby) return;
  const { host, port } = client;
  throw new BackstopError('ReadOnlyServer', {
    message: `The server at ${host}:${port} is a standby, which only reads`,
    hint: await remedyOf(client),
  });
}

async function remedyOf(client: Client): Promise<string> {
  const writer = writerOf(client.host);
  if (writer !== undefined) return `Connect to the writer endpoint of the cluster: ${writer}`;
  // The columns are NULL for a role that may not read them.
  const answer = client.query<{ host: string; port: number }>(SENDER).then(({ rows }) => rows[0]);
  const sender = await answered(client, answer, SENDER_MS).catch(() => undefined);
  if (sender === undefined) return 'Connect to the primary, or to the writer endpoint of the cluster.';
  return `Connect to the primary. This standby receives its data from ${sender.host}:${sender.port}.`;
}

/** The writer endpoint of the Aurora cluster with this reader endpoint. */
export function writerOf(host: string): string | undefined {
  const parts = AURORA_READER.exec(host);
  return parts ? `${parts[1]}${parts[2]}` : undefined;
}
