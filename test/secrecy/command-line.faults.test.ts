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
import { makeKeeper, PASSWORD, type Witness, watch } from './witness.ts';

let database: TestDatabase;
let keeper: Awaited<ReturnType<typeof makeKeeper>>;
let url: string;
beforeAll(async () => {
  database = await makeDatabase('at005');
  keeper = await makeKeeper(database);
  url = urlOf({ ...testServer, user: keeper.settings.user, password: PASSWORD }, database.name);
});
afterAll(async () => {
  await keeper.drop();
  await database.drop();
});

/** Runs it, and returns the exit status; the witness hears what it says, and its log file. */
async function run(witness: Witness, args: readonly string[], env = url): Promise<number> {
  const file = join(witness.folder, 'log');
  const ending = await backstop([...args, '--log-file', file], { env: { DATABASE_URL: env } });
  witness.hear(`backstop ${args[0]}`, ending);
  return ending.status;
}

test('what goes well', async () => {
  const witness = watch();
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
  for (const args of verbs) expect([args, await run(witness, args)]).toEqual([args, 0]);
  witness.hear('the history', await database.query('SELECT * FROM backstop.history'));
  witness.testify();
});

const encoded = encodeURIComponent(PASSWORD);
const elsewhere = (host: string) => `postgresql://me:${encoded}@${host}/db`;

test.each<[what: string, url: () => string]>([
  [
    'a wrong password',
    () => urlOf({ ...testServer, user: database.settings.user, password: PASSWORD }, database.name),
  ],
  [
    'a user that is not there',
    () => urlOf({ ...testServer, user: 'nobody', password: PASSWORD }, database.name),
  ],
  ['a password in a parameter', () => `postgresql://me@127.0.0.1:1/db?password=${encoded}`],
  ['a password twice', () => `postgresql://me@127.0.0.1:1/db?password=${encoded}&password=${encoded}`],
  ['a database that is not there', () => url.replace(database.name, 'nowhere')],
  ['a port that nobody listens on', () => elsewhere('127.0.0.1:1')],
  ['a port that is none', () => elsewhere('127.0.0.1:port')],
  ['a host that is not there', () => elsewhere('nowhere.invalid')],
  ['a password in the place of the database', () => `postgresql://me@127.0.0.1:1/?dbname=&x=${encoded}`],
  ['a password that is not encoded', () => `postgresql://me:${PASSWORD}@127.0.0.1:1/db`],
  ['a bare password', () => PASSWORD],
  ['another scheme', () => `mysql://me:${encoded}@127.0.0.1/db`],
  ['a TLS mode that is none', () => `${elsewhere('127.0.0.1:1')}?sslmode=${encoded}`],
  [
    'an authority that is no file',
    () => `${elsewhere('127.0.0.1:1')}?sslmode=verify-full&sslrootcert=/nowhere`,
  ],
  ['an authority of others', () => `${url.replace(/\?.*/, '')}?sslmode=verify-full`],
])('%s', async (_what, wrong) => {
  const witness = watch();
  for (const args of [['current'], ['upgrade', '--json'], ['status']]) {
    expect(await run(witness, args, wrong())).toBeGreaterThan(0);
    // Who writes it on the command line shows it to `ps` himself; we do not say it again.
    expect(await run(witness, [...args, '--url', wrong()])).toBeGreaterThan(0);
  }
  witness.testify();
});

test('a URL in the place of something else', async () => {
  const witness = watch();
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
  for (const args of places) expect([args, await run(witness, args)]).toEqual([args, 2]);
  witness.testify();
});

test('a server that never answers', async () => {
  const witness = watch();
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  expect(await run(witness, ['current'], `${elsewhere(`127.0.0.1:${port}`)}?sslmode=disable`)).toBe(1);
  silent.close();
  witness.testify();
});

test('a lock that is not granted', async () => {
  const witness = watch();
  expect(await run(witness, ['downgrade', '005', '--yes'])).toBe(0);
  const holder = await hold(database, 'LOCK TABLE repositories');
  expect(await run(witness, ['upgrade', '--lock-wait', '0'])).toBe(1);
  await holder.release();
  witness.hear('the history', await database.query('SELECT * FROM backstop.history'));
  witness.testify();
});

test('a process of its own, which is told by its environment', async () => {
  const witness = watch(`DATABASE_URL=${url}`);
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
    witness.hear(`backstop ${args[0]}`, out + err);
  }
  witness.testify();
});
