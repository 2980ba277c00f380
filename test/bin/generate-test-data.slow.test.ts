// `npm run generate-test-data` as a program: the same data for the same seed, and all of it or nothing.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { downgrade, upgrade } from '../../lambda/migrator/migrator.ts';
import { ROOT } from '../../lib/paths.ts';
import { countRows } from '../../lib/twin/data/count.ts';
import { codebaseMcpTables } from '../../lib/twin/data/tables.ts';
import { makeDatabase, migratorOn, type TestDatabase, testServer } from '../setup/database.ts';
import { urlOf } from '../setup/url.ts';

const SIZE = { repositories: 2, chunksPerRepository: 15 };
const TABLES = codebaseMcpTables({ ...SIZE, seed: 1 });
const EXPECTED = Object.fromEntries(TABLES.map(({ table, count }) => [table, count]));
const NOTHING = Object.fromEntries(TABLES.map(({ table }) => [table, 0]));

async function generate(options: string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(ROOT, 'bin/generate-test-data.ts'), ...options], {
    env: { ...process.env, DATABASE_URL: '', ...environment },
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect(stdout + stderr).not.toContain(testServer.password);
  return { stdout, stderr, status };
}

/** Fills the database with the small size. */
function fill(database: TestDatabase, options: string[] = []) {
  const size = ['--repositories', '2', '--chunks-per-repo', '15'];
  return generate([...size, ...options], { DATABASE_URL: databaseUrl(database) });
}

function databaseUrl({ name, settings: { user, password } }: TestDatabase): string {
  return urlOf({ ...testServer, user, password }, name);
}

/** A new database at that revision, without a row. */
async function emptyAt(revision: string): Promise<TestDatabase> {
  const database = await makeDatabase('empty');
  await upgrade(migratorOn(database), revision);
  return database;
}

async function rowsOf(database: TestDatabase): Promise<Record<string, number>> {
  const client = await database.connect('test');
  try {
    return await countRows(client);
  } finally {
    await client.end();
  }
}

/** Every value of every column of all tables, defaults included. */
async function contentOf(database: TestDatabase): Promise<string> {
  const hash = createHash('sha256');
  for (const { table } of TABLES) {
    hash.update(JSON.stringify(await database.query(`SELECT t::text FROM ${table} AS t ORDER BY 1`)));
  }
  return hash.digest('hex');
}

describe('an empty database at 005', () => {
  const made: TestDatabase[] = [];
  const make = async () => {
    const database = await emptyAt('005');
    made.push(database);
    return database;
  };
  afterAll(() => Promise.all(made.map((database) => database.drop())));

  test('is filled, and can be upgraded and downgraded', async () => {
    const database = await make();
    const { stdout, stderr, status } = await fill(database);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toMatch(/^Filling \w+ on \S+: 2 repositories, 30 chunks, seed 1\n/);
    for (const [table, count] of Object.entries(EXPECTED)) {
      expect(stdout).toMatch(new RegExp(`^${table} +${count}$`, 'm'));
    }
    expect(await rowsOf(database)).toEqual(EXPECTED);
    await upgrade(migratorOn(database), '002');
    await downgrade(migratorOn(database), '005');
    expect(await rowsOf(database)).toEqual(EXPECTED);
  });

  test('gets the same rows for the same seed, and others for another seed', async () => {
    const [first, same, other] = [await make(), await make(), await make()];
    await fill(first, ['--seed', '7']);
    await fill(same, ['--seed', '7']);
    await fill(other, ['--seed', '8']);
    expect(await contentOf(same)).toBe(await contentOf(first));
    expect(await contentOf(other)).not.toBe(await contentOf(first));
  });

  test('is chosen by --url rather than DATABASE_URL, and --json prints only JSON', async () => {
    const [named, other] = [await make(), await make()];
    const { stdout, stderr, status } = await fill(other, ['--json', '--url', databaseUrl(named)]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toEqual({
      database: named.name,
      ...SIZE,
      seed: 1,
      rows: EXPECTED,
      durationMs: expect.any(Number),
    });
    expect(await rowsOf(other)).toEqual(NOTHING);
  });

  test('is unchanged if the last row fails, and can be filled afterwards', async () => {
    const database = await make();
    await database.query(
      `ALTER TABLE archived_work_items ADD CONSTRAINT no_more CHECK (title <> 'Archived 299')`,
    );
    const { stdout, stderr, status } = await fill(database, ['--json']);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toMatch(
      /^The test data could not be written; the database is as it was\nDETAIL: .*no_more/,
    );
    expect(await rowsOf(database)).toEqual(NOTHING);

    await database.query('ALTER TABLE archived_work_items DROP CONSTRAINT no_more');
    expect(await fill(database)).toMatchObject({ status: 0 });
  });
});

describe('a database that does not fit the data is not changed', () => {
  const REMEDY = 'npx backstop upgrade 005';

  test.each([
    ['base', 'archived_work_items, code_chunks, code_files,'],
    ['003', 'columns: tasks.'],
    ['002', 'archived_work_items, deployment_events,'],
  ])('at %s', async (revision, missing) => {
    const database = await emptyAt(revision);
    const { stdout, stderr, status } = await fill(database, ['--json']);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toMatch(/^The database has not all tables of revision 005\n/);
    expect(stderr).toContain(missing);
    expect(stderr).toContain(REMEDY);
    await database.drop();
  });

  test('with rows is refused, and the error names its tables and the remedy', async () => {
    const database = await makeDatabase('at005');
    await database.query('DELETE FROM repositories');
    const before = await rowsOf(database);
    const { stderr, status } = await fill(database);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^The database has rows already\nDETAIL: {2}In public\.tasks, public\.vendor_extractors,/,
    );
    expect(stderr).not.toMatch(/In .*public\.repositories/);
    expect(await rowsOf(database)).toEqual(before);

    await database.query(stderr.slice(stderr.indexOf('run: ') + 'run: '.length));
    expect(await fill(database)).toMatchObject({ status: 0 });
    await database.drop();
  });
});

test('generate-test-data --help explains the options, and exits with 0', async () => {
  const { stdout, stderr, status } = await generate(['--help']);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  for (const option of ['--repositories', '--chunks-per-repo', '--seed', '--url', '--json']) {
    expect(stdout).toContain(`  ${option}`);
  }
});

describe('generate-test-data with wrong options exits with 2 and one sentence', () => {
  test.each([
    [['--repositories', '0'], '--repositories is "0"; write a whole number, at least 1'],
    [['--chunks-per-repo', 'many'], '--chunks-per-repo is "many"; write a whole number, at least 1'],
    [['--seed=-1'], '--seed is "-1"; write a whole number, at least 0'],
    [['--seed'], "Option '--seed <value>' argument missing"],
    [['--speed', '9'], "Unknown option '--speed'"],
    [['005'], "Unexpected argument '005'"],
    [[], 'DATABASE_URL is not set'],
    [['--url', 'mysql://me:sesame@db/app'], '--url is not the URL of a PostgreSQL database'],
  ])('%j', async (options, sentence) => {
    const { stdout, stderr, status } = await generate(options);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toMatch(/^[^\n]+\nHINT: {2}[^\n]+\n$/);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('sesame');
  });
});

test('generate-test-data exits with 1 if the server cannot be reached', async () => {
  const { stderr, status } = await generate(['--url', 'postgresql://me:sesame@localhost:1/app', '--json']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The server at localhost:1 could not be reached\n/);
  expect(stderr).not.toContain('sesame');
});
