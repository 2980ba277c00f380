// The topic in Amazon SNS that reports executions to its subscribers.
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';

const client = new SNSClient({});

export interface Notification {
  /** One line of ASCII, at most 100 characters. */
  readonly subject: string;
  /** At most 256 KiB. */
  readonly message: string;
  /** Attributes by which a subscriber can filter messages. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Rejects with the error of the SDK. */
export async function publish(
  topicArn: string,
  { subject, message, attributes }: Notification,
): Promise<void> {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  await client.send(
    new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message, MessageAttributes }),
  );
}
