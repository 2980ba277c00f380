// The memory in the database: every run that changed something, or failed to, and revisions that were edited since.

import { plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';
import { expectNothingLeft, hold } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const ONE: RevisionDraft = {
  id: '001',
  upgrade: ['CREATE TABLE one (id integer);'],
  downgrade: ['DROP TABLE one;'],
};
const on = (...drafts: RevisionDraft[]) =>
  migratorOn(database, { database: databaseOf(...drafts), execution: 'arn:aws:states:one' });
const history = () => database.query('SELECT * FROM backstop.history ORDER BY id');

test('a run is remembered with who, what, when and how', async () => {
  const options = on(ONE);
  const report = await upgrade(options, 'head');
  expect(await history()).toEqual([
    {
      id: '1',
      run_id: report.runId,
      execution_arn: 'arn:aws:states:one',
      database_user: database.settings.user,
      direction: 'upgrade',
      from_revision: 'base',
      to_revision: '001',
      started_at: expect.any(Date),
      duration_ms: expect.any(Number),
      outcome: 'upgraded',
      checksums: { '001': options.database.chain.revisions[0]?.checksum },
      // The time of COMMIT is known only after it.
      report: {
        ...report,
        durationMs: expect.any(Number),
        exclusiveMs: Object.fromEntries(
          Object.keys(report.exclusiveMs).map((relation) => [relation, expect.any(Number)]),
        ),
      },
    },
  ]);
});

test('an upgrade, its downgrade and the next upgrade are three runs', async () => {
  await upgrade(on(ONE), 'head');
  await downgrade(on(ONE), 'base');
  await upgrade(on(ONE), 'head');
  expect((await history()).map(({ direction, outcome }) => [direction, outcome])).toEqual([
    ['upgrade', 'upgraded'],
    ['downgrade', 'downgraded'],
    ['upgrade', 'upgraded'],
  ]);
});

test('a run that finds nothing to do is not remembered', async () => {
  await upgrade(on(ONE), 'head');
  await upgrade(on(ONE), 'head');
  await finalize(on(ONE));
  expect(await history()).toHaveLength(1);
});

test('a failure is remembered by its name, even the very first run', async () => {
  const failing = on({ ...ONE, upgrade: ['CREATE TABLE one (id integer);', 'SELECT 1 / 0;'] });
  await expect(upgrade(failing, 'head')).rejects.toMatchObject({ name: 'MigrationFailed' });
  expect(await history()).toEqual([
    expect.objectContaining({
      direction: 'upgrade',
      from_revision: 'base',
      to_revision: '001',
      outcome: 'MigrationFailed',
      checksums: {},
      report: {
        error: 'MigrationFailed',
        message: 'division by zero (SQLSTATE 22012) in step 2/2 of 001 (Step 2)',
        hint: expect.stringContaining('rolled back'),
        attempts: 1,
        location: { file: '001/upgrade.sql', line: 11, text: 'SELECT 1 / 0;' },
      },
    }),
  ]);
});

test.each([
  ['succeeds', 'SELECT 1;'],
  ['fails', 'SELECT 1 / 0;'],
])('a dry run that %s leaves nothing behind', async (_how, sql) => {
  const options = on({ ...ONE, upgrade: ['CREATE TABLE one (id integer);', sql] });
  const outcome = await upgrade(options, 'head', { dryRun: true }).then(
    (report) => report.outcome,
    (error) => error.name,
  );
  expect(outcome).toMatch(/rehearsed|MigrationFailed/);
  expect(
    await database.query(
      "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'",
    ),
  ).toEqual([]);
});

describe('a plan names an edited revision', () => {
  const edited: RevisionDraft = { ...ONE, upgrade: ['CREATE TABLE one (id bigint);'] };

  test('since it was applied', async () => {
    await upgrade(on(ONE), 'head');
    expect(await plan(on(ONE), 'upgrade', 'head')).toMatchObject({ edited: [] });
    expect(await plan(on(edited), 'upgrade', 'head')).toMatchObject({ edited: ['001'], pending: [] });
  });

  test('but not after a rollback, nor if another tool applied it', async () => {
    await upgrade(on(ONE), 'head');
    await downgrade(on(ONE), 'base');
    expect(await plan(on(edited), 'upgrade', 'head')).toMatchObject({ edited: [] });
    await upgrade(on(edited), 'head');
    expect(await plan(on(edited), 'upgrade', 'head')).toMatchObject({ edited: [] });
    await database.query('TRUNCATE backstop.history');
    expect(await plan(on(ONE), 'upgrade', 'head')).toMatchObject({ edited: [] });
  });
});

test('a user who may not create the history gets the statement that allows it', async () => {
  await database.asAdministrator(`ALTER DATABASE ${database.name} OWNER TO CURRENT_USER`);
  await expect(upgrade(on(ONE), 'head')).rejects.toMatchObject({
    name: 'PrivilegeMissing',
    hint: expect.stringContaining(`GRANT CREATE ON DATABASE "${database.name}" TO`),
  });
});

test('a history that somebody else has locked is waited for before anything is done, and its holder is named', async () => {
  await upgrade(on(ONE), 'head');
  const holder = await hold(database, 'LOCK TABLE backstop.history IN EXCLUSIVE MODE');
  const bounds = { ...DEFAULT_BOUNDS, lockTimeoutMs: 3_000, lockWaitMs: 3_500 };
  const failed = expect(
    upgrade({ ...on(ONE, { id: '002', revises: '001' }), bounds }, 'head'),
  ).rejects.toMatchObject({
    name: 'DatabaseBusy',
    detail: expect.stringContaining(`pid ${holder.pid}`),
  });
  await failed.finally(() => holder.release());
});

describe('a history that cannot be written does not hide the failure', () => {
  beforeEach(() => upgrade(on(ONE), 'head'));
  const fail = () =>
    upgrade(
      {
        ...on(ONE, { id: '002', revises: '001', upgrade: ['SELECT 1 / 0;'] }),
        bounds: { ...DEFAULT_BOUNDS, lockTimeoutMs: 100 },
      },
      'head',
    );
  const FAILURE = { summary: expect.stringContaining('division by zero') };

  test('because it refuses the row', async () => {
    await database.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END';
      CREATE TRIGGER refuse BEFORE INSERT ON backstop.history FOR EACH ROW WHEN (NEW.outcome <> 'upgraded')
        EXECUTE FUNCTION refuse()`);
    await expect(fail()).rejects.toMatchObject(FAILURE);
  });
});
