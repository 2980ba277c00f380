// The roles of other callers than the functions: the scheduler, the state machine, the pipeline, its builds, and Notify.

import { DELIVERY_STACK, STACK } from '../../lib/synthesize.ts';
import { isAllowed } from '../../lib/twin/aws/iam.ts';
import { readRole } from '../../lib/twin/deployment.ts';
import { arnOf, type Resources } from '../../lib/twin/intrinsics.ts';
import { appWith, EVERYTHING, KEY_ARN, templateOf } from './apps.ts';

const app = appWith(EVERYTHING);
const backstop: Resources = templateOf(app, STACK).toJSON().Resources;
const delivery: Resources = templateOf(app, DELIVERY_STACK).toJSON().Resources;

const HERE = 'eu-central-1:111122223333';
const UUID = '01234567-89ab-cdef-0123-456789abcdef';
const MACHINE = `arn:aws:states:${HERE}:stateMachine:Backstop`;
const executionOf = (name: string) => `arn:aws:states:${HERE}:execution:Backstop:${name}`;
const bootstrap = (role: string) =>
  `arn:aws:iam::111122223333:role/cdk-hnb659fds-${role}-role-111122223333-eu-central-1`;

/** The logical id of the one resource whose construct is so. */
function idOf(resources: Resources, construct: string): string {
  const [id = '', ...more] = Object.keys(resources).filter((each) =>
    new RegExp(`^${construct}[0-9A-F]{8}$`).test(each),
  );
  expect(more).toEqual([]);
  return id;
}
const arn = (resources: Resources, construct: string) => arnOf(idOf(resources, construct), resources) ?? '';

/** Caller → its role, the permissions that it needs, and some that it must not have. */
const CALLERS = {
  'a schedule': {
    role: [backstop, 'FunctionsSchedulesRole'],
    needs: [
      ['states:StartExecution', MACHINE],
      ['kms:Decrypt', KEY_ARN],
      ['kms:GenerateDataKey', KEY_ARN],
    ],
    never: [
      ['states:StartExecution', MACHINE.replace('Backstop', 'Other')],
      ['states:StopExecution', executionOf('one')],
    ],
  },
  Notify: {
    role: [backstop, 'OperationsNotifyRole'],
    needs: [
      ['states:DescribeExecution', executionOf('by-hand')],
      ['states:GetExecutionHistory', executionOf(`release-${UUID}`)],
      ['sns:Publish', arn(backstop, 'OperationsTopic')],
      ['kms:Decrypt', KEY_ARN],
      ['kms:GenerateDataKey', KEY_ARN],
    ],
    never: [
      ['states:DescribeExecution', executionOf('one').replace('Backstop', 'Other')],
      ['states:StartExecution', MACHINE],
    ],
  },
  'the state machine': {
    role: [backstop, 'StateMachineRole'],
    needs: [
      ['lambda:InvokeFunction', `${arn(backstop, 'FunctionsMigrate')}:1`],
      // A version of an earlier deployment.
      ['lambda:InvokeFunction', `${arn(backstop, 'FunctionsMigrate')}:41`],
      ['logs:CreateLogDelivery', '*'],
      ['xray:PutTraceSegments', '*'],
    ],
    never: [['lambda:InvokeFunction', arn(backstop, 'FunctionsMigrate')]],
  },
  'the pipeline': {
    role: [delivery, 'PipelineRole'],
    needs: [
      ['states:DescribeStateMachine', MACHINE],
      ['states:StartExecution', MACHINE],
      ['states:DescribeExecution', executionOf(`plan-${UUID}`)],
      ['states:DescribeExecution', executionOf(`release-${UUID}`)],
      ['codebuild:StartBuild', arn(delivery, 'Test')],
      ['codebuild:BatchGetBuilds', arn(delivery, 'Deploy')],
      ['s3:PutObject', `${arn(delivery, 'Artifacts')}/a`],
      ['kms:GenerateDataKey', KEY_ARN],
    ],
    never: [
      ['states:DescribeExecution', executionOf('by-hand')],
      ['states:StopExecution', executionOf(`release-${UUID}`)],
    ],
  },
  'the build Summary': {
    role: [delivery, 'SummaryRole'],
    needs: [
      ['states:DescribeExecution', executionOf(`plan-${UUID}`)],
      ['s3:GetObject', `${arn(delivery, 'Artifacts')}/a`],
      ['kms:Decrypt', KEY_ARN],
    ],
    never: [
      ['states:DescribeExecution', executionOf(`release-${UUID}`)],
      ['states:StartExecution', MACHINE],
    ],
  },
  'the build Deploy': {
    role: [delivery, 'DeployRole'],
    needs: ['lookup', 'file-publishing', 'deploy'].map((role) => ['sts:AssumeRole', bootstrap(role)]),
    never: [
      ['sts:AssumeRole', bootstrap('cfn-exec')],
      ['states:StartExecution', MACHINE],
    ],
  },
} as const;

describe.each(Object.entries(CALLERS))('%s', (_, { role: [resources, construct], needs, never }) => {
  const role = () => readRole(idOf(resources, construct), resources);
  const context = { 'kms:EncryptionContext:aws:states:stateMachineArn': [MACHINE] };
  const may = (action = '', resource = '') => isAllowed(role(), { action, resource, context });

  test.each<readonly string[]>(needs)('may call %s on %s', (action, resource) => {
    expect(may(action, resource)).toBe(true);
  });

  test.each<readonly string[]>(never)('may not call %s on %s', (action, resource) => {
    expect(may(action, resource)).toBe(false);
  });
});
