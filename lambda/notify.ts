// Notify: tells the subscribers how an execution ended, called by EventBridge, because an execution that timed out or
// was stopped can no longer report it itself.
import type { Context } from 'aws-lambda';
import { publish } from './aws/topic.ts';
import { type End, lookBack, summarizeEnded } from './look-back.ts';
import { notificationOf } from './notification.ts';
import { notifyEnvironment, readEnvironment } from './runtime/environment.ts';
import { logErrors } from './runtime/handler.ts';
import { loggerFor } from './runtime/logger.ts';
import { emitMetrics } from './runtime/metrics.ts';

/** The event `Step Functions Execution Status Change`, as far as it is read here. */
interface StatusChange {
  readonly detail: End & {
    readonly executionArn: string;
    readonly stateMachineArn: string;
    readonly name: string;
    /** Epoch in ms. */
    readonly startDate: number;
    readonly stopDate: number;
  };
}

/**
 * Nothing is done twice by a retry: all that may fail comes before the message is sent, and the metric after it never
 * does. An event that EventBridge delivers twice is reported twice, and so is a redriven execution: it ends again.
 */
export async function handler({ detail }: StatusChange, context: Context): Promise<void> {
  const { name, executionArn: arn, stateMachineArn, startDate, stopDate } = detail;
  const execution = { name, arn, stateMachineArn, startedAt: asTime(startDate) };
  const past = await lookBack(arn, detail);
  const state = { ...past.document, execution };
  const logger = loggerFor(state);
  logger.addContext(context);
  await logErrors(logger, async () => {
    const { BACKSTOP_TOPIC_ARN: topic, BACKSTOP_REFUSALS: refusals } = readEnvironment(notifyEnvironment);
    const summary = summarizeEnded(past, refusals);
    const endedAt = asTime(stopDate);
    const notification = notificationOf(summary, { execution, endedAt, past, refusals });
    await publish(topic, notification);
    logger.info(`Sent: ${notification.subject}`, { summary, unread: past.unread });
    const dimensions = { database: summary.database ?? 'unknown', ending: summary.ending };
    emitMetrics({ dimensions, state }, () => ({ Endings: 1 }));
  });
}

function asTime(epochMs: number): string {
  const time = new Date(Number(epochMs));
  return Number.isNaN(time.getTime()) ? 'unknown' : time.toISOString();
}
