// The deployed stack: the functions, the state machine that calls them, and the alarms and dashboard for operators.
import { Aws, CfnOutput, Fn, Names, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { readRefusals } from '../lambda/migrator/revisions/databases.ts';
import type { Settings } from './config.ts';
import { Functions } from './functions.ts';
import { Operations } from './operations.ts';
import { MIGRATIONS } from './paths.ts';
import { MigrationStateMachine } from './state-machine.ts';
import { functionSeconds } from './timeouts.ts';

export interface BackstopStackProps extends StackProps {
  readonly settings: Settings;
}

export class BackstopStack extends Stack {
  /** The subnets of the functions, and the availability zone of each. */
  readonly zones: Readonly<Record<string, string>>;
  /** For a pipeline to start. */
  readonly stateMachine: StateMachine;
  /** Known before the deployment, so that another stack can refer to it without a value of this one. */
  readonly stateMachineName = Names.uniqueResourceName(this, {
    maxLength: 80,
    allowedSpecialCharacters: '-',
  });

  constructor(scope: Construct, id: string, { settings, ...props }: BackstopStackProps) {
    super(scope, id, props);
    const key =
      settings.kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', settings.kmsKeyArn);
    const logs: LogGroupProps = { retention: settings.logRetentionDays, ...(key && { encryptionKey: key }) };
    const shared = {
      logGroup: new LogGroup(this, 'FunctionLog', logs),
      seconds: functionSeconds(settings),
      key,
    };
    const refusals = readRefusals(MIGRATIONS);
    const functions = new Functions(this, 'Functions', shared, settings);
    this.zones = functions.zones;
    this.stateMachine = new MigrationStateMachine(this, 'StateMachine', {
      stateMachineName: this.stateMachineName,
      functions,
      logGroup: new LogGroup(this, 'ExecutionLog', {
        ...logs,
        logGroupName: vendedLogName(this.stateMachineName),
      }),
      refusals,
      key,
    });
    const { stateMachine } = this;
    const operations = new Operations(this, 'Operations', {
      shared,
      settings,
      stateMachine,
      refusals,
    });
    new CfnOutput(this, 'StateMachineArn', { value: stateMachine.stateMachineArn });
    new CfnOutput(this, 'TopicArn', { value: operations.topic.topicArn });
    new CfnOutput(this, 'DashboardUrl', { value: operations.dashboardUrl });
  }
}

/**
 * Groups with this prefix share one line of the account's resource policy for logs, which has 5,120 characters; each other
 * group takes its share of them. The end is the stack's own UUID: a group outlives its stack, and a stack with the same
 * name makes another.
 */
function vendedLogName(stateMachineName: string): string {
  return `/aws/vendedlogs/states/${stateMachineName}-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`;
}
