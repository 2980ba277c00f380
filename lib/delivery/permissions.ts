// Permissions of the pipeline and its projects: the actions that they call, on their resources and the state machine.
import { ArnFormat, DefaultStackSynthesizer, Fn, type Stack } from 'aws-cdk-lib';
import type { IProject } from 'aws-cdk-lib/aws-codebuild';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';

const allow = (actions: string[], resources: string[]) => new PolicyStatement({ actions, resources });

/** The roles that `cdk deploy` assumes: to look up, to upload the bundles, and to deploy, which passes on a fourth. */
const BOOTSTRAP_ROLES = [
  DefaultStackSynthesizer.DEFAULT_LOOKUP_ROLE_ARN,
  DefaultStackSynthesizer.DEFAULT_FILE_ASSET_PUBLISHING_ROLE_ARN,
  DefaultStackSynthesizer.DEFAULT_DEPLOY_ROLE_ARN,
];

/** Matches a UUID in the resource of a permission. */
const ANY_UUID = [8, 4, 4, 4, 12].map((length) => '?'.repeat(length)).join('-');

/** An action has to have the prefix of the connection's ARN, which was `codestar-connections` until 2024. */
export function readRepository(connectionArn: string): PolicyStatement[] {
  return [allow(['codeconnections:UseConnection', 'codestar-connections:UseConnection'], [connectionArn])];
}

export function readArtifacts(bucket: IBucket): PolicyStatement[] {
  return [
    allow(['s3:GetBucketAcl', 's3:GetBucketLocation'], [bucket.bucketArn]),
    allow(['s3:GetObject', 's3:GetObjectVersion'], [bucket.arnForObjects('*')]),
  ];
}

export function writeArtifacts(bucket: IBucket): PolicyStatement[] {
  return [
    allow(['s3:GetBucketVersioning'], [bucket.bucketArn]),
    allow(['s3:PutObject', 's3:PutObjectAcl', 's3:PutObjectTagging'], [bucket.arnForObjects('*')]),
  ];
}

export function runProjects(projects: readonly IProject[]): PolicyStatement[] {
  const actions = ['codebuild:BatchGetBuilds', 'codebuild:StartBuild', 'codebuild:StopBuild'];
  return [
    allow(
      actions,
      projects.map(({ projectArn }) => projectArn),
    ),
  ];
}

/** Starts executions and waits for their ends, only if their names have one of the prefixes. */
export function runExecutions(stateMachine: IStateMachine, prefixes: readonly string[]): PolicyStatement[] {
  return [
    allow(['states:DescribeStateMachine', 'states:StartExecution'], [stateMachine.stateMachineArn]),
    ...prefixes.flatMap((prefix) => describeExecutions(stateMachine, prefix)),
  ];
}

/** CodePipeline names an execution `prefix-uuid`. */
export function describeExecutions(stateMachine: IStateMachine, prefix: string): PolicyStatement[] {
  const { stack, stateMachineArn } = stateMachine;
  const { resourceName: name } = stack.splitArn(stateMachineArn, ArnFormat.COLON_RESOURCE_NAME);
  const executions = stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${name}:${prefix}-${ANY_UUID}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [allow(['states:DescribeExecution'], [executions])];
}

/** All that `cdk deploy` of a stack needs: the roles of the CDK bootstrap in its account and region do the rest. */
export function assumeBootstrapRoles(stack: Stack): PolicyStatement[] {
  const { bootstrapQualifier: Qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER } = stack.synthesizer;
  return [
    allow(
      ['sts:AssumeRole'],
      BOOTSTRAP_ROLES.map((arn) => Fn.sub(arn, { Qualifier })),
    ),
  ];
}
