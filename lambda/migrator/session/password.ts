// The password that a connection's settings leave out: from PGPASSWORD or the password file, as psql reads them.
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSettings } from './settings.ts';

type Connection = Pick<ConnectionSettings, 'host' | 'port' | 'database' | 'user'>;

/**
 * Reads PGPASSWORD, or else the first line of the password file (PGPASSFILE, by default ~/.pgpass) that is for this
 * connection. The package `pgpass` takes a later line if several are for it.
 *
 * @returns '' if there is no password; node-postgres then fails with `client password must be a non-empty string`
 */
export async function findPassword({ host, port, database, user }: Connection): Promise<string> {
  const { PGPASSWORD } = process.env;
  if (PGPASSWORD) return PGPASSWORD;
  const wanted = [host, `${port}`, database, user];
  for (const line of (await readPasswordFile()).split(/\r?\n/)) {
    const fields = fieldsOf(line);
    const fits = wanted.every((value, index) => fields[index] === '*' || unescaped(fields[index]) === value);
    if (fits && fields[4] !== undefined) return unescaped(fields[4]);
  }
  return '';
}

/** '' if there is no file, or if others may read it: psql ignores it, too. */
async function readPasswordFile(): Promise<string> {
  const { PGPASSFILE, APPDATA = '' } = process.env;
  const windows = process.platform === 'win32';
  const usual = windows ? join(APPDATA, 'postgresql', 'pgpass.conf') : join(homedir(), '.pgpass');
  const file = PGPASSFILE || usual;
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return '';
  if (!windows && (found.mode & 0o077) !== 0) {
    process.stderr.write(`WARNING: ${file} is not used, because others may access it: chmod 0600 ${file}\n`);
    return '';
  }
  return readFile(file, 'utf8').catch(() => '');
}

/** Host, port, database, user and password, as they are written; a comment has no fields. */
function fieldsOf(line: string): string[] {
  return line.startsWith('#') ? [] : [...line.matchAll(/(?<=^|:)(?:\\.|[^:\\])*/g)].map(([field]) => field);
}

/** A colon and a backslash are written with a backslash before them. */
function unescaped(field = ''): string {
  return field.replace(/\\(.)/g, '$1');
}
