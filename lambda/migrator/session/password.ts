// The password of a connection whose settings have none: from PGPASSWORD or the password file, as psql reads them.
import readPasswordFile from 'pgpass';
import type { ConnectionSettings } from './session.ts';

/**
 * Reads PGPASSWORD, or else the first line of the password file (PGPASSFILE, by default ~/.pgpass) that is for this
 * connection. A file that others may read is not used, and a warning on standard error says so.
 *
 * @returns '' if there is no password; node-postgres then fails with `client password must be a non-empty string`
 */
export async function findPassword(
  connection: Pick<ConnectionSettings, 'host' | 'port' | 'database' | 'user'>,
): Promise<string> {
  const { PGPASSWORD } = process.env;
  if (PGPASSWORD) return PGPASSWORD;
  return new Promise((resolve) => {
    readPasswordFile(connection, (password) => resolve(password ?? ''));
  });
}
