// A finalize that waits some days: the retired tables stay, and the schedule starts an execution that drops them.
import { downgrade, upgrade } from '../../lambda/migrator/migrator.ts';
import { STATE_MACHINE_ARN } from '../../lib/twin/execution.ts';
import { migratorOn } from '../setup/database.ts';
import { expectEnding, makeTwin, provoke, type TestTwin, withEnvironment } from './twin.ts';

const deployment = withEnvironment({ BACKSTOP_FINALIZE_AFTER_DAYS: '14' });
const DAY_MS = 86_400_000;

/** The input with which the only schedule of the account will start the state machine. */
function scheduledInput({ endpoint }: TestTwin): unknown {
  const [schedule] = endpoint.schedules.values();
  expect(endpoint.schedules.size).toBe(1);
  return schedule?.input;
}

describe('an upgrade', () => {
  test('ends green with every retired row, and says until when', async () => {
    await using twin = await makeTwin({ deployment });
    const { execution, before, after } = await twin.execute({ snapshot: false });
    expect(execution).toMatchObject({ status: 'SUCCEEDED' });
    expect(after.rows).toEqual(before.rows);

    const { summary, scheduledFinalize } = execution.state as Record<string, Record<string, unknown>>;
    expect(summary).toMatchObject({ finalizePending: ['002'], finalizeAt: scheduledFinalize?.at });
    expect(summary?.message).toMatch(/The tables that 002 retired are still there/);
    const [[name, schedule] = []] = twin.endpoint.schedules;
    expect(name).toMatch(/\/backstop-codebase-mcp$/);
    expect(schedule).toMatchObject({
      stateMachineArn: STATE_MACHINE_ARN,
      roleArn: expect.stringMatching(/:role\//),
    });
    const at = String(scheduledFinalize?.at);
    expect(schedule?.expression).toBe(`at(${at.slice(0, 19)})`);
    expect(Math.round((Date.parse(at) - Date.now()) / DAY_MS)).toBe(14);
  });

  test('without finalize schedules none', async () => {
    await using twin = await makeTwin({ deployment });
    const { execution } = await twin.execute({ snapshot: false, finalize: false });
    expect(execution.state).toMatchObject({ summary: { finalizePending: ['002'], finalizeAt: null } });
    expect(twin.endpoint.schedules.size).toBe(0);
  });

  test('after another one moves its schedule', async () => {
    await using twin = await makeTwin({ deployment });
    await twin.execute({ snapshot: false });
    await twin.execute({ action: 'downgrade', target: '-1', snapshot: false });
    const { execution } = await twin.execute({ snapshot: false });
    expect(execution.status).toBe('SUCCEEDED');
    expect(scheduledInput(twin)).toMatchObject({ appliedBy: execution.arn });
  });
});

describe('the execution that the schedule starts', () => {
  test('drops the retired tables', async () => {
    await using twin = await makeTwin({ deployment });
    await twin.execute({ snapshot: false });
    const { execution, after } = await twin.execute(scheduledInput(twin));
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.state.finalization?.dropped).toHaveLength(9);
    expect(Object.keys(after.rows)).toHaveLength(4);
  });

  test('succeeds and does nothing if another run has downgraded meanwhile', async () => {
    await using twin = await makeTwin({ deployment });
    await twin.execute({ snapshot: false });
    await downgrade(migratorOn(twin.database), '005');
    const { execution, before, after } = await twin.execute(scheduledInput(twin));
    expect(execution.status).toBe('SUCCEEDED');
    expect(after).toEqual(before);
  });

  test('leaves the tables that another run has retired since', async () => {
    await using twin = await makeTwin({ deployment });
    await twin.execute({ snapshot: false });
    await downgrade(migratorOn(twin.database), '005');
    await upgrade(migratorOn(twin.database), '002');
    const run = await twin.execute(scheduledInput(twin));
    expectEnding(run, 'NotAtTarget', 'backstop.history');
    expect(run.after).toEqual(run.before);
  });
});

test('a schedule that cannot be made is FinalizeFailed, and loses nothing', async () => {
  await provoke({
    when: 'EventBridge Scheduler refuses',
    ending: 'FinalizeFailed',
    says: ['could not be scheduled', 'AccessDeniedException', '{"action":"finalize"}'],
    deployment,
    input: { snapshot: false },
    given: ({ endpoint }) => {
      endpoint.onRequest = ({ action }) =>
        action === 'CreateSchedule'
          ? { code: 'AccessDeniedException', message: 'not authorized', httpStatus: 403 }
          : undefined;
    },
  });
});
