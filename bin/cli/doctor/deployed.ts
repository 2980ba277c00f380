// Whether the stack is deployed and whole, and its topic has subscribers.
import { DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { STACK } from '../../../lib/synthesize.ts';
import type { Environment } from './environment.ts';
import { bad, type Finding, good, isAnswered, unlessMissing, warning } from './finding.ts';

const DEPLOY = `Run: npx cdk deploy ${STACK}`;

/** The stack; undefined before its first deployment. Rejects with the error of the SDK. */
export async function findStack({ clients }: Environment): Promise<Stack | undefined> {
  try {
    const { Stacks } = await clients.cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }));
    return Stacks?.[0];
  } catch (error) {
    if (isAnswered(error) && (error as Error).message.endsWith('does not exist')) return undefined;
    throw error;
  }
}

/** Whether the last change of the stack has reached its end. */
export function judgeStack({ StackStatus }: Stack): Finding {
  const status = String(StackStatus);
  const message = `The stack ${STACK} is in status ${status}`;
  if (status.endsWith('_IN_PROGRESS')) return warning(message, 'Run doctor again when it has ended.');
  if (status === 'UPDATE_ROLLBACK_COMPLETE') {
    return warning(message, `The last deployment failed: look at the events of the stack. ${DEPLOY}`);
  }
  if (/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return good(message);
  return bad(message, `Look at the events of the stack, delete it if it was never complete. ${DEPLOY}`);
}

/** The value of an output of the stack. */
export function outputOf({ Outputs = [] }: Stack, name: string): string | undefined {
  return Outputs.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
}

/** @param arn of the output; undefined if the stack has no such output */
export async function checkStateMachine(
  { clients }: Environment,
  arn: string | undefined,
): Promise<Finding[]> {
  const described =
    arn &&
    (await unlessMissing(
      clients.machines.send(new DescribeStateMachineCommand({ stateMachineArn: arn })),
      /^StateMachineDoesNotExist$/,
    ));
  return described ? [good(String(arn))] : [bad('The stack has no state machine', DEPLOY)];
}

/** @param arn of the output; undefined if the stack has no such output */
export async function checkTopic({ clients }: Environment, arn: string | undefined): Promise<Finding[]> {
  const found =
    arn &&
    (await unlessMissing(
      clients.topics.send(new ListSubscriptionsByTopicCommand({ TopicArn: arn })),
      /^NotFound(Exception)?$/,
    ));
  if (!found) return [bad('The stack has no topic', DEPLOY)];
  const states = (found.Subscriptions ?? []).map(({ SubscriptionArn }) => SubscriptionArn);
  if (states.length === 0) {
    const hint = 'Write "notificationEmail" into the configuration, or subscribe to the topic.';
    return [warning('The result of an execution reaches no person: the topic has no subscription', hint)];
  }
  const pending = states.filter((state) => state === 'PendingConfirmation').length;
  if (pending === 0) return [good(`${states.length} confirmed at ${arn}`)];
  return [
    warning(
      `${pending} of ${states.length} subscriptions of the topic ${pending === 1 ? 'is' : 'are'} not confirmed`,
      'Open the link in the mail that SNS has sent.',
    ),
  ];
}
