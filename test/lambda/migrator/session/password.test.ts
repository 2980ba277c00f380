// A connection without a password takes the same password as psql.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPassword } from '../../../../lambda/migrator/session/password.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { testServer } from '../../../setup/database.ts';

const CONNECTION = { host: 'db.example.com', port: 5432, database: 'app', user: 'owner' };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  file = join(folder, 'pgpass');
  delete process.env.PGPASSWORD;
  process.env.PGPASSFILE = file;
});
afterEach(() => {
  delete process.env.PGPASSWORD;
  delete process.env.PGPASSFILE;
  rmSync(folder, { recursive: true });
});

function writePasswords(text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}

test.each([
  ['the line that names everything', 'db.example.com:5432:app:owner:right'],
  ['a line with wildcards', '*:*:*:owner:right'],
  ['a line after a comment', '# *:*:*:*:wrong\n\n*:*:*:*:right\r\n'],
  ['a line after a line without a password', '*:*:*:owner\n*:*:*:*:right'],
  ['the first line that is for the connection', 'other:5432:app:owner:wrong\n*:*:app:*:right\n*:*:*:*:wrong'],
])('the password file decides by %s', async (_, text) => {
  writePasswords(text);
  expect(await findPassword(CONNECTION)).toBe('right');
});

test('a colon and a backslash in a password are escaped in the password file', async () => {
  writePasswords('*:*:*:*:a\\:b\\\\c');
  expect(await findPassword(CONNECTION)).toBe('a:b\\c');
});

test('PGPASSWORD comes before the password file', async () => {
  writePasswords('*:*:*:*:wrong');
  process.env.PGPASSWORD = 'right';
  expect(await findPassword(CONNECTION)).toBe('right');
});

test.each([
  ['there is no password file', () => {}],
  ['no line of the password file is for the connection', () => writePasswords('other:*:*:*:wrong')],
])('the password is empty if %s', async (_, given) => {
  given();
  expect(await findPassword(CONNECTION)).toBe('');
});

test('a password file that others may read is not used', async () => {
  writePasswords('*:*:*:*:wrong');
  chmodSync(file, 0o644);
  expect(await findPassword(CONNECTION)).toBe('');
});

test('a session of the administrator opens with the password of the password file', async () => {
  writePasswords(`${testServer.host}:${testServer.port}:postgres:${testServer.user}:${testServer.password}`);
  const { rows } = await withClient({ ...testServer, password: '' }, 'postgres', (client) =>
    client.query('SELECT 1 AS one'),
  );
  expect(rows).toEqual([{ one: 1 }]);
});
