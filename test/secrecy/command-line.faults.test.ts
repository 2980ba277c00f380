// The command line with a password: whatever it does and however it fails, nothing shows the password.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../lib/paths.ts';
import { backstop } from '../bin/cli/program.ts';
import { makeDatabase, type TestDatabase, testServer } from '../setup/database.ts';
import { hold } from '../setup/sessions.ts';
import { urlOf } from '../setup/url.ts';
import { makeLogin, PASSWORD, type SecretScan, startScan } from './secret-scan.ts';

let database: TestDatabase;
let login: Awaited<ReturnType<typeof makeLogin>>;
let url: string;
beforeAll(async () => {
  database = await makeDatabase('at005');
  login = await makeLogin(database);
  url = urlOf({ ...testServer, user: login.settings.user, password: PASSWORD }, database.name);
});
afterAll(async () => {
  await login.drop();
  await database.drop();
});

/** Runs it, and returns the exit status; the scan searches its output and its log file. */
async function run(scan: SecretScan, args: readonly string[], env = url): Promise<number> {
  const file = join(scan.folder, 'log');
  const ending = await backstop([...args, '--log-file', file], { env: { DATABASE_URL: env } });
  scan.add(`backstop ${args[0]}`, ending);
  return ending.status;
}

test('no successful command shows the password', async () => {
  const scan = startScan();
  const verbs = [
    ['current', '--verbose'],
    ['upgrade', '--dry-run', '--json'],
    ['upgrade'],
    ['check'],
    ['status'],
    ['downgrade', '-1', '--yes'],
    ['upgrade', '--finalize', '--yes', '--json'],
    ['stamp', '002'],
    ['log', '--verbose', '--json'],
  ];
  for (const args of verbs) expect([args, await run(scan, args)]).toEqual([args, 0]);
  scan.add('the history', await database.query('SELECT * FROM backstop.history'));
  scan.expectNone();
});

const encoded = encodeURIComponent(PASSWORD);
const elsewhere = (host: string) => `postgresql://me:${encoded}@${host}/db`;

test.each<[what: string, url: () => string]>([
  [
    'a wrong password',
    () => urlOf({ ...testServer, user: database.settings.user, password: PASSWORD }, database.name),
  ],
  ['an unknown user', () => urlOf({ ...testServer, user: 'stranger', password: PASSWORD }, database.name)],
  ['a password in a parameter', () => `postgresql://me@127.0.0.1:1/db?password=${encoded}`],
  ['a password twice', () => `postgresql://me@127.0.0.1:1/db?password=${encoded}&password=${encoded}`],
  ['an unknown database', () => url.replace(database.name, 'nowhere')],
  ['a closed port', () => elsewhere('127.0.0.1:1')],
  ['an invalid port', () => elsewhere('127.0.0.1:port')],
  ['an unknown host', () => elsewhere('nowhere.invalid')],
  ['a password in the place of the database', () => `postgresql://me@127.0.0.1:1/?dbname=&x=${encoded}`],
  ['a password that is not encoded', () => `postgresql://me:${PASSWORD}@127.0.0.1:1/db`],
  ['a bare password', () => PASSWORD],
  ['another scheme', () => `mysql://me:${encoded}@127.0.0.1/db`],
  ['an invalid TLS mode', () => `${elsewhere('127.0.0.1:1')}?sslmode=${encoded}`],
  [
    'an authority that is no file',
    () => `${elsewhere('127.0.0.1:1')}?sslmode=verify-full&sslrootcert=/nowhere`,
  ],
  ['an authority that did not sign the certificate', () => `${url.replace(/\?.*/, '')}?sslmode=verify-full`],
])('no command shows a password when the URL has %s', async (_what, wrong) => {
  const scan = startScan();
  for (const args of [['current'], ['upgrade', '--json'], ['status']]) {
    expect(await run(scan, args, wrong())).toBeGreaterThan(0);
    // A password in an argument is visible to `ps`; Backstop must not print it in addition.
    expect(await run(scan, [...args, '--url', wrong()])).toBeGreaterThan(0);
  }
  scan.expectNone();
});

test('no command shows the password of a URL in the place of something else', async () => {
  const scan = startScan();
  const places = [
    [url],
    ['upgrade', url],
    ['upgrade', '--database', url],
    ['upgrade', '--migrations', url],
    ['upgrade', '--lock-wait', url],
    ['upgrade', 'head', url],
    ['upgrade', `--nothing=${url}`],
    ['log', '--limit', url],
  ];
  for (const args of places) expect([args, await run(scan, args)]).toEqual([args, 2]);
  scan.expectNone();
});

test('no command shows the password of a server that never answers', async () => {
  const scan = startScan();
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  expect(await run(scan, ['current'], `${elsewhere(`127.0.0.1:${port}`)}?sslmode=disable`)).toBe(1);
  silent.close();
  scan.expectNone();
});

test('no command shows the password when a lock is not granted', async () => {
  const scan = startScan();
  expect(await run(scan, ['downgrade', '005', '--yes'])).toBe(0);
  const holder = await hold(database, 'LOCK TABLE repositories');
  expect(await run(scan, ['upgrade', '--lock-wait', '0'])).toBe(1);
  await holder.release();
  scan.add('the history', await database.query('SELECT * FROM backstop.history'));
  scan.expectNone();
});

test('the password is not shown by a separate process that reads it from its environment', async () => {
  const scan = startScan(`DATABASE_URL=${url}`);
  for (const args of [['upgrade'], ['check', '--json'], ['current']]) {
    const child = spawn(process.execPath, [join(ROOT, 'bin/backstop.ts'), ...args], {
      env: { ...process.env, DATABASE_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    expect(status).toBe(0);
    scan.add(`backstop ${args[0]}`, out + err);
  }
  scan.expectNone();
});
