// The verbs that change a database: every form of a target, what they print, and the revision they end at.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { hold } from '../../setup/sessions.ts';
import { contentsOf } from './contents.ts';
import { backstop, databaseUrl, document } from './program.ts';
import { migrationsOf, RETIRING } from './project.ts';

const migrations = migrationsOf({
  plain: { revisions: RETIRING },
  alembic: { voice: 'alembic', revisions: RETIRING },
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

const RETIRED = '1 table retired to retired_002; npx backstop finalize --database plain drops it';

/** Durations differ from run to run. */
const timeless = (lines: readonly string[]) => lines.map((line) => line.replace(/\d+\.\d\ds/g, '#s'));

describe('the output of a run', () => {
  test('has a plain line for each step, and ends with what became of the tables', async () => {
    expect(timeless((await run('upgrade', '002')).out)).toEqual([
      'At base, target 002: 001, 002 to run',
      'Estimated: #s in all, no existing table locked',
      'Upgrade base -> 001: Revision 001 of a test',
      '  Step 1/1: Step 1',
      '  Step 1/1 done in #s',
      'Upgrade 001 -> 002: Revision 002 of a test',
      '  Step 1/2: Step 1',
      '  Step 1/2 done in #s',
      '  Step 2/2: Step 2',
      '  Step 2/2 done in #s',
      'Upgraded base -> 002 in #s',
      RETIRED,
    ]);
    expect((await run('upgrade', '002')).out).toEqual(['Already at 002, nothing to do']);
    expect(timeless((await run('downgrade', '001')).out)).toEqual([
      'At 002, target 001: 002 to take back',
      'Downgrade 002 -> 001: Revision 002 of a test',
      '  Downgrade step 1/2: Step 1',
      '  Downgrade step 1/2 done in #s',
      '  Downgrade step 2/2: Step 2',
      '  Downgrade step 2/2 done in #s',
      'Downgraded 002 -> 001 in #s',
      '1 table restored with every row',
    ]);
    expect(timeless((await run('upgrade')).out).slice(-3)).toEqual([
      'Upgraded 001 -> 003 in #s',
      '1 table created',
      RETIRED,
    ]);
    expect(timeless((await run('finalize')).out)).toEqual([
      'Finalize 002: Revision 002 of a test',
      '  Finalize step 1/1: Step 1',
      '    NOTICE: drop cascades to table retired_002.one',
      '  Finalize step 1/1 done in #s',
      'Finalized 003 in #s',
      '1 table dropped',
    ]);
    expect((await run('finalize')).out).toEqual(['Nothing is retired at 003, nothing to do']);
    expect(timeless((await run('stamp', '001')).out)).toEqual(['Stamped 003 -> 001 in #s']);
  });

  test("is in Alembic's words if databases.json asks for them", async () => {
    const alembic = ['--database', 'alembic'];
    expect(timeless((await run('upgrade', '002', ...alembic)).out)).toEqual([
      'INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.',
      'INFO  [alembic.runtime.migration] Will assume transactional DDL.',
      'INFO  [backstop] Estimated: #s in all, no existing table locked',
      'INFO  [alembic.runtime.migration] Running upgrade  -> 001, Revision 001 of a test',
      'INFO  [migration.001] Step 1/1: Step 1...',
      'INFO  [migration.001] Step 1/1: Complete',
      'INFO  [alembic.runtime.migration] Running upgrade 001 -> 002, Revision 002 of a test',
      'INFO  [migration.002] Step 1/2: Step 1...',
      'INFO  [migration.002] Step 1/2: Complete',
      'INFO  [migration.002] Step 2/2: Step 2...',
      'INFO  [migration.002] Step 2/2: Complete',
      'INFO  [migration.001] Migration 001 completed successfully in #s',
      'INFO  [alembic.runtime.migration] Running upgrade  -> 001',
      'INFO  [migration.002] Migration 002 completed successfully in #s',
      'INFO  [alembic.runtime.migration] Running upgrade 001 -> 002',
      'INFO  [backstop] What is dropped here is retired with every row; to drop it for good: npx backstop finalize',
    ]);
    expect((await run('upgrade', '002', ...alembic)).out.at(-1)).toBe(
      'INFO  [backstop] Already at 002, nothing to do',
    );
    expect((await run('finalize', ...alembic)).out.at(-1)).toBe('INFO  [backstop] Finalized 002');
    expect((await run('finalize', ...alembic)).out.at(-1)).toBe(
      'INFO  [backstop] Nothing is retired at 002, nothing to do',
    );
    expect((await run('stamp', '001', ...alembic)).out).toContain(
      'INFO  [alembic.runtime.migration] Running stamp_revision 002 -> 001',
    );
  });

  test('is one document with --json, and the rest goes to standard error', async () => {
    const up = await run('upgrade', '--json');
    expect(document(up)).toMatchObject({ outcome: 'upgraded', from: 'base', to: '003', retired: [] });
    expect(up.err).toContain('Upgrade 002 -> 003: Revision 003 of a test');
    expect(document(await run('finalize', '--json'))).toMatchObject({
      outcome: 'finalized',
      dropped: ['retired_002.one'],
    });
    expect(document(await run('downgrade', '002', '--yes', '--json'))).toMatchObject({
      outcome: 'downgraded',
      to: '002',
    });
    expect(document(await run('stamp', '003', '--json'))).toMatchObject({
      outcome: 'stamped',
      from: '002',
      to: '003',
    });
  });

  test('of a failure is the reason, the remedy and the rollback', async () => {
    const plain = await run('upgrade', '--database', 'faulty');
    expect(plain.status).toBe(1);
    expect(plain.err[0]).toMatch(/^MigrationFailed: .*division by zero/);
    expect(plain.err.at(-1)).toBe('Rolled back: the database is still at base.');
    expect(plain.out.filter((line) => line.startsWith('Upgraded'))).toEqual([]);
    const json = await run('upgrade', '--database', 'faulty', '--json');
    expect(document(json)).toMatchObject({
      error: 'MigrationFailed',
      message: expect.stringContaining('division by zero'),
    });
    expect(await run('current', '--database', 'faulty')).toMatchObject({ status: 0, out: [] });
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

  test('only warns in a dry run, which prints the estimate first and the measured locks last', async () => {
    await database.query('CREATE TABLE one ()');
    const { status, out } = await run('upgrade', '--dry-run', '--max-lock', '0.000001', ...locking);
    expect({ status, out }).toEqual({
      status: 0,
      out: [
        'At base, target 001: 001 to run',
        expect.stringMatching(/^Estimated: .* in all, public\.one locked for \d+\.\d\ds$/),
        expect.stringMatching(
          /^WARNING: public\.one would be locked for about .*, longer than the limit of 0\.00s$/,
        ),
        'Upgrade base -> 001: Revision 001 of a test',
        '  Step 1/1: Step 1',
        expect.stringMatching(/^ {2}Step 1\/1 done in /),
        expect.stringMatching(/^ACCESS EXCLUSIVE on public\.one for \d+ ms$/),
        expect.stringMatching(/^Write-ahead log \d+ bytes; rewritten: nothing$/),
        expect.stringMatching(/^Dry run: upgrade base -> 001 succeeds in /),
      ],
    });
  });
});
