// The Query protocol of Amazon SNS: ListSubscriptionsByTopic.
import { AwsFaultError, type LocalAccount } from './account.ts';

/** Performs one action; undefined if it is not known. */
export function callSns(
  { surroundings: { subscriptions } }: LocalAccount,
  action: string,
  { TopicArn: topic = '' }: Readonly<Record<string, string>>,
): object | undefined {
  if (action !== 'ListSubscriptionsByTopic') return undefined;
  const found = subscriptions[topic];
  if (found === undefined) {
    throw new AwsFaultError({ code: 'NotFound', message: 'Topic does not exist', httpStatus: 404 });
  }
  const member = found.map((arn) => ({ SubscriptionArn: arn, Protocol: 'email', TopicArn: topic }));
  return { Subscriptions: { member } };
}
