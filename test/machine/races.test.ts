// Executions during which another run changes the database: none succeeds without reason, and no row is lost.
import { downgrade, finalize, upgrade } from '../../lambda/migrator/migrator.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { migratorOn } from '../setup/database.ts';
import { makeTwin, type TestTwin } from './twin.ts';

const NO_SNAPSHOT = { snapshot: false };

/** Acts once, after the function of this state has started and before it connects. */
function before(twin: TestTwin, state: string, act: (migrator: MigratorOptions) => Promise<unknown>): void {
  let done = false;
  twin.endpoint.onRequest = async () => {
    if (twin.state !== state || done) return undefined;
    done = true;
    await act(migratorOn(twin.database));
    return undefined;
  };
}

const retired = (twin: TestTwin) =>
  twin.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'retired_002'");

test('downgraded before Validate: it is not green, and the database is as it was', async () => {
  await using twin = await makeTwin();
  before(twin, 'Validate', (migrator) => downgrade(migrator, '005'));
  const run = await twin.execute(NO_SNAPSHOT);
  expect(run.execution).toMatchObject({ status: 'FAILED', error: 'ValidationFailed' });
  expect(run.execution.cause).toContain('V0.1 the database is at 002: 1 row, e.g. {"revision":"005"}');
  expect(run.after).toEqual(run.before);
});

test('downgraded before Finalize: it is not green, and nothing is dropped', async () => {
  await using twin = await makeTwin();
  before(twin, 'Finalize', (migrator) => downgrade(migrator, '005'));
  const run = await twin.execute(NO_SNAPSHOT);
  expect(run.execution).toMatchObject({ status: 'FAILED', error: 'NotAtTarget' });
  expect(run.execution.cause).toContain('The database is at 005, not at 002');
  expect(run.after).toEqual(run.before);
});

test('finalized before Downgrade: it does not bring back empty tables, nor drop what is new', async () => {
  await using twin = await makeTwin();
  before(twin, 'Downgrade', finalize);
  const run = await twin.execute({ ...NO_SNAPSHOT, drill: 'validation-failure' });
  expect(run.execution).toMatchObject({ status: 'FAILED', error: 'DowngradeFailed' });
  expect(run.execution.cause).toContain('The tables that 002 retired have been finalized since');
  expect(run.after.revision).toBe('002');
  expect(run.after.schema).toContain('project_id');
});

test('written to before Downgrade: the written values are kept', async () => {
  await using twin = await makeTwin();
  before(twin, 'Downgrade', () => twin.database.query("UPDATE repositories SET project_id = 'in-use'"));
  const run = await twin.execute({ ...NO_SNAPSHOT, drill: 'validation-failure' });
  expect(run.execution).toMatchObject({ status: 'FAILED', error: 'DowngradeFailed' });
  expect(run.execution.cause).toContain('would lose data written since the upgrade');
  expect(run.execution.cause).toContain('"project_ids":"1"');
  expect(run.execution.cause).not.toContain('in-use');
  expect(run.after.revision).toBe('002');
  expect(await retired(twin)).toHaveLength(9);
});

test('upgraded before Migrate: only the other run may finalize its upgrade', async () => {
  await using twin = await makeTwin();
  before(twin, 'Migrate', (migrator) => upgrade(migrator, 'head'));
  const run = await twin.execute(NO_SNAPSHOT);
  expect(run.execution).toMatchObject({ status: 'SUCCEEDED' });
  expect(run.after.revision).toBe('002');
  expect(await retired(twin)).toHaveLength(9);
});

test('upgraded before Migrate: the upgrade of the other run is not downgraded', async () => {
  await using twin = await makeTwin();
  before(twin, 'Migrate', (migrator) => upgrade(migrator, 'head'));
  const run = await twin.execute({ ...NO_SNAPSHOT, drill: 'validation-failure' });
  expect(run.execution).toMatchObject({ status: 'FAILED', error: 'ValidationFailed' });
  expect(run.execution.cause).toContain('This execution applied nothing, so nothing was taken back');
  expect(run.after.revision).toBe('002');
  expect(await retired(twin)).toHaveLength(9);
});
