// Permissions of each kind of function: the actions that it calls, on the configured resources.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type Conditions, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DATABASE_TAG, EXECUTION_TAG, SCHEDULE_PREFIX, SNAPSHOT_PREFIX } from '../lambda/aws/names.ts';
import type { Settings } from './config.ts';

type Databases = Settings['databases'];

const allow = (actions: string[], resources: string[], conditions: Conditions = {}) =>
  new PolicyStatement({ actions, resources, conditions });

/** As many databases as the resources of one statement hold: a managed policy has 6,144 characters. */
const DATABASES_A_STATEMENT = 40;

/** The statements that `statementsOf` makes, for some of the databases at a time. */
function inParts(
  databases: Databases,
  statementsOf: (part: Databases) => PolicyStatement[],
): PolicyStatement[] {
  const entries = Object.entries(databases);
  const parts = Array.from({ length: Math.ceil(entries.length / DATABASES_A_STATEMENT) }, (_, n) =>
    entries.slice(n * DATABASES_A_STATEMENT, (n + 1) * DATABASES_A_STATEMENT),
  );
  return parts.flatMap((part) => statementsOf(Object.fromEntries(part)));
}

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
const identifiers = (databases: Databases) => [
  // RDS writes them in small letters, and IAM compares letter by letter.
  ...new Set(Object.values(databases).map(({ identifier }) => identifier.toLowerCase())),
];

export function describeDatabases(scope: Construct, databases: Databases): PolicyStatement[] {
  return inParts(databases, (part) => [
    allow(['rds:DescribeDBInstances'], rdsArns(scope, 'db', identifiers(part))),
    allow(['rds:DescribeDBClusters'], rdsArns(scope, 'cluster', identifiers(part))),
  ]);
}

/** Snapshots are Backstop's by the beginning of their names and by their tag. */
export function takeSnapshots(scope: Construct, databases: Databases): PolicyStatement[] {
  const snapshots = (name: string) => [
    ...rdsArns(scope, 'snapshot', [name]),
    ...rdsArns(scope, 'cluster-snapshot', [name]),
  ];
  const own = snapshots(`${SNAPSHOT_PREFIX}*`);
  return [
    ...inParts(databases, (part) => [
      allow(
        ['rds:DescribeDBInstances', 'rds:DescribeDBSnapshots', 'rds:CreateDBSnapshot'],
        rdsArns(scope, 'db', identifiers(part)),
      ),
      allow(
        ['rds:DescribeDBClusters', 'rds:DescribeDBClusterSnapshots', 'rds:CreateDBClusterSnapshot'],
        rdsArns(scope, 'cluster', identifiers(part)),
      ),
      ...tagged(own, Object.keys(part)),
    ]),
    // A listing by database names no snapshot: IAM checks it against the kind as a whole.
    allow(['rds:DescribeDBSnapshots', 'rds:DescribeDBClusterSnapshots'], snapshots('*')),
  ];
}

/** New snapshots get the tag of one of the databases, and only snapshots with such a tag may be deleted. */
function tagged(own: string[], databases: string[]): PolicyStatement[] {
  const bearing = { StringEquals: { [`aws:RequestTag/${DATABASE_TAG}`]: databases } };
  const borne = { StringEquals: { [`aws:ResourceTag/${DATABASE_TAG}`]: databases } };
  const ours = { 'ForAllValues:StringEquals': { 'aws:TagKeys': [DATABASE_TAG, EXECUTION_TAG] } };
  return [
    allow(['rds:CreateDBSnapshot', 'rds:CreateDBClusterSnapshot'], own, bearing),
    allow(['rds:DeleteDBSnapshot', 'rds:DeleteDBClusterSnapshot'], own, borne),
    allow(['rds:AddTagsToResource'], own, { ...bearing, ...ours }),
  ];
}

/** Reads the secrets of those databases that have one, and logs in to the others as their user. */
export function logIn(scope: Construct, databases: Databases): PolicyStatement[] {
  return inParts(databases, (part) => {
    const logins = Object.values(part);
    const secrets = logins.flatMap(({ secretArn }) => secretArn ?? []);
    const users = logins.flatMap(({ iam }) => (iam ? `${iam.resourceId}/${iam.user}` : []));
    return [
      ...(secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets)] : []),
      ...decryptSecrets(scope, logins),
      ...(users.length > 0 ? [allow(['rds-db:connect'], dbUserArns(scope, users))] : []),
    ];
  });
}

/** Lets a function use each key, but only for the secrets that it encrypts and only through Secrets Manager. */
function decryptSecrets(scope: Construct, logins: readonly Databases[string][]): PolicyStatement[] {
  const { region, urlSuffix } = Stack.of(scope);
  const keys = new Set(logins.flatMap(({ secretKeyArn }) => secretKeyArn ?? []));
  return [...keys].map((key) =>
    allow(['kms:Decrypt'], [key], {
      StringEquals: {
        'kms:ViaService': `secretsmanager.${region}.${urlSuffix}`,
        'kms:EncryptionContext:SecretARN': logins
          .filter(({ secretKeyArn }) => secretKeyArn === key)
          .flatMap(({ secretArn }) => secretArn ?? []),
      },
    }),
  );
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
  // The subnets of a shared VPC belong to another account.
  const interfaces = Stack.of(scope).formatArn({
    service: 'ec2',
    account: '*',
    resource: '*',
    resourceName: '*',
  });
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
