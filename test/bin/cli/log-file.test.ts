// --log-file: every printed line is kept with its time; nothing runs if the file cannot be written.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { backstop, databaseUrl, document, UNREACHABLE } from './program.ts';
import { folderOf, migrationFiles } from './project.ts';

const migrations = folderOf(migrationFiles({ app: { revisions: [{ id: '001' }] } }));
const file = join(migrations, 'run.log');

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterAll(() => database.drop());

const run = (...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });

test('the file keeps every printed line with its time, and the next run appends to it', async () => {
  const { out } = await run('upgrade', '--log-file', file);
  await run('upgrade', 'nowhere', '--log-file', file);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z .*\S/);
  const told = lines.map((line) => line.slice(line.indexOf(' ') + 1));
  expect(told.slice(0, out.length)).toEqual(out);
  expect(told.some((line) => line.startsWith("UnknownRevision: Can't locate revision"))).toBe(true);
});

test('a file that cannot be written is refused before a connection is made', async () => {
  const missing = join(migrations, 'nowhere', 'run.log');
  const { status, out, err } = await backstop(
    ['upgrade', '--migrations', migrations, '--log-file', missing],
    { env: { DATABASE_URL: UNREACHABLE } },
  );
  expect({ status, out }).toEqual({ status: 2, out: [] });
  expect(err[0]).toBe(`ConfigurationError: The log file ${missing} cannot be written`);
});

test('a file that cannot be written is one document with --json', async () => {
  const ending = await backstop([
    'heads',
    '--migrations',
    migrations,
    '--log-file',
    join(migrations, 'nowhere', 'run.log'),
    '--json',
  ]);
  expect(document(ending)).toMatchObject({ error: 'ConfigurationError' });
});

test('a URL instead of a file name is refused, and not printed', async () => {
  const { status, out, err } = await backstop([
    'heads',
    '--migrations',
    migrations,
    '--log-file',
    UNREACHABLE,
  ]);
  expect(status).toBe(2);
  expect([...out, ...err].join('\n')).not.toContain('sesame');
});
