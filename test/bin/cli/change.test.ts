// The verbs that change a database: every form of a target, the options of a run, and the revision they end at.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { hold } from '../../setup/sessions.ts';
import { contentsOf } from './contents.ts';
import { backstop, databaseUrl, document } from './program.ts';
import { migrationsOf, RETIRING } from './project.ts';

const migrations = migrationsOf({
  plain: { revisions: RETIRING },
  left: {
    branch: 'left',
    revisions: [{ id: 'abc1' }, { id: 'abd2', revises: 'abc1' }, { id: 'x3', revises: 'abd2' }],
  },
  right: { branch: 'right', urlVariable: 'DATABASE_URL_RIGHT', revisions: [{ id: 'r1' }] },
  locking: { revisions: [{ id: '001', locks: 'public.one' }] },
  faulty: {
    revisions: [
      {
        id: '001',
        upgrade: ['CREATE SCHEMA retired_001;', 'CREATE TABLE one ();'],
        finalize: ["DO $$ BEGIN RAISE 'not yet'; END $$;"],
      },
      { id: '002', revises: '001', upgrade: ['CREATE TABLE two ();', 'SELECT 1 / 0;'] },
    ],
  },
});

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const run = (...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });
const onLeft = (...args: string[]) => run(...args, '--database', 'left');
const version = async () =>
  (await run('current', '--database', 'left')).out[0]?.replace(' (head)', '') ?? 'base';

describe('a target', () => {
  // Each starts where the one before it ended.
  test('means what it means to Alembic', async () => {
    const journey: [verb: string, target: string, to: string][] = [
      ['upgrade', '+1', 'abc1'],
      ['upgrade', 'abd', 'abd2'],
      ['upgrade', 'abc1+2', 'x3'],
      ['downgrade', '-1', 'abd2'],
      ['upgrade', 'head', 'x3'],
      ['downgrade', 'x3-2', 'abc1'],
      ['upgrade', 'left@+1', 'abd2'],
      ['upgrade', 'left@heads', 'x3'],
      ['downgrade', 'left@-2', 'abc1'],
      ['downgrade', 'left@base', 'base'],
      ['upgrade', 'heads', 'x3'],
      ['downgrade', 'head-1', 'abd2'],
      ['downgrade', 'base', 'base'],
      ['upgrade', 'left@abc', 'abc1'],
    ];
    for (const [verb, target, to] of journey) {
      // The revisions do not declare what their downgrade loses.
      const { status, err } = await onLeft(verb, target, ...(verb === 'downgrade' ? ['--yes'] : []));
      expect({ target, status, err, version: await version() }).toEqual({
        target,
        status: 0,
        err: [],
        version: to,
      });
    }
  });

  test('with a branch label chooses the database', async () => {
    expect(await run('upgrade', 'left@head')).toMatchObject({ status: 0 });
    expect(await version()).toBe('x3');
    const elsewhere = await run('upgrade', 'right@head');
    expect(elsewhere.status).toBe(2);
    expect(elsewhere.err[0]).toContain('DATABASE_URL_RIGHT is not set');
  });

  test('that is unknown or ambiguous is refused, and nothing is changed', async () => {
    const before = await contentsOf(database);
    const refusals: [args: string[], status: number, summary: string][] = [
      [['upgrade', 'ab'], 1, "UnknownRevision: Multiple revisions start with 'ab': abc1, abd2"],
      [['upgrade', 'zzz'], 1, "UnknownRevision: Can't locate revision identified by 'zzz'"],
      [['upgrade', 'right@head'], 1, "UnknownRevision: No such branch: 'right'"],
      [['upgrade', '@head'], 1, "UnknownRevision: No such branch: ''"],
      [['upgrade', '+4'], 2, "InvalidInput: Relative revision +4 didn't produce 4 migrations"],
      [['upgrade', 'x3+1'], 2, "InvalidInput: Relative revision x3+1 didn't produce 1 migrations"],
      [['downgrade', '-1', '--yes'], 2, "InvalidInput: Relative revision -1 didn't produce 1 migrations"],
      [['downgrade', 'abc1', '--yes'], 2, 'InvalidInput: The database is at base: abc1 is not behind'],
    ];
    for (const [args, status, summary] of refusals) {
      const { err, ...ending } = await onLeft(...args);
      expect({ args, ...ending }).toMatchObject({ args, status, out: [] });
      expect(err[0]).toBe(summary);
      expect(err.at(-1)).toMatch(/^HINT: {2}\w/);
    }
    expect(await contentsOf(database)).toBe(before);
  });
});

describe('a dry run changes nothing', () => {
  async function bringRows(to: string): Promise<void> {
    await run('upgrade', '001');
    await database.query('INSERT INTO one VALUES (1)');
    await run('upgrade', to);
  }

  test.each([
    [['upgrade', '--dry-run'], 'upgrade base -> 003', 'base'],
    [['upgrade', '--dry-run', '--finalize'], 'upgrade base -> 003', 'base'],
    [['downgrade', 'base', '--dry-run'], 'downgrade 003 -> base', '003'],
    [['finalize', '--dry-run'], 'finalize 003 -> 003', '003'],
  ])('%j', async (args, words, at) => {
    if (at !== 'base') await bringRows(at);
    const before = await contentsOf(database);
    const { status, out, err, questions } = await run(...args);
    expect({ status, err, questions }).toEqual({ status: 0, err: [], questions: [] });
    expect(out.at(-1)).toMatch(
      new RegExp(`^Dry run: ${words} succeeds in .*; rolled back, nothing was changed$`),
    );
    expect(await contentsOf(database)).toBe(before);
  });

  test('even if a step fails', async () => {
    const before = await contentsOf(database);
    expect(await run('upgrade', '--dry-run', '--database', 'faulty')).toMatchObject({ status: 1 });
    expect(await contentsOf(database)).toBe(before);
  });
});

describe('--finalize', () => {
  test('runs in the transaction of the upgrade', async () => {
    const answer = await run('upgrade', '--finalize', '--yes', '--json');
    expect(document(answer)).toMatchObject({
      direction: 'upgrade',
      from: 'base',
      to: '003',
      revisions: ['001', '002', '003'],
    });
    expect(await database.query("SELECT to_regnamespace('retired_002') AS schema")).toEqual([
      { schema: null },
    ]);
    expect(await database.query('SELECT direction, to_revision FROM backstop.history')).toEqual([
      { direction: 'upgrade', to_revision: '003' },
    ]);
  });

  test('rolls the upgrade back, too, if it fails', async () => {
    const { status, err } = await run('upgrade', '001', '--finalize', '--yes', '--database', 'faulty');
    expect(status).toBe(1);
    expect(err[0]).toContain('not yet');
    expect(err.at(-1)).toBe('Rolled back: the database is still at base.');
    expect(
      await database.query("SELECT to_regclass('one') AS one, to_regclass('alembic_version') AS version"),
    ).toEqual([{ one: null, version: null }]);
  });
});

describe('--lock-wait', () => {
  test('limits the wait for a table lock', async () => {
    await run('upgrade', '001');
    const holder = await hold(database, 'LOCK TABLE one');
    const { status, err } = await run('upgrade', '002', '--lock-wait', '0');
    expect(status).toBe(1);
    expect(err[0]).toMatch(/^DatabaseBusy: A table lock was not granted/);
    expect(err[1]).toContain(`pid ${holder.pid}`);
    await holder.release();
    expect(await run('upgrade', '002', '--lock-wait', '0')).toMatchObject({ status: 0 });
  });
});

describe('--max-lock', () => {
  const locking = ['--database', 'locking'];

  test('refuses an upgrade that would lock a table for longer, and changes nothing', async () => {
    await database.query('CREATE TABLE one ()');
    const before = await contentsOf(database);
    const { status, err } = await run('upgrade', '--max-lock', '0.000001', ...locking);
    expect(status).toBe(1);
    expect(err[0]).toMatch(/^LockTooLong: The upgrade would lock public\.one for about /);
    expect(err.at(-1)).toMatch(/^HINT: {2}.*--max-lock 1, or in AWS {"maxLock": 1}/);
    expect(await contentsOf(database)).toBe(before);
    expect(await run('upgrade', '--max-lock', '1', ...locking)).toMatchObject({ status: 0 });
  });

  test('applies to every database with --all', async () => {
    await database.query('CREATE TABLE one ()');
    const { err } = await run('upgrade', '--all', '--max-lock', '0.000001', ...locking);
    expect(err[0]).toMatch(/^LockTooLong: /);
  });

  test('applies to a dry run, which takes the same locks', async () => {
    await database.query('CREATE TABLE one ()');
    const { status, err } = await run('upgrade', '--dry-run', '--max-lock', '0.000001', ...locking);
    expect({ status, summary: err[0] }).toEqual({
      status: 1,
      summary: expect.stringMatching(/^LockTooLong: The upgrade would lock public\.one for about /),
    });
  });
});

test('a dry run prints the estimate first and the measured locks last', async () => {
  await database.query('CREATE TABLE one ()');
  const { status, out } = await run('upgrade', '--dry-run', '--database', 'locking');
  expect({ status, out }).toEqual({
    status: 0,
    out: [
      'At base, target 001: 001 to run',
      expect.stringMatching(/^Estimated: .* in all, public\.one locked for \d+\.\d\ds$/),
      'Upgrade base -> 001: Revision 001 of a test',
      '  Step 1/1: Step 1',
      expect.stringMatching(/^ {2}Step 1\/1 done in /),
      expect.stringMatching(/^ACCESS EXCLUSIVE on public\.one for \d+ ms$/),
      expect.stringMatching(/^Write-ahead log \d+ bytes; rewritten: nothing$/),
      '001: no checks; it can be taken back: proved',
      expect.stringMatching(/^Dry run: upgrade base -> 001 succeeds in /),
    ],
  });
});
