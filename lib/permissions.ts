// What each kind of function may do in the account: only what it calls, on the configured resources.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { snapshotPrefix } from '../lambda/aws/snapshot-id.ts';
import type { Settings } from './config.ts';

type Databases = Settings['databases'];

const allow = (actions: string[], resources: string[]) => new PolicyStatement({ actions, resources });

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
const identifiers = (databases: Databases) => Object.values(databases).map(({ identifier }) => identifier);

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
  return [
    ...describeDatabases(scope, databases),
    allow(['rds:CreateDBSnapshot'], [...of.db, ...own.db]),
    allow(['rds:CreateDBClusterSnapshot'], [...of.cluster, ...own.cluster]),
    allow(['rds:DescribeDBSnapshots'], [...of.db, ...all.db]),
    allow(['rds:DescribeDBClusterSnapshots'], [...of.cluster, ...all.cluster]),
    allow(['rds:DeleteDBSnapshot'], own.db),
    allow(['rds:DeleteDBClusterSnapshot'], own.cluster),
    allow(['rds:AddTagsToResource'], [...own.db, ...own.cluster]),
  ];
}

export function readSecrets(databases: Databases): PolicyStatement[] {
  const arns = Object.values(databases).map(({ secretArn }) => secretArn);
  return [allow(['secretsmanager:GetSecretValue'], arns)];
}

export function writeLogs(logGroup: ILogGroup): PolicyStatement[] {
  return [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn])];
}

/** What Lambda itself needs of the role to put a function into a VPC; it checks these before the interface has an id. */
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
