// Permissions of each kind of function: the actions that it calls, on the configured resources.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type Conditions, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DATABASE_TAG, EXECUTION_TAG, SCHEDULE_PREFIX, snapshotPrefix } from '../lambda/aws/names.ts';
import type { Settings } from './config.ts';

type Databases = Settings['databases'];

const allow = (actions: string[], resources: string[], conditions: Conditions = {}) =>
  new PolicyStatement({ actions, resources, conditions });

/** ARNs of RDS resources of one kind, e.g. `db` or `cluster-snapshot`, in the stack's account and region. */
function rdsArns(scope: Construct, resource: string, names: readonly string[]): string[] {
  return names.map((resourceName) =>
    Stack.of(scope).formatArn({
      service: 'rds',
      resource,
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
}

/** Whether an identifier is an instance's or a cluster's is not known yet: it may be described as either. */
const identifiers = (databases: Databases) =>
  // RDS writes them in small letters, and IAM compares letter by letter.
  Object.values(databases).map(({ identifier }) => identifier.toLowerCase());

export function describeDatabases(scope: Construct, databases: Databases): PolicyStatement[] {
  const names = identifiers(databases);
  return [
    allow(['rds:DescribeDBInstances'], rdsArns(scope, 'db', names)),
    allow(['rds:DescribeDBClusters'], rdsArns(scope, 'cluster', names)),
  ];
}

export function takeSnapshots(scope: Construct, databases: Databases): PolicyStatement[] {
  const [names, snapshots] = [
    identifiers(databases),
    Object.keys(databases).map((name) => `${snapshotPrefix(name)}*`),
  ];
  const own = {
    db: rdsArns(scope, 'snapshot', snapshots),
    cluster: rdsArns(scope, 'cluster-snapshot', snapshots),
  };
  // A listing by database names no snapshot: IAM checks it against the kind as a whole.
  const all = { db: rdsArns(scope, 'snapshot', ['*']), cluster: rdsArns(scope, 'cluster-snapshot', ['*']) };
  const of = { db: rdsArns(scope, 'db', names), cluster: rdsArns(scope, 'cluster', names) };
  // New snapshots get our tags, and only snapshots with these tags may be deleted.
  const tagged = Object.keys(databases);
  const bearing = { StringEquals: { [`aws:RequestTag/${DATABASE_TAG}`]: tagged } };
  const borne = { StringEquals: { [`aws:ResourceTag/${DATABASE_TAG}`]: tagged } };
  const ours = { 'ForAllValues:StringEquals': { 'aws:TagKeys': [DATABASE_TAG, EXECUTION_TAG] } };
  return [
    ...describeDatabases(scope, databases),
    allow(['rds:CreateDBSnapshot'], [...of.db, ...own.db], bearing),
    allow(['rds:CreateDBClusterSnapshot'], [...of.cluster, ...own.cluster], bearing),
    allow(['rds:DescribeDBSnapshots'], [...of.db, ...all.db]),
    allow(['rds:DescribeDBClusterSnapshots'], [...of.cluster, ...all.cluster]),
    allow(['rds:DeleteDBSnapshot'], own.db, borne),
    allow(['rds:DeleteDBClusterSnapshot'], own.cluster, borne),
    allow(['rds:AddTagsToResource'], [...own.db, ...own.cluster], { ...bearing, ...ours }),
  ];
}

/** Reads the secrets of those databases that have one, and logs in to the others as their user. */
export function logIn(scope: Construct, databases: Databases): PolicyStatement[] {
  const logins = Object.values(databases);
  const secrets = logins.flatMap(({ secretArn }) => secretArn ?? []);
  const users = logins.flatMap(({ iam }) => (iam ? `${iam.resourceId}/${iam.user}` : []));
  return [
    ...(secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets)] : []),
    ...logins.flatMap(({ secretArn, secretKeyArn }) => decryptSecret(scope, secretArn, secretKeyArn)),
    ...(users.length > 0 ? [allow(['rds-db:connect'], dbUserArns(scope, users))] : []),
  ];
}

/** Lets a function use the key, but only for that secret and only through Secrets Manager. */
function decryptSecret(scope: Construct, secretArn = '', keyArn: string | undefined): PolicyStatement[] {
  if (keyArn === undefined) return [];
  const { region, urlSuffix } = Stack.of(scope);
  return [
    allow(['kms:Decrypt'], [keyArn], {
      StringEquals: {
        'kms:ViaService': `secretsmanager.${region}.${urlSuffix}`,
        'kms:EncryptionContext:SecretARN': secretArn,
      },
    }),
  ];
}

function dbUserArns(scope: Construct, users: readonly string[]): string[] {
  return users.map((resourceName) =>
    Stack.of(scope).formatArn({
      service: 'rds-db',
      resource: 'dbuser',
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
}

/**
 * Lets the state machine call every version of its functions: an execution that began before a deployment goes on with
 * the versions before it.
 */
export function callVersions(functions: readonly IFunction[]): PolicyStatement[] {
  return [
    allow(
      ['lambda:InvokeFunction'],
      functions.map(({ functionArn }) => `${functionArn}:*`),
    ),
  ];
}

/** Permissions that Lambda needs to decrypt the function's environment. */
export function decryptEnvironment(key: IKey | undefined): PolicyStatement[] {
  return key ? [allow(['kms:Decrypt'], [key.keyArn])] : [];
}

/** Permissions to read and write data that a customer's key encrypts: executions, messages, artifacts. */
export function useKey(key: IKey | undefined): PolicyStatement[] {
  return key ? [allow(['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn])] : [];
}

/**
 * Makes and moves the schedules of one group, and hands them the role with which they start an execution.
 *
 * @param group name of the group
 */
export function schedule(scope: Construct, group: string, roleArn: string): PolicyStatement[] {
  const schedules = Stack.of(scope).formatArn({
    service: 'scheduler',
    resource: 'schedule',
    resourceName: `${group}/${SCHEDULE_PREFIX}*`,
  });
  return [
    allow(['scheduler:CreateSchedule', 'scheduler:UpdateSchedule'], [schedules]),
    allow(['iam:PassRole'], [roleArn], {
      StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
    }),
  ];
}

/**
 * Reads the executions of one state machine.
 *
 * @param stateMachine name of the state machine
 */
export function readExecutions(scope: Construct, stateMachine: string): PolicyStatement[] {
  const executions = Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${stateMachine}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [allow(['states:DescribeExecution', 'states:GetExecutionHistory'], [executions])];
}

/** Permissions to publish to a topic; `key` encrypts the topic. */
export function publish(topicArn: string, key: IKey | undefined): PolicyStatement[] {
  return [allow(['sns:Publish'], [topicArn]), ...useKey(key)];
}

export function writeLogs(logGroup: ILogGroup): PolicyStatement[] {
  return [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn])];
}

/** Permissions that Lambda needs to put a function into a VPC; it checks these before the interface has an id. */
export function joinVpc(scope: Construct): PolicyStatement[] {
  const interfaces = Stack.of(scope).formatArn({ service: 'ec2', resource: '*', resourceName: '*' });
  return [
    allow(
      [
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      [interfaces],
    ),
    // AWS defines these without resource level.
    allow(['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'], ['*']),
  ];
}
