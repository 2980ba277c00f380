// The deployed stack: the functions, the state machine that calls them, and the alarms and dashboard for operators.
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { Functions } from './functions.ts';
import { Operations } from './operations.ts';
import { MigrationStateMachine } from './state-machine.ts';
import { functionSeconds } from './timeouts.ts';

export interface BackstopStackProps extends StackProps {
  readonly settings: Settings;
}

export class BackstopStack extends Stack {
  /** For a pipeline to start. */
  readonly stateMachine: StateMachine;

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
    const functions = new Functions(this, 'Functions', shared, settings);
    this.stateMachine = new MigrationStateMachine(this, 'StateMachine', {
      functions,
      logGroup: new LogGroup(this, 'ExecutionLog', logs),
      key,
    });
    const { stateMachine } = this;
    const operations = new Operations(this, 'Operations', { shared, settings, stateMachine });
    new CfnOutput(this, 'StateMachineArn', { value: stateMachine.stateMachineArn });
    new CfnOutput(this, 'TopicArn', { value: operations.topic.topicArn });
    new CfnOutput(this, 'DashboardUrl', { value: operations.dashboardUrl });
  }
}
