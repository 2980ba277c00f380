// The state machine that an operator or a pipeline starts: the flow, its log and its limits.
import { Duration } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  LogLevel,
  QueryLanguage,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Functions } from './functions.ts';
import { defineFlow } from './state-machine/flow.ts';
import { EXECUTION_LIMIT_HOURS } from './timeouts.ts';

const COMMENT =
  'Runs a PostgreSQL migration that steps back by itself when the result is wrong. Input: {} for the deployed ' +
  'defaults, or any of {"action": "upgrade" | "downgrade" | "finalize" | "status", "target": "head", ' +
  '"database": "…", "snapshot": true, "finalize": true}.';

export class MigrationStateMachine extends StateMachine {
  constructor(scope: Construct, id: string, functions: Functions, retention: RetentionDays) {
    super(scope, id, {
      comment: COMMENT,
      stateMachineType: StateMachineType.STANDARD,
      queryLanguage: QueryLanguage.JSON_PATH,
      definitionBody: DefinitionBody.fromChainable(defineFlow(scope, functions)),
      timeout: Duration.hours(EXECUTION_LIMIT_HOURS),
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(scope, `${id}LogGroup`, { retention }),
        level: LogLevel.ALL,
        // The document never holds a secret, and without it a log says only that a state failed.
        includeExecutionData: true,
      },
    });
  }
}
