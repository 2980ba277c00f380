// `target_session_attrs`: whether the server is a primary, or writable, as the URL asks.
import type pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import type { ConnectionSettings } from './settings.ts';

/** Throws DatabaseUnreachable if the server is another one. */
export async function requireKind(
  client: pg.Client,
  { host, port, server }: ConnectionSettings,
): Promise<void> {
  if (server === undefined) return;
  const { rows } = await client.query<{ standby: boolean; writes: boolean }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS standby,
            pg_catalog.current_setting('transaction_read_only') = 'off' AS writes`,
  );
  const { standby, writes } = rows[0] ?? { standby: true, writes: false };
  if (!standby && (writes || server === 'primary')) return;
  throw new BackstopError('DatabaseUnreachable', {
    message: `The server at ${host}:${port} ${standby ? 'is a standby' : 'lets the session only read'}`,
    detail: `The URL asks for target_session_attrs=${server}.`,
    hint: standby
      ? 'Connect to the primary.'
      : 'Let the user and the database write: default_transaction_read_only must be off.',
  });
}
