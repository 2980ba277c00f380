// Socrates on the command line: two databases, two branches, one command, and nothing written to the wrong database.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIGRATIONS } from '../../../lib/paths.ts';
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { dumpSchema } from '../../setup/schema-dump.ts';
import { backstop, type Circumstances, databaseUrl, document, type Ending, UNREACHABLE } from './program.ts';
import { fillIn } from './project.ts';

let auth: TestDatabase;
let specs: TestDatabase;
beforeEach(async () => {
  [auth, specs] = await Promise.all([empty(), empty()]);
});
afterEach(async () => {
  await Promise.all([auth.drop(), specs.drop()]);
});

const empty = () => makeDatabase('empty', { extension: false });
const env = (change: Circumstances['env'] = {}): Circumstances => ({
  env: { DATABASE_URL_AUTH: databaseUrl(auth), DATABASE_URL_SPECS: databaseUrl(specs), ...change },
});
const run = (line: string, circumstances = env()): Promise<Ending> =>
  backstop(line.split(' '), circumstances);

async function schema({ connect }: TestDatabase): Promise<string> {
  const client = await connect('test');
  return dumpSchema(client).finally(() => client.end());
}

test('upgrade --all ends with the lines of the guide', async () => {
  const { status, out } = await run('upgrade --all');
  expect(out.slice(-2)).toEqual(['✅ socrates_auth: 002 (head)', '✅ socrates_specs: 009 (head)']);
  expect(status).toBe(0);
});

test('status without UTF-8 is plain text, and fails before the first run', async () => {
  const { status, out } = await run('status', { ...env(), unicode: false });
  expect(out).toEqual([
    'FAILED socrates_auth: uninitialized, behind (2 pending: 001, 002)',
    'FAILED socrates_specs: uninitialized, behind (7 pending: 003, 004, 005, 006, 007, 008, 009)',
  ]);
  expect(status).toBe(1);
});

test.each([
  ['upgrade --check-status', ['socrates_auth', 'socrates_specs']],
  ['upgrade --all --check-status', ['socrates_auth', 'socrates_specs']],
  ['status --auth-only', ['socrates_auth']],
  ['status --specs-only', ['socrates_specs']],
  ['status --database socrates_specs', ['socrates_specs']],
])('%s shows the status, and writes nothing', async (line, names) => {
  const before = await Promise.all([schema(auth), schema(specs)]);
  const { status, out } = await run(line);
  expect(out.map((text) => text.split(' ')[1])).toEqual(names.map((name) => `${name}:`));
  expect(status).toBe(1);
  expect(await Promise.all([schema(auth), schema(specs)])).toEqual(before);
});

test.each([
  ['--auth-only', '✅ socrates_auth: 002 (head)', () => specs],
  ['--specs-only', '✅ socrates_specs: 009 (head)', () => auth],
])('upgrade %s does not change the other database', async (flag, line, other) => {
  const before = await schema(other());
  const { status, out } = await run(`upgrade ${flag}`);
  expect({ status, last: out.at(-1) }).toEqual({ status: 0, last: line });
  expect(await schema(other())).toBe(before);
});

test('the targets of the guide work, each on its own branch', async () => {
  const steps: [line: string, database: string, revision: string][] = [
    ['upgrade auth@head', 'socrates_auth', '002'],
    ['downgrade auth@-1', 'socrates_auth', '001'],
    ['upgrade specs@+2', 'socrates_specs', '004'],
    ['upgrade 005 --database socrates_specs', 'socrates_specs', '005'],
    ['upgrade +3 --database socrates_specs', 'socrates_specs', '008'],
    ['downgrade -1 --database socrates_specs', 'socrates_specs', '007'],
    ['upgrade specs@007+1', 'socrates_specs', '008'],
    ['downgrade specs@base', 'socrates_specs', 'base'],
  ];
  for (const [line, database, revision] of steps) {
    expect({ line, status: (await run(line)).status }).toEqual({ line, status: 0 });
    const current = document(await run(`current --json --database ${database}`));
    expect(current).toMatchObject({ database, revision });
  }
});

test('history and heads show the label of the branch', async () => {
  expect((await run('history --database socrates_auth')).out).toEqual([
    '001 -> 002 (auth) (head), Admin management',
    '<base> -> 001 (auth), Initial auth schema',
  ]);
  expect((await run('heads --database socrates_specs')).out).toEqual(['009 (specs) (head)']);
});

test('of four upgrades at once one does the work, and the others have nothing to do', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map(() => run('upgrade --all')));
  expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
  const done = (name: string) => (line: string) => line === `Already at ${name}, nothing to do`;
  for (const head of ['002', '009']) {
    expect(runs.filter(({ out }) => out.some(done(head)))).toHaveLength(3);
  }
  const history = 'SELECT outcome FROM backstop.history';
  expect([await auth.query(history), await specs.query(history)]).toEqual([
    [{ outcome: 'upgraded' }],
    [{ outcome: 'upgraded' }],
  ]);
});

/** Makes the first revision of auth fail. */
const block = () => auth.query('CREATE TABLE refresh_tokens (id integer)');

test('--all stops at the first failure, and still shows the status of every database', async () => {
  await block();
  const { status, out, err } = await run('upgrade --all');
  expect(status).toBe(1);
  expect(err.join('\n')).toContain('refresh_tokens');
  expect(out.slice(-2)).toEqual([
    '❌ socrates_auth: uninitialized, behind (2 pending: 001, 002)',
    '❌ socrates_specs: uninitialized, behind (7 pending: 003, 004, 005, 006, 007, 008, 009)',
  ]);
});

test('--all --keep-going goes on after a failure, and still fails in the end', async () => {
  await block();
  const { status, out } = await run('upgrade --all --keep-going');
  expect(status).toBe(1);
  expect(out.at(-1)).toBe('✅ socrates_specs: 009 (head)');
  const json = document(await run('upgrade --all --keep-going --json')) as Record<string, unknown>;
  expect(json).toMatchObject({
    runs: [
      { database: 'socrates_auth', error: 'MigrationFailed' },
      { database: 'socrates_specs', report: { outcome: 'nothing to do' } },
    ],
    databases: [
      { database: 'socrates_auth', head: false },
      { database: 'socrates_specs', head: true },
    ],
  });
});

test('--all --dry-run changes nothing', async () => {
  const before = await Promise.all([schema(auth), schema(specs)]);
  const { out } = await run('upgrade --all --dry-run');
  expect(out.filter((line) => line.includes('Dry run'))).toHaveLength(2);
  expect(await Promise.all([schema(auth), schema(specs)])).toEqual(before);
});

describe('bad input', () => {
  let before: string[];
  beforeEach(async () => {
    before = await Promise.all([schema(auth), schema(specs)]);
  });
  afterEach(async () => {
    expect(await Promise.all([schema(auth), schema(specs)])).toEqual(before);
  });

  test('two URLs for the same database are refused, even if written differently', async () => {
    const inOtherWords = databaseUrl(auth).replace('postgresql:', 'postgres+asyncpg:');
    const { status, err } = await run('upgrade --all', env({ DATABASE_URL_SPECS: inOtherWords }));
    expect(status).toBe(2);
    expect(err).toEqual([
      'ConfigurationError: DATABASE_URL_AUTH and DATABASE_URL_SPECS name the same database',
      'HINT:  Correct one of them, or unset it.',
    ]);
  });

  test.each([
    ['upgrade --auth-only --specs-only', '--auth-only and --specs-only exclude each other'],
    ['upgrade --all --database socrates_auth --specs-only', 'exclude each other'],
    ['upgrade 002 --all', '"002" is the target of one database, and this command upgrades more'],
    ['upgrade --all --finalize', '--finalize'],
    ['upgrade --all --sql', '--sql'],
    ['status --url postgresql://me@here/app', '--url is the URL of one database'],
    ['upgrade absent@head', "No such branch: 'absent'"],
    ['upgrade auth@head --database socrates_specs', "No such branch: 'auth'"],
    ['current --database absent', 'There is no database "absent"'],
  ])('%s is refused', async (line, sentence) => {
    const { status, err } = await run(line);
    expect(err[0]).toContain(sentence);
    expect(err[1]).toMatch(/^(HINT|DETAIL): {2}\S/);
    expect(status).toBeGreaterThan(0);
  });

  test('a missing variable fails its own database only', async () => {
    const { status, out } = await run('status', env({ DATABASE_URL_SPECS: undefined }));
    expect(status).toBe(1);
    expect(out[1]).toContain('DATABASE_URL_SPECS is not set');
  });

  test('without any URL the command fails with one sentence', async () => {
    const { status, err } = await run('status', { env: {} });
    expect(status).toBe(2);
    expect(err[0]).toBe('ConfigurationError: No database URL is set');
  });

  test('a server that is down fails its own line only', async () => {
    const { status, out } = await run('status', env({ DATABASE_URL_SPECS: UNREACHABLE }));
    expect(status).toBe(1);
    expect(out[0]).toMatch(/^❌ socrates_auth: uninitialized/);
    expect(out[1]).toMatch(
      /^❌ socrates_specs: unreachable: The server at 127\.0\.0\.1:1 could not be reached/,
    );
    expect(out.join()).not.toContain('sesame');
  });
});

test('a URL that leads to the other database is refused by every verb', async () => {
  await run('upgrade --all');
  const before = await Promise.all([schema(auth), schema(specs)]);
  const swapped = env({ DATABASE_URL_AUTH: databaseUrl(specs), DATABASE_URL_SPECS: databaseUrl(auth) });
  for (const line of [
    'upgrade auth@head',
    'downgrade specs@-1 --yes',
    'stamp auth@001',
    'current --database socrates_specs',
  ]) {
    const { status, err } = await run(line, swapped);
    expect({ line, status, name: err[0]?.split(':')[0] }).toEqual({ line, status: 1, name: 'WrongDatabase' });
  }
  const { out } = await run('status', swapped);
  expect(out[0]).toMatch(/^❌ socrates_auth: wrong database: .* leads to a database of socrates_specs/);
  expect(await Promise.all([schema(auth), schema(specs)])).toEqual(before);
});

test('a revision of the other branch is refused, and the error names that branch', async () => {
  await run('upgrade --all');
  await auth.query("UPDATE alembic_version SET version_num = '009'");
  const { status, err } = await run('upgrade auth@head');
  expect(status).toBe(1);
  expect(err).toEqual([
    expect.stringContaining("UnknownRevision: Can't locate revision identified by '009'"),
    expect.stringContaining('009 is a revision of socrates_specs'),
    expect.stringContaining('npx backstop stamp 002 --purge --database socrates_auth'),
  ]);
});

test('a new revision takes the next number of the whole system, and upgrades and downgrades at once', async () => {
  const migrations = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  cpSync(MIGRATIONS, migrations, { recursive: true });
  const here = `--migrations ${migrations}`;
  await run(`upgrade --all ${here}`);
  const made = await backstop(
    ['revision', '-m', 'add new feature', '--database', 'socrates_specs', '--migrations', migrations],
    env(),
  );
  expect(made.status).toBe(0);
  expect(readdirSync(join(migrations, 'socrates_specs'))).toContain('010_add_new_feature');
  fillIn(join(migrations, 'socrates_specs/010_add_new_feature'));
  const before = await schema(specs);
  expect((await run(`upgrade specs@head ${here}`)).status).toBe(0);
  expect((await run(`check --database socrates_specs ${here}`)).status).toBe(0);
  expect((await run(`downgrade specs@-1 ${here}`)).status).toBe(0);
  expect((await run(`check after-downgrade --database socrates_specs ${here}`)).status).toBe(0);
  expect(await schema(specs)).toBe(before);
  await backstop(
    ['revision', '-m', 'Another one!', '--database', 'socrates_auth', '--migrations', migrations],
    env(),
  );
  expect(readdirSync(join(migrations, 'socrates_auth'))).toContain('011_another_one');
  rmSync(migrations, { recursive: true });
});
