// Two heads: a verb that has a database says which of them is to come last.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import type { RevisionDraft } from '../../setup/revisions.ts';
import { backstop, databaseUrl, document, pretendVersions, UNREACHABLE } from './program.ts';
import { migrationsOf } from './project.ts';

const A: RevisionDraft = { id: 'a' };
const LEFT: RevisionDraft = { id: 'left', revises: 'a' };
const LATER: RevisionDraft = { id: 'later', revises: 'left' };
const RIGHT: RevisionDraft = { id: 'right', revises: 'a' };
const forked = migrationsOf({ app: { revisions: [A, LEFT, LATER, RIGHT] } });
const MESSAGE = 'RevisionInvalid: left and right both revise a: the chain has two heads';
const PLAIN = 'HINT:  Let one of them revise the other.';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const on = (migrations: string, ...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });
const applied = (...revisions: RevisionDraft[]) => on(migrationsOf({ app: { revisions } }), 'upgrade');

const LET_RIGHT = [
  MESSAGE,
  'DETAIL:  This database has applied left, and not right.',
  'HINT:  Let right come last: write "-- Revises: later" in right/upgrade.sql.',
];

test.each<[what: string, prepare: () => Promise<unknown>, lines: string[]]>([
  ['one is applied', () => applied(A, LEFT), LET_RIGHT],
  ['a revision behind it is applied', () => applied(A, LEFT, LATER), LET_RIGHT],
  ['another tool applied one', () => pretendVersions(database, ['later']), LET_RIGHT],
  [
    'the other one is applied',
    () => applied(A, RIGHT),
    [
      MESSAGE,
      'DETAIL:  This database has applied right, and not left.',
      'HINT:  Let left come last: write "-- Revises: right" in left/upgrade.sql.',
    ],
  ],
  ['neither is applied', () => applied(A), [MESSAGE, PLAIN]],
  ['both are applied', () => applied(A, LEFT, { ...RIGHT, revises: 'left' }), [MESSAGE, PLAIN]],
])('the hint fits a database in which %s', async (_what, prepare, lines) => {
  await prepare();
  expect(await on(forked, 'upgrade')).toMatchObject({ status: 1, err: lines });
});

test.each(['status', 'upgrade --all', 'current', 'check', 'log', 'stamp a'])(
  '%s has the hint, too',
  async (command) => {
    await applied(A, LEFT);
    expect(await on(forked, ...command.split(' '))).toMatchObject({ status: 1, err: LET_RIGHT });
  },
);

test('the document of --json has the hint, too', async () => {
  await applied(A, LEFT);
  expect(document(await on(forked, 'upgrade', '--json'))).toMatchObject({
    error: 'RevisionInvalid',
    hint: 'Let right come last: write "-- Revises: later" in right/upgrade.sql.',
  });
});

test('without a database that answers, the hint is the plain one', async () => {
  for (const env of [{}, { DATABASE_URL: UNREACHABLE }, { DATABASE_URL: 'nonsense' }]) {
    const { status, err } = await backstop(['upgrade', '--migrations', forked], { env });
    expect({ status, err }).toEqual({ status: 1, err: [MESSAGE, PLAIN] });
  }
});

test('a verb that only reads the folders connects to no database', async () => {
  await applied(A, LEFT);
  for (const args of [['heads'], ['history'], ['show', 'a'], ['revision', '-m', 'x'], ['upgrade', '--sql']]) {
    expect((await on(forked, ...args)).err).toEqual([MESSAGE, PLAIN]);
  }
});

describe('a revision that was merged late', () => {
  const late = migrationsOf({
    app: { revisions: [A, RIGHT, { ...LEFT, revises: 'right' }, { ...LATER, revises: 'left' }] },
  });
  const SUMMARY = 'Revision right was never applied here, and the database is at left';
  beforeEach(() => applied(A, LEFT));

  test('is reported by current below the revision, with the exit status 1', async () => {
    const { status, out, err } = await on(late, 'current');
    expect({ status, out, summary: err[0] }).toEqual({
      status: 1,
      out: ['left'],
      summary: `RevisionOutOfOrder: ${SUMMARY}`,
    });
    expect(document(await on(late, 'current', '--json'))).toMatchObject({
      revision: 'left',
      error: 'RevisionOutOfOrder',
      message: SUMMARY,
    });
  });

  test('is reported by status', async () => {
    const { status, out } = await on(late, 'status');
    expect(status).toBe(1);
    expect(out[0]).toMatch(new RegExp(`^❌ app: out of order: ${SUMMARY}\\. If the changes are `));
    expect(document(await on(late, 'status', '--json'))).toMatchObject({
      databases: [{ database: 'app', error: 'RevisionOutOfOrder' }],
    });
  });

  test('is declared as applied by a stamp', async () => {
    expect(await on(late, 'stamp', 'left')).toMatchObject({ status: 0 });
    expect(await on(late, 'current')).toMatchObject({ status: 0, out: ['left'], err: [] });
    expect(await on(late, 'upgrade')).toMatchObject({ status: 0 });
  });
});
