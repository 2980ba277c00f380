// What is deployed: the functions, and the state machine that calls them.
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { Functions } from './functions.ts';
import { MigrationStateMachine } from './state-machine.ts';

export interface BackstopStackProps extends StackProps {
  readonly settings: Settings;
}

export class BackstopStack extends Stack {
  /** For a pipeline to start. */
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { settings, ...props }: BackstopStackProps) {
    super(scope, id, props);
    const functions = new Functions(this, 'Functions', settings);
    this.stateMachine = new MigrationStateMachine(this, 'StateMachine', functions, settings.logRetentionDays);
    new CfnOutput(this, 'StateMachineArn', { value: this.stateMachine.stateMachineArn });
  }
}
