// The state machine that an operator or a pipeline starts: the flow, its log and its limits.
import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import {
  CustomerManagedEncryptionConfiguration,
  DefinitionBody,
  LogLevel,
  QueryLanguage,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Functions } from './functions.ts';
import { callVersions, useKey } from './permissions.ts';
import { defineFlow } from './state-machine/flow.ts';
import { EXECUTION_LIMIT_HOURS } from './timeouts.ts';

const COMMENT =
  'Runs a PostgreSQL migration that steps back by itself when the result is wrong. ' +
  'Start it with {} for the deployed defaults, with one word, "status", "plan" or "finalize", or with any of ' +
  '{"action": "upgrade" | "downgrade" | "finalize" | "status" | "plan", "target": "head", "database": "…", ' +
  '"snapshot": true, "finalize": true, "allowLoss": false, "drift": "warn", "maxLock": 5, "plan": "…"}. "status" and "plan" change nothing.';

export interface MigrationStateMachineProps {
  /** Given here, because with a customer's key the role has a condition on the ARN. */
  readonly stateMachineName: string;
  readonly functions: Functions;
  readonly logGroup: ILogGroup;
  /** Names of the endings that revisions declare. */
  readonly refusals: readonly string[];
  /** Encrypts definition and history. Default: a key that AWS owns. */
  readonly key: IKey | undefined;
}

export class MigrationStateMachine extends StateMachine {
  constructor(scope: Construct, id: string, props: MigrationStateMachineProps) {
    const { stateMachineName, functions, logGroup, refusals, key } = props;
    super(scope, id, {
      stateMachineName,
      comment: COMMENT,
      stateMachineType: StateMachineType.STANDARD,
      queryLanguage: QueryLanguage.JSON_PATH,
      definitionBody: DefinitionBody.fromChainable(defineFlow(scope, functions, refusals)),
      timeout: Duration.hours(EXECUTION_LIMIT_HOURS),
      tracingEnabled: true,
      ...(key && { encryptionConfiguration: new CustomerManagedEncryptionConfiguration(key) }),
      logs: {
        destination: logGroup,
        level: LogLevel.ALL,
        // The document never holds a secret, and without it a log says only that a state failed.
        includeExecutionData: true,
      },
    });
    for (const statement of callVersions(functions.called)) this.addToRolePolicy(statement);
    const { role } = functions.schedules;
    this.grantStartExecution(role);
    for (const statement of useKey(key)) role.addToPolicy(statement);
  }
}
