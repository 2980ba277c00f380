// A server's address as the URL that people write into DATABASE_URL.
import type { ServerAddress } from '../../lib/twin/server.ts';

export function urlOf({ host, port, user, password, tls }: ServerAddress, database: string): string {
  const who = [user, password].map(encodeURIComponent).join(':');
  return `postgresql://${who}@${host}:${port}/${database}?${parametersOf(tls)}`;
}

function parametersOf(tls: ServerAddress['tls']): string {
  if (tls === 'off') return 'sslmode=disable';
  const authority = tls.caFile === undefined ? '' : `&sslrootcert=${encodeURIComponent(tls.caFile)}`;
  return `sslmode=verify-full${authority}`;
}
