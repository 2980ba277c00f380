// The question before data is lost: asked only if data would be lost, and only yes confirms it.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { contentsOf } from './contents.ts';
import { backstop, databaseUrl } from './program.ts';
import { migrationsOf, RETIRING } from './project.ts';

const migrations = migrationsOf({ app: { revisions: RETIRING } });

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const run = (args: readonly string[], answers?: readonly string[]) =>
  backstop([...args, '--migrations', migrations], {
    env: { DATABASE_URL: databaseUrl(database) },
    ...(answers && { answers }),
  });

/** A database at that revision, with seven rows in the table that 002 retires. */
async function bring(to: string): Promise<void> {
  await run(['upgrade', '001']);
  await database.query('INSERT INTO one SELECT generate_series(1, 7)');
  await run(['upgrade', to]);
}

const LOSING = [
  [
    'a downgrade that loses rows',
    '001',
    ['downgrade', 'base'],
    'The downgrade to base',
    ['001: table_name public.one, rows 7'],
  ],
  [
    'a downgrade that does not declare what it loses',
    '003',
    ['downgrade', '-1'],
    'The downgrade to -1',
    ['003: the revision does not declare what would be lost'],
  ],
  ['a finalize that drops rows', '003', ['finalize'], 'The finalize', ['002: table_name one, rows 7']],
  [
    'an upgrade that finalizes a retired table',
    '002',
    ['upgrade', '--finalize'],
    'The finalize of the upgrade',
    ['002: table_name one, rows 7'],
  ],
  [
    'an upgrade that finalizes a table that it retires itself',
    '001',
    ['upgrade', '--finalize'],
    'The finalize of the upgrade',
    ['002: the revision does not declare what would be lost'],
  ],
] as const;

describe.each(LOSING)('%s', (_what, at, args, subject, lines) => {
  beforeEach(() => bring(at));

  test('asks or is refused, and changes nothing unless the answer is yes', async () => {
    const before = await contentsOf(database);
    for (const answer of ['', 'no', 'y', 'yes!']) {
      expect(await run(args, [answer])).toMatchObject({
        status: 2,
        out: [],
        err: [
          `${subject} would lose data:`,
          ...lines.map((line) => `  ${line}`),
          `InvalidInput: ${subject} was not confirmed`,
          'DETAIL:  Nothing was changed.',
        ],
        questions: ['Type yes to go on: '],
      });
    }
    expect(await run(args)).toMatchObject({
      status: 2,
      out: [],
      err: [
        `InvalidInput: ${subject} would lose data; confirm with --yes`,
        `DETAIL:  ${lines.join('; ')}`,
        'HINT:  Add --yes if you want to lose it.',
      ],
    });
    expect(await contentsOf(database)).toBe(before);

    expect(await run(args, [' YES '])).toMatchObject({ status: 0, questions: ['Type yes to go on: '] });
    expect(await contentsOf(database)).not.toBe(before);
  });

  test('runs with --yes and without a terminal', async () => {
    const before = await contentsOf(database);
    expect(await run([...args, '--yes'])).toMatchObject({ status: 0, questions: [] });
    expect(await contentsOf(database)).not.toBe(before);
  });
});

describe('no question is asked if no data would be lost', () => {
  test.each([
    ['a downgrade that restores a retired table', '002', ['downgrade', '001']],
    ['a downgrade to the current revision', '003', ['downgrade', '003']],
    ['an upgrade', '001', ['upgrade']],
    ['an upgrade that finalizes nothing', '001', ['upgrade', '001', '--finalize']],
    ['a finalize of nothing', '001', ['finalize']],
    ['a stamp', '003', ['stamp', '001']],
  ])('%s', async (_what, at, args) => {
    await bring(at);
    expect(await run(args, [])).toMatchObject({ status: 0, questions: [] });
  });

  test('such as with empty tables', async () => {
    await run(['upgrade', '002']);
    expect(await run(['finalize'])).toMatchObject({ status: 0 });
    expect(await run(['downgrade', 'base'])).toMatchObject({ status: 0 });
  });
});

test('a loss check that fails stops the downgrade, but not with --yes', async () => {
  await bring('001');
  const blind = migrationsOf({
    app: {
      revisions: [
        { id: '001', downgrade: ['DROP TABLE one;'], checks: { 'before-downgrade': ['SELECT 1 / 0;'] } },
      ],
    },
  });
  const env = { DATABASE_URL: databaseUrl(database) };
  const down = ['downgrade', 'base', '--migrations', blind];
  const asked = await backstop(down, { env, answers: ['yes'] });
  expect(asked).toMatchObject({ status: 1, questions: [] });
  expect(asked.err[0]).toContain('check V1.1 of 001');
  expect(await backstop([...down, '--yes'], { env })).toMatchObject({ status: 0 });
});

test('with --json the question is not part of the document', async () => {
  await bring('001');
  const { status, out, err } = await run(['downgrade', 'base', '--json'], ['no']);
  expect(status).toBe(2);
  expect(JSON.parse(out.join('\n'))).toMatchObject({ error: 'InvalidInput', detail: 'Nothing was changed.' });
  expect(err[0]).toBe('The downgrade to base would lose data:');
});
