// The tools of an operator: a topic that reports every execution, alarms, a dashboard and saved log queries.
import { Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { consoleOf } from './console.ts';
import { BackstopFunction, type SharedProps } from './function.ts';
import { addAlarms } from './operations/alarms.ts';
import { addDashboard } from './operations/dashboard.ts';
import { addQueries } from './operations/queries.ts';
import { publish, readExecutions } from './permissions.ts';

export interface OperationsProps {
  readonly shared: SharedProps;
  readonly settings: Settings;
  readonly stateMachine: StateMachine;
  /** Names of the endings that revisions declare. */
  readonly refusals: readonly string[];
}

/** Every way in which an execution ends, in the words of Step Functions. */
const ENDED = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'];

export class Operations extends Construct {
  /** Reports every execution that has ended, and every alarm. */
  readonly topic: Topic;
  /** The address of the dashboard in the console. */
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    const { shared, settings, stateMachine, refusals } = props;
    const { logGroup, key } = shared;
    this.topic = this.#createTopic(key, settings.notificationEmail);
    const notify = this.#createNotify(shared, stateMachine, refusals);
    const rule = this.#callWhenEnded(notify, stateMachine);
    if (settings.alarms) addAlarms(this, { stateMachine, notify, rule, topic: this.topic });
    this.dashboardUrl = this.#urlOf(addDashboard(this, stateMachine, logGroup).dashboardName);
    addQueries(this, logGroup);
  }

  /** Not encrypted by default: AWS's own key for SNS does not let alarms publish. */
  #createTopic(key: IKey | undefined, email: string | undefined): Topic {
    const topic = new Topic(this, 'Topic', {
      displayName: 'Backstop',
      enforceSSL: true,
      ...(key && { masterKey: key }),
    });
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }

  #createNotify(
    shared: SharedProps,
    stateMachine: StateMachine,
    refusals: readonly string[],
  ): BackstopFunction {
    return new BackstopFunction(this, 'notify', {
      shared,
      description: 'Reports how an execution ended',
      environment: {
        BACKSTOP_TOPIC_ARN: this.topic.topicArn,
        BACKSTOP_REFUSALS: JSON.stringify(refusals),
      },
      permissions: [
        ...readExecutions(this, stateMachine.stateMachineName),
        ...publish(this.topic.topicArn, shared.key),
      ],
    });
  }

  /**
   * EventBridge tries for a day to hand an event over, and Lambda calls the function up to three times. There is no
   * dead-letter queue behind them: old news is of no use. An operator must hear that an execution ended without a
   * notification; the alarms on executions and on this function report that, by another way.
   */
  #callWhenEnded(notify: BackstopFunction, { stateMachineArn }: StateMachine): Rule {
    return new Rule(this, 'Ended', {
      description: 'An execution of Backstop has ended',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [stateMachineArn], status: ENDED },
      },
      targets: [new LambdaFunction(notify)],
    });
  }

  #urlOf(dashboard: string): string {
    return `${consoleOf(this)}/cloudwatch/home?region=${Stack.of(this).region}#dashboards/dashboard/${dashboard}`;
  }
}
