// Schedule finalize: what the upgrade retired is kept for some days, and dropped by an execution that starts itself then.
import { scheduleName } from './aws/names.ts';
import { putSchedule } from './aws/schedules.ts';
import { BackstopError } from './migrator/model/errors.ts';
import { readEnvironment, scheduleEnvironment } from './runtime/environment.ts';
import { stateHandler } from './runtime/handler.ts';
import type { ScheduledFinalize } from './state.ts';

const DAY_MS = 86_400_000;

export const handler = stateHandler(
  { step: 'Schedule finalize' },
  async ({ request, execution }, { logger }): Promise<ScheduledFinalize> => {
    const { database, finalizeAfterDays } = request;
    const [name, at] = [scheduleName(database), new Date(Date.now() + finalizeAfterDays * DAY_MS)];
    try {
      const environment = readEnvironment(scheduleEnvironment);
      await putSchedule({
        name,
        at,
        group: environment.BACKSTOP_SCHEDULE_GROUP,
        roleArn: environment.BACKSTOP_SCHEDULE_ROLE,
        stateMachineArn: execution.stateMachineArn,
        // Wherever the database is by then; but nothing that somebody else has retired since.
        input: { action: 'finalize', database, target: '+0', appliedBy: execution.arn },
      });
    } catch (cause) {
      throw new BackstopError(
        'FinalizeFailed',
        {
          message: 'The database is at the target and valid, but its finalize could not be scheduled',
          detail: String(cause).replaceAll('\n', ' '),
          hint: 'When you no longer want the way back, start an execution with {"action":"finalize"}.',
        },
        { cause },
      );
    }
    logger.info(`Finalize is scheduled for ${at.toISOString()}`);
    return { schedule: name, at: at.toISOString() };
  },
);
