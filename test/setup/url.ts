// A server's address as the URL that people write into DATABASE_URL.
import type { ServerAddress } from '../../lib/local/server/index.ts';

export function urlOf({ host, port, user, password, tls }: ServerAddress, database: string): string {
  const who = [user, password].map(encodeURIComponent).join(':');
  const how = tls === 'off' ? '' : `?sslmode=verify-full&sslrootcert=${encodeURIComponent(tls.caFile)}`;
  return `postgresql://${who}@${host}:${port}/${database}${how}`;
}
