// The output of the verbs that change a database: plain words, Alembic's if asked for, or one JSON document.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { backstop, databaseUrl, document } from './program.ts';
import { migrationsOf, RETIRING } from './project.ts';

const migrations = migrationsOf({
  plain: { revisions: RETIRING },
  alembic: { voice: 'alembic', revisions: RETIRING },
  faulty: {
    revisions: [{ id: '001', upgrade: ['CREATE TABLE one ();', 'SELECT 1 / 0;'] }],
  },
});

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const run = (...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });

const RETIRED = '1 table retired to retired_002; npx backstop finalize --database plain drops it';

/** Durations differ from run to run. */
const timeless = (lines: readonly string[]) => lines.map((line) => line.replace(/\d+\.\d\ds/g, '#s'));

describe('the output of a run', () => {
  test('has a plain line for each step, and ends with the changes to the tables', async () => {
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
      'The schema was not compared: the history has no fingerprint of 001 from before the upgrade.',
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
      'INFO  [backstop] The dropped tables are retired with every row; to drop them for good: npx backstop finalize',
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
