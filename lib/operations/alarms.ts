// The alarms: each says what it means and what to do, to the topic that reports executions.
import { Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { EXECUTION_LIMIT_HOURS } from '../timeouts.ts';

/** The share of the longest permitted duration at which the alarm begins. */
const NEARLY = 0.8;
const HOUR_MS = 3_600_000;

export interface Watched {
  readonly stateMachine: StateMachine;
  /** The function that reports executions, and the rule that calls it. */
  readonly notify: IFunction;
  readonly rule: IRule;
  /** The topic that the alarms notify. */
  readonly topic: Topic;
}

interface AlarmProps {
  readonly metric: IMetric;
  /** The meaning of the alarm, and the first thing to do: people read this before anything else. */
  readonly says: string;
  /** @default 1 */
  readonly threshold?: number;
  /**
   * Whether the function Notify reports the same: then the alarm is seen in the console only, and sends no second message.
   * @default false
   */
  readonly isReported?: boolean;
}

/** Makes the alarms, which let CloudWatch publish to the topic. */
export function addAlarms(scope: Construct, { stateMachine, notify, rule, topic }: Watched): void {
  letAlarmsPublish(topic);
  const action = new SnsAction(topic);
  const add = (id: string, { metric, says, threshold = 1, isReported = false }: AlarmProps) => {
    const alarm = new Alarm(scope, id, {
      alarmDescription: `${says} See docs/runbook.md.`,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (!isReported) alarm.addAlarmAction(action);
  };

  add('ExecutionFailed', {
    metric: stateMachine.metricFailed(),
    isReported: true,
    says:
      'An execution of Backstop failed. Its error is the name of the ending, which says what is in the database; ' +
      'its cause says what to do. The notification of the execution has both.',
  });
  add('ExecutionTimedOut', {
    metric: stateMachine.metricTimedOut(),
    isReported: true,
    says:
      `An execution of Backstop took longer than ${EXECUTION_LIMIT_HOURS} hours and was ended: it is unknown how far it ` +
      'came. Start one with the action status, which changes nothing.',
  });
  add('ExecutionAborted', {
    metric: stateMachine.metricAborted(),
    isReported: true,
    says:
      'Somebody stopped an execution of Backstop: it is unknown how far it came, and a function may still be at work. ' +
      'Wait 15 minutes, then start one with the action status, which changes nothing.',
  });
  add('ExecutionThrottled', {
    metric: stateMachine.metricThrottled(),
    says:
      'Step Functions holds executions of Backstop back, because the account changes states too often. They go on by ' +
      'themselves, later; find what else in the account runs so many executions.',
  });
  add('ExecutionNearLimit', {
    metric: stateMachine.metricTime({ statistic: Stats.MAXIMUM }),
    threshold: NEARLY * EXECUTION_LIMIT_HOURS * HOUR_MS,
    says:
      `An execution of Backstop took more than ${NEARLY * 100} % of the ${EXECUTION_LIMIT_HOURS} hours that it may. ` +
      'The dashboard shows which step takes so long; mostly it is the snapshot.',
  });
  add('NotificationLost', {
    metric: lostNotifications(notify, rule),
    says:
      'An execution of Backstop ended, and the function that reports it failed or could not be called. Look at the ' +
      'last executions in the console, and at the errors of the function Notify in the log.',
  });
}

/** The policy that demands TLS replaces the default policy of SNS, which admits the account's alarms. */
function letAlarmsPublish(topic: Topic): void {
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(topic).account } },
    }),
  );
}

function lostNotifications(notify: IFunction, { ruleName }: IRule): IMetric {
  const uncalled = new Metric({
    namespace: 'AWS/Events',
    metricName: 'FailedInvocations',
    dimensionsMap: { RuleName: ruleName },
    statistic: Stats.SUM,
  });
  return new MathExpression({
    label: 'Notifications that were lost',
    expression: 'FILL(failed, 0) + FILL(uncalled, 0)',
    usingMetrics: { failed: notify.metricErrors(), uncalled },
  });
}
