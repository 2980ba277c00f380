// Executions whose checks, downgrade or finalize fail: the state of the database, and the remedy.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Output } from '../../lambda/summary.ts';
import type { DeployedFunction, Deployment } from '../../lib/twin/deployment.ts';
import { secondTransactionFails } from './second-transaction.ts';
import { type Case, deployed, makeTwin, provoke, type TestTwin, withMigrations } from './twin.ts';

const REVISION = 'codebase_mcp/002_remove_non_search_tables';
const VERIFY = `${REVISION}/verify`;
const NO_REPOSITORIES = '\n-- check: V9.9 there are no repositories\nSELECT path FROM public.repositories;\n';

/** Revisions with an additional check that does not hold. */
const checkFails = (phase: 'after-upgrade' | 'after-downgrade') =>
  withMigrations((folder) => appendFileSync(join(folder, VERIFY, `${phase}.sql`), NO_REPOSITORIES));

/** The revisions with one more, which takes something away. */
const loses = (sql: string) =>
  withMigrations((folder) => {
    const revision = join(folder, 'codebase_mcp/006_lose');
    const header = '-- Lose\n-- Revision: 006\n';
    mkdirSync(revision);
    writeFileSync(
      join(revision, 'upgrade.sql'),
      `${header}-- Revises: 002\n-- Create Date: 2026-11-28\n\n-- step: Losing\n${sql}\n`,
    );
    writeFileSync(join(revision, 'downgrade.sql'), `${header}\n-- step: Nothing\nSELECT 1;\n`);
  });

/** The function of one state has a check more than the others. */
function withOtherFilesIn(state: string): Deployment {
  const { Resource: arn } = deployed.definition.States[state] as { Resource: string };
  const other = checkFails('after-upgrade').functions.get(arn) as DeployedFunction;
  return { ...deployed, functions: new Map([...deployed.functions, [arn, other]]) };
}

/** Makes the secret unreadable in this state only. */
const secretGoneIn = (state: string) => (twin: TestTwin) => {
  twin.endpoint.onRequest = () =>
    twin.state === state ? { code: 'ResourceNotFoundException', message: 'no such secret' } : undefined;
};

const NO_SNAPSHOT = { snapshot: false };

const CASES: Case[] = [
  {
    ending: 'ValidationFailed',
    when: 'a check does not hold after the upgrade',
    deployment: checkFails('after-upgrade'),
    input: NO_SNAPSHOT,
    says: [
      '1 of 16 checks of 002 do not hold',
      'V9.9 there are no repositories: 3 rows, e.g. {"path":',
      'The database was downgraded to 005, and all checks after the downgrade hold',
      'Nothing is lost',
    ],
  },
  {
    ending: 'DowngradeIncomplete',
    when: 'the downgrade leaves a type that was not there before',
    deployment: withMigrations((folder) => {
      appendFileSync(
        join(folder, REVISION, 'downgrade.sql'),
        '\nCREATE TYPE public.left_behind AS ENUM ();\n',
      );
      appendFileSync(join(folder, VERIFY, 'after-upgrade.sql'), NO_REPOSITORIES);
    }),
    input: NO_SNAPSHOT,
    says: [
      'The database was downgraded to 005, and all checks after the downgrade hold',
      'The schema is not as it was before the upgrade: ',
      'type public.left_behind added',
      'Correct by hand what differs',
    ],
  },
  {
    ending: 'DowngradeIncomplete',
    when: 'a downgrade that was asked for takes too much',
    at: '002',
    deployment: withMigrations((folder) => {
      const file = join(folder, REVISION, 'downgrade.sql');
      appendFileSync(file, '\nDROP INDEX public.ix_tasks_status;\n');
      rmSync(join(folder, VERIFY, 'after-downgrade.sql'));
    }),
    input: { action: 'downgrade', target: '005', ...NO_SNAPSHOT },
    says: ['The schema is not as it was before the upgrade: ', 'index public.ix_tasks_status removed'],
  },
  {
    ending: 'WouldLoseData',
    when: 'a revision drops a table that holds rows',
    deployment: loses('DROP TABLE public.code_chunks;'),
    says: ['public.code_chunks: dropped with', 'Nothing was changed', '"allowLoss": true'],
  },
  {
    ending: 'WouldLoseData',
    when: 'only the transaction shows that rows are deleted',
    deployment: loses('DO $$ BEGIN DELETE FROM public.code_chunks; END $$;'),
    input: NO_SNAPSHOT,
    says: ['public.code_chunks: ', ' rows deleted', 'Everything was rolled back'],
  },
  {
    ending: 'Drifted',
    when: 'somebody has changed the schema, and drift is refused',
    at: '002',
    input: { drift: 'refuse', ...NO_SNAPSHOT },
    given: ({ database }) => database.query('CREATE INDEX by_hand ON code_chunks (code_file_id, project_id)'),
    says: ['index public.by_hand added', '{"drift": "warn"}'],
  },
  {
    ending: 'PlanChanged',
    when: 'another plan was approved',
    input: { plan: '0'.repeat(64), ...NO_SNAPSHOT },
    says: ['The revisions to run differ from the plan', 'To run now: 002', '{"action": "plan"}'],
  },
  {
    ending: 'PlanChanged',
    when: 'Migrate has other files than Preflight',
    deployment: withOtherFilesIn('Migrate'),
    input: NO_SNAPSHOT,
    says: ['002 has other files than in the plan.', 'To run now: 002. Nothing was changed'],
  },
  {
    ending: 'PartlyApplied',
    when: 'the second transaction of the upgrade fails',
    deployment: secondTransactionFails(),
    input: NO_SNAPSHOT,
    says: [
      'The upgrade stopped at 002: division by zero (SQLSTATE 22012) in step 1/1 of 006 (Dividing)',
      '006_divide/upgrade.sql:7',
      'Committed: 002, whose transaction was complete. Rolled back or not begun: 006.',
      'The database was downgraded to 005, and all checks after the downgrade hold',
    ],
  },
  {
    ending: 'ValidationFailed',
    when: 'the checks could not run after the upgrade',
    input: NO_SNAPSHOT,
    given: secretGoneIn('Validate'),
    says: ['The result could not be validated: The secret', 'The database was downgraded to 005'],
  },
  {
    ending: 'ValidationFailed',
    when: 'a check does not hold, and nothing was pending',
    at: '002',
    given: ({ database }) => database.query('DROP INDEX idx_project_repository'),
    says: ['V3.1 idx_project_repository', 'This execution applied nothing, so nothing was taken back'],
  },
  {
    ending: 'ValidationFailed',
    when: 'a status finds a check that does not hold',
    at: '002',
    input: 'status',
    given: ({ database }) => database.query('ALTER TABLE repositories ALTER COLUMN project_id DROP DEFAULT'),
    says: ['V1.1 repositories.project_id'],
  },
  {
    ending: 'DowngradeFailed',
    when: 'the server refuses the downgrade',
    input: { drill: 'validation-failure', ...NO_SNAPSHOT },
    given: ({ database }) =>
      database.asAdministrator(`
        CREATE FUNCTION dropping() RETURNS event_trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'indexes are not dropped on Fridays'; END $$;
        CREATE EVENT TRIGGER dropping ON ddl_command_start WHEN TAG IN ('DROP INDEX') EXECUTE FUNCTION dropping()`),
    says: [
      'The downgrade to 005 failed, and was rolled back, which loses nothing: the database is as before it',
      'DETAIL:  Checks did not hold at 002. ',
      'The function public.dropping raised an exception (SQLSTATE P0001)',
      'start an execution with {"action":"downgrade","target":"005"}',
      'There is no snapshot to restore: this execution was told not to take one.',
    ],
  },
  {
    ending: 'DowngradeFailed',
    when: 'a check does not hold after the downgrade',
    deployment: checkFails('after-downgrade'),
    input: { drill: 'validation-failure' },
    says: [
      'The database was downgraded to 005, but 1 of 6 checks',
      'V9.9',
      'To restore the database as it was before this execution, without anything that was written since: aws rds restore-db-instance',
    ],
  },
  {
    ending: 'DowngradeFailed',
    when: 'the checks could not run after the downgrade',
    at: '002',
    input: { action: 'downgrade', target: '005', ...NO_SNAPSHOT },
    given: secretGoneIn('Validate downgrade'),
    says: ['The database is downgraded, but its checks could not run\nDETAIL:  The secret'],
  },
  {
    ending: 'DowngradeFailed',
    when: 'there is nothing to downgrade, and the schema is not valid',
    input: { action: 'downgrade', target: '005' },
    given: ({ database }) => database.query('DROP TABLE vendor_deployment_links'),
    says: ['The database was at 005 already, but 1 of 5 checks', 'V8.4', 'Correct what the checks name'],
  },
  {
    ending: 'FinalizeFailed',
    when: 'the schema of the retired tables has a foreign table',
    at: '002',
    input: 'finalize',
    given: ({ database }) => database.query('CREATE TABLE retired_002.mine ()'),
    says: [
      'retired tables may still be there',
      'table retired_002.mine',
      'ALTER TABLE retired_002.mine SET SCHEMA kept_002;',
    ],
  },
];

test.each(CASES)('$ending: $when', provoke);

describe('a drill', () => {
  test('validation-failure is downgraded, and all thirteen tables have their rows', async () => {
    const run = await provoke({
      ending: 'ValidationFailed',
      when: '',
      input: { drill: 'validation-failure', ...NO_SNAPSHOT },
      says: ['V0.0 drill: a check that does not hold', 'downgraded to 005'],
    });
    expect(run.after.revision).toBe('005');
    expect(Object.keys(run.after.rows)).toHaveLength(13);
    expect(run.execution.state.downgrade?.restored).toHaveLength(9);
  });

  test('downgrade-failure leaves the retired tables as they are, and says how to restore', async () => {
    const run = await provoke({
      ending: 'DowngradeFailed',
      when: '',
      input: { drill: 'downgrade-failure' },
      says: ['drill: the downgrade fails', 'aws rds restore-db-instance-from-db-snapshot'],
    });
    expect(run.after.revision).toBe('002');
    expect(run.execution.cause).toContain(run.execution.state.snapshot?.id);
    expect(run.execution.states.find(({ name }) => name === 'Downgrade')?.retries).toBe(2);
  });

  test('finalize-failure leaves the retired tables, until an execution finalizes', async () => {
    const run = await provoke({
      ending: 'FinalizeFailed',
      when: '',
      input: { drill: 'finalize-failure', ...NO_SNAPSHOT },
      says: ['drill: the finalize fails', '{"action":"finalize"}'],
    });
    expect(Object.keys(run.after.rows)).toHaveLength(13);
  });
});

test('the checksum of a plan, as the action plan says it, starts exactly this plan', async () => {
  await using twin = await makeTwin();
  const { plan, summary } = (await twin.execute('plan')).execution.state as Output;
  expect(summary.message).toContain(plan?.checksum);
  const { status, error } = (await twin.execute({ plan: plan?.checksum, ...NO_SNAPSHOT })).execution;
  expect({ status, error }).toEqual({ status: 'SUCCEEDED' });
});
