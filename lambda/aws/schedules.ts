// One-time schedules in EventBridge Scheduler, each of which starts the state machine once and is then deleted.
import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';

const client = new SchedulerClient({});

export interface ScheduledStart {
  readonly name: string;
  readonly group: string;
  readonly at: Date;
  readonly stateMachineArn: string;
  /** The role with which the schedule starts it. */
  readonly roleArn: string;
  /** The execution input. */
  readonly input: object;
}

/** Creates the schedule, or moves the existing one with that name. Rejects with the error of the SDK. */
export async function putSchedule({
  name,
  group,
  at,
  stateMachineArn,
  roleArn,
  input,
}: ScheduledStart): Promise<void> {
  const schedule: CreateScheduleCommandInput = {
    Name: name,
    GroupName: group,
    // The format has neither a time zone nor fractions of a second.
    ScheduleExpression: `at(${at.toISOString().slice(0, 19)})`,
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: { Arn: stateMachineArn, RoleArn: roleArn, Input: JSON.stringify(input) },
  };
  try {
    await client.send(new CreateScheduleCommand(schedule));
  } catch (error) {
    if (!(error instanceof ConflictException)) throw error;
    await client.send(new UpdateScheduleCommand(schedule));
  }
}
