// The REST protocol of Amazon EventBridge Scheduler: creates and moves one-time schedules.
import { ACCOUNT, AwsFaultError, type LocalAccount, REGION } from './account.ts';

/** The request of the SDK to create or move a schedule, with the name from the path. */
interface Parameters {
  readonly Name?: string;
  readonly GroupName?: string;
  readonly ScheduleExpression?: string;
  readonly Target?: { readonly Arn: string; readonly RoleArn: string; readonly Input?: string };
}

/** Performs one action and returns its answer. */
export function callScheduler({ schedules }: LocalAccount, action: string, parameters: object): object {
  const {
    Name: name = '',
    GroupName: group = 'default',
    ScheduleExpression: expression = '',
    Target: target,
  }: Parameters = parameters;
  const key = `${group}/${name}`;
  const exists = schedules.has(key);
  if (action === 'CreateSchedule' && exists) throw conflict(name);
  if (action === 'UpdateSchedule' && !exists) throw notFound(name);
  if (!/^at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)$/.test(expression) || !target) throw invalid(expression);
  schedules.set(key, {
    expression,
    stateMachineArn: target.Arn,
    roleArn: target.RoleArn,
    input: JSON.parse(target.Input ?? 'null'),
  });
  return { ScheduleArn: `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule/${key}` };
}

const conflict = (name: string) =>
  new AwsFaultError({
    code: 'ConflictException',
    message: `Schedule ${name} already exists.`,
    httpStatus: 409,
  });
const notFound = (name: string) =>
  new AwsFaultError({
    code: 'ResourceNotFoundException',
    message: `Schedule ${name} does not exist.`,
    httpStatus: 404,
  });
const invalid = (expression: string) =>
  new AwsFaultError({ code: 'ValidationException', message: `Invalid Schedule Expression ${expression}.` });
