// Acknowledges the findings of cdk-nag (AwsSolutions) that are intended: each on its construct, with the reason.
import { type CfnResource, Stack, Token, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { SCHEDULE_PREFIX, SNAPSHOT_PREFIX } from '../lambda/aws/names.ts';
import type { BackstopStack } from './backstop-stack.ts';
import type { Settings } from './config.ts';
import type { DeliveryStack } from './delivery-stack.ts';
import type { Functions } from './functions.ts';

/** Acknowledges the findings in the stack with the state machine. */
export function acknowledgeBackstop(stack: BackstopStack): void {
  const functions = find(stack, 'Functions');
  const { called } = functions as Functions;

  const snapshots = ['snapshot', 'cluster-snapshot'];
  acknowledge(
    find(functions, 'SnapshotRole'),
    'The id of a snapshot ends with the name of its execution, which is not known before.',
    ...snapshots.map((kind) => wildcard(arn(stack, 'rds', `${kind}:${SNAPSHOT_PREFIX}*`))),
  );
  acknowledge(
    find(functions, 'SnapshotRole'),
    'IAM checks a listing of the snapshots of one database against all snapshots; it only reads.',
    ...snapshots.map((kind) => wildcard(arn(stack, 'rds', `${kind}:*`))),
  );
  acknowledge(
    find(functions, 'ScheduleRole'),
    'The name of a schedule ends with the name of its database, and the group holds no schedules but these.',
    wildcard(
      arn(stack, 'scheduler', `schedule/${ref(find(functions, 'Schedules', 'Group'))}/${SCHEDULE_PREFIX}*`),
    ),
  );
  for (const { role } of called.filter(({ isBoundToVpc }) => isBoundToVpc)) {
    acknowledge(
      role as IConstruct,
      'Lambda checks the right to join a VPC before the network interface has an id, and its subnet may be of another account.',
      wildcard(arn(stack, 'ec2', '*/*', '*')),
    );
    acknowledge(
      role as IConstruct,
      'AWS knows no resource for the two actions that describe network interfaces and subnets.',
      wildcard('*'),
    );
  }
  acknowledge(
    find(stack, 'StateMachine', 'Role'),
    'An execution calls the versions that it began with, also after the next deployment.',
    ...called.map((lambda) => wildcard(`<${logicalId(lambda)}.Arn>:*`)),
  );
  acknowledge(
    find(stack, 'StateMachine', 'Role'),
    'AWS knows no resource for the actions that set up log delivery and send traces.',
    wildcard('*'),
  );
  acknowledge(
    find(stack, 'Operations', 'NotifyRole'),
    'The caller names an execution when starting it, and this function only reads executions.',
    wildcard(arn(stack, 'states', `execution:<${logicalId(find(stack, 'StateMachine'))}.Name>:*`)),
  );
}

/** Acknowledges the findings in the stack with the pipeline. */
export function acknowledgeDelivery(stack: DeliveryStack, { kmsKeyArn, delivery }: Settings): void {
  const projects = ['Test', 'Deploy', ...(delivery?.approval ? ['Summary'] : [])];
  const artifacts = find(stack, 'Artifacts');

  acknowledge(
    artifacts,
    'It holds nothing but copies of the repository on their way, which are deleted after a month.',
    'S1',
  );
  for (const role of ['Pipeline', ...projects]) {
    acknowledge(
      find(stack, `${role}Role`),
      'CodePipeline names the objects in the bucket, and nothing else is in there.',
      wildcard(`<${logicalId(artifacts)}.Arn>/*`),
    );
  }
  if (kmsKeyArn !== undefined) return;
  for (const project of projects) {
    acknowledge(
      find(stack, project),
      'A key would encrypt the artifacts of a build, and this build has no artifacts.',
      'CB4',
    );
  }
}

/** @param findings without the name of the pack, e.g. `S1` */
function acknowledge(construct: IConstruct, reason: string, ...findings: string[]): void {
  Validations.of(construct).acknowledge(...findings.map((id) => ({ id: `AwsSolutions-${id}`, reason })));
}

/** The finding that a permission holds for more than one resource, which is written as cdk-nag flattens it. */
const wildcard = (resource: string) => `IAM5[Resource::${resource}]`;
/** A part of an ARN as cdk-nag writes it: only a stack that is for one account and region knows its value. */
const part = (value: string, parameter: string) =>
  Token.isUnresolved(value) ? `<AWS::${parameter}>` : value;

/** @param owner the account of the resource. @default - the account of the stack */
function arn(scope: IConstruct, service: string, resource: string, owner?: string): string {
  const { partition, region, account } = Stack.of(scope);
  return [
    'arn',
    part(partition, 'Partition'),
    service,
    part(region, 'Region'),
    owner ?? part(account, 'AccountId'),
    resource,
  ].join(':');
}
const ref = (construct: IConstruct) => `<${logicalId(construct)}>`;

function logicalId(construct: IConstruct): string {
  const resource = (construct.node.defaultChild ?? construct) as CfnResource;
  return Stack.of(construct).resolve(resource.logicalId);
}

/** The construct at the end of a path below another one; CDK throws if it does not exist. */
function find(scope: IConstruct, ...path: string[]): IConstruct {
  return path.reduce((construct, id) => construct.node.findChild(id), scope);
}
