// `target_session_attrs`: whether the server is a primary, as the URL asks.
import type pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import type { ConnectionSettings } from './settings.ts';

/** Throws DatabaseUnreachable if the server is another one. A session on a primary can write: it is made so. */
export async function requireKind(
  client: pg.Client,
  { host, port, server }: ConnectionSettings,
): Promise<void> {
  if (server === undefined) return;
  const { rows } = await client.query<{ standby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS standby',
  );
  if (rows[0]?.standby === false) return;
  throw new BackstopError('DatabaseUnreachable', {
    message: `The server at ${host}:${port} is a standby`,
    detail: 'The URL asks for a server that can be written to, in target_session_attrs.',
    hint: 'Connect to the primary.',
  });
}
