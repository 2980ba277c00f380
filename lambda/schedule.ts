// Schedule finalize: retired tables are kept for some days, then dropped by an execution that a schedule starts.
import { scheduleName } from './aws/names.ts';
import { putSchedule } from './aws/schedules.ts';
import { readEnvironment, scheduleEnvironment } from './runtime/environment.ts';
import { orEndAs, stateHandler } from './runtime/handler.ts';
import type { ExecutionState, ScheduledFinalize } from './state.ts';

const DAY_MS = 86_400_000;
const FAILED = {
  message: 'The database is at the target and valid, but its finalize could not be scheduled',
  hint: 'When you no longer want the way back, start an execution with {"action":"finalize"}.',
};

export const handler = stateHandler(
  { step: 'Schedule finalize' },
  async (state, { logger }): Promise<ScheduledFinalize> => {
    const at = new Date(Date.now() + state.request.finalizeAfterDays * DAY_MS);
    const schedule = await orEndAs('FinalizeFailed', FAILED, () => scheduleFinalize(state, at));
    logger.info(`Finalize is scheduled for ${at.toISOString()}`);
    return { schedule, at: at.toISOString() };
  },
);

/** Returns the name of the schedule. */
async function scheduleFinalize({ request, execution }: ExecutionState, at: Date): Promise<string> {
  const { database } = request;
  const environment = readEnvironment(scheduleEnvironment);
  const name = scheduleName(database);
  await putSchedule({
    name,
    at,
    group: environment.BACKSTOP_SCHEDULE_GROUP,
    roleArn: environment.BACKSTOP_SCHEDULE_ROLE,
    stateMachineArn: execution.stateMachineArn,
    // At whatever revision the database is by then, but only if no later run has retired more.
    input: { action: 'finalize', database, target: '+0', appliedBy: execution.arn },
  });
  return name;
}
