// Flags that databases.json adds to the command line, and the errors of flags that it cannot add.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backstop, document, type Ending, UNREACHABLE } from './program.ts';
import { type DatabaseDraft, migrationsOf } from './project.ts';

type Flags = NonNullable<DatabaseDraft['flags']>;

/** A migrations folder with these databases, which have one revision each. */
function migrationsWith(flags: Readonly<Record<string, Flags>>): string {
  const drafts = Object.entries(flags).map(([name, its]): [string, DatabaseDraft] => [
    name,
    {
      system: 'shop',
      urlVariable: `${name.toUpperCase()}_URL`,
      flags: its,
      revisions: [{ id: `${name}_1` }],
    },
  ]);
  return migrationsOf(Object.fromEntries(drafts));
}

const SHOP = migrationsWith({
  orders: { only: '--sales', status: '--look' },
  invoices: { only: '--sales' },
  stock: { only: '--stock-only', status: '--look' },
  other: {},
});

const run = (migrations: string, ...args: string[]): Promise<Ending> =>
  backstop([...args, '--migrations', migrations], {
    env: { ORDERS_URL: UNREACHABLE, INVOICES_URL: '', STOCK_URL: '', OTHER_URL: '' },
  });

/** The databases that a call was about. */
async function databasesOf(...args: string[]): Promise<string[]> {
  const answer = document(await run(SHOP, ...args, '--json')) as { databases: { database: string }[] };
  return answer.databases.map(({ database }) => database);
}

describe('an "only" flag', () => {
  test.each([
    ['--sales', ['orders', 'invoices']],
    ['--stock-only', ['stock']],
  ])('%s chooses the databases that declare it, for status and upgrade', async (flag, names) => {
    expect(await databasesOf('status', flag)).toEqual(names);
    expect(await databasesOf('upgrade', flag, '--keep-going')).toEqual(names);
  });

  test.each([
    [['upgrade', '--sales', '--sql'], "Option '--sales' cannot be used with option '--sql'"],
    [['upgrade', '--sales', '--finalize'], "Option '--sales' cannot be used with option '--finalize'"],
    [['upgrade', '--sales', '--stock-only'], 'InvalidInput: --sales and --stock-only exclude each other'],
    [
      ['status', '--database', 'orders', '--sales'],
      'InvalidInput: --database and --sales exclude each other',
    ],
    [['downgrade', 'base', '--sales'], "Unknown option '--sales'"],
    [['status', '--look'], "Unknown option '--look'"],
  ])('is refused in %j', async (args, sentence) => {
    const { status, out, err } = await run(SHOP, ...args);
    expect({ status, out, first: err[0] }).toEqual({ status: 2, out: [], first: sentence });
  });
});

describe('a "status" flag', () => {
  test('shows the status, alone, with --all and with an "only" flag, and upgrades nothing', async () => {
    const all = ['orders', 'invoices', 'stock', 'other'];
    expect(await databasesOf('upgrade', '--look')).toEqual(all);
    expect(await databasesOf('upgrade', '--look', '--all')).toEqual(all);
    expect(await databasesOf('upgrade', '--look', '--stock-only')).toEqual(['stock']);
    expect(document(await run(SHOP, 'upgrade', '--look', '--json'))).not.toHaveProperty('runs');
  });

  test('cannot be used with --sql', async () => {
    const { status, err } = await run(SHOP, 'upgrade', '--look', '--sql');
    expect({ status, first: err[0] }).toEqual({
      status: 2,
      first: "Option '--look' cannot be used with option '--sql'",
    });
  });
});

describe('the help', () => {
  test('describes the flags of the folder that --migrations names', async () => {
    const help = (await run(SHOP, 'upgrade', '--help')).out.join('\n');
    expect(help).toMatch(/--sales +only orders and invoices$/m);
    expect(help).toMatch(/--stock-only +only stock$/m);
    expect(help).toMatch(/--look +upgrade nothing; show the status of every database$/m);
    const equals = await backstop(['status', `--migrations=${SHOP}`, '--help']);
    expect(equals.out.join('\n')).toMatch(/--sales +only orders and invoices$/m);
    expect(equals.out.join('\n')).not.toContain('--look');
    expect((await backstop(['status', '--help'])).out.join('\n')).toMatch(
      /--auth-only +only socrates_auth$/m,
    );
  });

  test.each([
    ['a databases.json that is not JSON', '{'],
    [
      'a databases.json with a flag that is not one',
      '{"a": {"folder": "a", "urlVariable": "A", "flags": {"only": "x"}}}',
    ],
  ])('can be read beside %s, which the verb reports', async (_what, text) => {
    const migrations = migrationsWith({ a: {} });
    writeFileSync(join(migrations, 'databases.json'), text);
    expect(await run(migrations, 'upgrade', '--help')).toMatchObject({ status: 0, err: [] });
    const { status, err } = await run(migrations, 'status');
    expect({ status, first: err[0] }).toEqual({
      status: 1,
      first: 'RevisionInvalid: databases.json cannot be read',
    });
  });
});

describe('a flag that is ambiguous is RevisionInvalid for every verb, and the help can be read', () => {
  test.each<[what: string, databases: Readonly<Record<string, Flags>>, summary: string, detail: string]>([
    [
      'a flag of the verb',
      { a: { only: '--dry-run' }, b: { only: '--dry-run' } },
      'the command line has a flag --dry-run already',
      '--dry-run is declared by a, b.',
    ],
    [
      'a flag of every verb',
      { a: { only: '--json' } },
      'the command line has a flag --json already',
      '--json is declared by a.',
    ],
    [
      'a flag of the program',
      { a: { status: '--version' } },
      'the command line has a flag --version already',
      '--version is declared by a.',
    ],
    [
      'a flag with two meanings',
      { a: { only: '--fast' }, b: { status: '--fast' } },
      '--fast is both an "only" and a "status" flag',
      '--fast is declared by a, b.',
    ],
    [
      'a flag with two meanings in one database',
      { a: { only: '--fast', status: '--fast' } },
      '--fast is both an "only" and a "status" flag',
      '--fast is declared by a.',
    ],
  ])('%s', async (_what, databases, summary, detail) => {
    const migrations = migrationsWith(databases);
    for (const args of [['heads'], ['status'], ['upgrade']]) {
      expect(await run(migrations, ...args)).toMatchObject({
        status: 1,
        out: [],
        err: [
          `RevisionInvalid: databases.json adds an ambiguous flag: ${summary}`,
          `DETAIL:  ${detail}`,
          'HINT:  Choose another name for it in databases.json, under "flags".',
        ],
      });
    }
    expect(await run(migrations, 'upgrade', '--help')).toMatchObject({ status: 0, err: [] });
  });
});

test('an ambiguous flag runs nothing if it is typed', async () => {
  const migrations = migrationsWith({ a: { only: '--fast' }, b: { status: '--fast' } });
  const { status, err } = await run(migrations, 'upgrade', '--fast');
  expect({ status, name: err[0]?.split(':')[0] }).toEqual({ status: 1, name: 'RevisionInvalid' });
});

test.each([
  ['--no-sales'],
  ['sales'],
  ['-s'],
  ['--Sales'],
  ['--sales-'],
  ['--'],
  ['--sales <x>'],
  ['--a--b'],
  ['--a-1'],
])('%j cannot be a flag', async (flag) => {
  const { status, err } = await run(migrationsWith({ a: { only: flag } }), 'heads');
  expect({ status, first: err[0] }).toEqual({
    status: 1,
    first: 'RevisionInvalid: databases.json cannot be read',
  });
  expect(err[1]).toContain('a flag is written like --orders-only');
});
