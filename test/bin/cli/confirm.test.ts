// The question before data is lost: only where something would be, and nothing but yes is a yes.
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
    'a downgrade that does not say what it loses',
    '003',
    ['downgrade', '-1'],
    'The downgrade to -1',
    ['003: what it would lose is not known beforehand'],
  ],
  ['a finalize that drops rows', '003', ['finalize'], 'The finalize', ['002: table_name one, rows 7']],
  [
    'an upgrade that finalizes what is retired',
    '002',
    ['upgrade', '--finalize'],
    'The finalize of the upgrade',
    ['002: table_name one, rows 7'],
  ],
  [
    'an upgrade that finalizes what it retires itself',
    '001',
    ['upgrade', '--finalize'],
    'The finalize of the upgrade',
    ['002: what it would lose is not known beforehand'],
  ],
] as const;

describe.each(LOSING)('%s', (_what, at, args, subject, lines) => {
  beforeEach(() => bring(at));

  test('asks or refuses, and changes nothing unless the answer is yes', async () => {
    const before = await contentsOf(database);
    for (const answer of ['', 'no', 'y', 'yes!']) {
      expect(await run(args, [answer])).toMatchObject({
        status: 2,
        out: [],
        err: [
          `${subject} loses data:`,
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
        `InvalidInput: ${subject} loses data, and nobody is here to confirm it`,
        `DETAIL:  ${lines.join('; ')}`,
        'HINT:  Add --yes if that is meant.',
      ],
    });
    expect(await contentsOf(database)).toBe(before);

    expect(await run(args, [' YES '])).toMatchObject({ status: 0, questions: ['Type yes to go on: '] });
    expect(await contentsOf(database)).not.toBe(before);
  });

  test('is done with --yes where nobody is there', async () => {
    const before = await contentsOf(database);
    expect(await run([...args, '--yes'])).toMatchObject({ status: 0, questions: [] });
    expect(await contentsOf(database)).not.toBe(before);
  });
});

describe('nothing is asked where nothing would be lost', () => {
  test.each([
    ['a downgrade that gives back what was retired', '002', ['downgrade', '001']],
    ['a downgrade to where the database is', '003', ['downgrade', '003']],
    ['an upgrade', '001', ['upgrade']],
    ['an upgrade that finalizes, where nothing is retired', '001', ['upgrade', '001', '--finalize']],
    ['a finalize, where nothing is retired', '001', ['finalize']],
    ['a stamp', '003', ['stamp', '001']],
  ])('%s', async (_what, at, args) => {
    await bring(at);
    expect(await run(args, [])).toMatchObject({ status: 0, questions: [] });
  });

  test('because the tables are empty', async () => {
    await run(['upgrade', '002']);
    expect(await run(['finalize'])).toMatchObject({ status: 0 });
    expect(await run(['downgrade', 'base'])).toMatchObject({ status: 0 });
  });
});

test('a check that cannot foresee the loss stops whoever is asked, not whoever is certain', async () => {
  await bring('001');
  const blind = migrationsOf({
    app: { revisions: [{ id: '001', checks: { 'before-downgrade': ['SELECT 1 / 0;'] } }] },
  });
  const env = { DATABASE_URL: databaseUrl(database) };
  const down = ['downgrade', 'base', '--migrations', blind];
  const asked = await backstop(down, { env, answers: ['yes'] });
  expect(asked).toMatchObject({ status: 1, questions: [] });
  expect(asked.err[0]).toContain('check V1.1 of 001');
  expect(await backstop([...down, '--yes'], { env })).toMatchObject({ status: 0 });
});

test('with --json the question is no part of the document', async () => {
  await bring('001');
  const { status, out, err } = await run(['downgrade', 'base', '--json'], ['no']);
  expect(status).toBe(2);
  expect(JSON.parse(out.join('\n'))).toMatchObject({ error: 'InvalidInput', detail: 'Nothing was changed.' });
  expect(err[0]).toBe('The downgrade to base loses data:');
});
