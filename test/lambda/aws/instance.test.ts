// The server of a database as RDS describes it: instances, both kinds of cluster, their members and replicas.
import { restoreSentence } from '../../../lambda/aws/restore.ts';
import type { AwsEndpoint } from '../../../lib/twin/aws/endpoint.ts';
import { addInstance, type Functions, startLocalRds } from './local-rds.ts';

let aws: AwsEndpoint;
let functions: Functions;

beforeAll(async () => {
  ({ aws, functions } = await startLocalRds());
});
afterAll(() => aws.stop());
beforeEach(() => {
  aws.instances.clear();
  aws.onRequest = undefined;
});

const resolve = async (identifier: string) =>
  functions.toInstance(identifier, await functions.describe(identifier));

const SOURCE_ARN = 'arn:aws:rds:us-east-1:111122223333:cluster:source';

test.each([
  ['an instance', { replicaOf: 'source' }, '"source"'],
  ['an instance whose source is in another region', { replicaOf: SOURCE_ARN }, '"source" in us-east-1'],
  ['a cluster', { kind: 'cluster', replicaOf: SOURCE_ARN }, '"source" in us-east-1'],
  [
    'a secondary of a global database',
    { kind: 'cluster', secondaryIn: 'world' },
    'the primary cluster of the global database "world"',
  ],
] as const)('a read replica is refused, and its source named: %s', async (_, properties, source) => {
  addInstance(aws, 'db', properties);
  await expect(resolve('db')).rejects.toMatchObject({
    name: 'ConfigurationError',
    summary: `"db" is a read replica of ${source}: a migration cannot run there`,
    hint: expect.stringContaining(`Deploy for ${source}`),
  });
});

test('an instance that copies from a cluster is refused, and the cluster named', () => {
  const instance = { Engine: 'postgres', ReadReplicaSourceDBClusterIdentifier: 'source' };
  expect(() => functions.toInstance('db', { kind: 'instance', instance })).toThrow(
    '"db" is a read replica of "source"',
  );
});

test('an identifier in capitals is found, and kept as RDS writes it', async () => {
  addInstance(aws, 'db');
  await expect(resolve('DB')).resolves.toMatchObject({ kind: 'instance', identifier: 'db' });
});

test.each([
  ['of Aurora', {}, 1],
  ['of three instances', { isMultiAz: true }, 3],
])('each member of a cluster %s leads to its cluster', async (_, properties, members) => {
  addInstance(aws, 'db', { kind: 'cluster', ...properties });
  for (let number = 1; number <= members; number++) {
    await expect(resolve(`db-instance-${number}`)).resolves.toMatchObject({
      kind: 'cluster',
      identifier: 'db',
    });
  }
});

test('a member whose cluster may not be described names the cluster to configure', async () => {
  addInstance(aws, 'db', { kind: 'cluster' });
  aws.onRequest = ({ action }) =>
    action === 'DescribeDBClusters'
      ? { code: 'AccessDenied', message: 'not you', httpStatus: 403 }
      : undefined;
  await expect(resolve('db-instance-1')).rejects.toMatchObject({
    name: 'ConfigurationError',
    summary: '"db-instance-1" is a member of the cluster "db"',
    hint: expect.stringContaining('Name the cluster "db" instead'),
  });
});

test('a cluster that may not be described is named with the permission', async () => {
  aws.onRequest = ({ action }) =>
    action === 'DescribeDBClusters'
      ? { code: 'AccessDenied', message: 'not you', httpStatus: 403 }
      : undefined;
  await expect(resolve('db')).rejects.toMatchObject({
    name: 'ConfigurationError',
    detail: 'AccessDenied: not you',
    hint: expect.stringContaining('Check the permissions of the function'),
  });
});

test.each(['DescribeDBInstances', 'DescribeDBClusters'])(
  'a throttled %s is no error of the configuration',
  async (throttled) => {
    addInstance(aws, 'db', { kind: 'cluster' });
    aws.onRequest = ({ action }) =>
      action === throttled ? { code: 'Throttling', message: 'Rate exceeded' } : undefined;
    await expect(resolve('db')).rejects.toMatchObject({
      name: 'DatabaseUnreachable',
      summary: 'RDS did not answer, the last time with Throttling: Rate exceeded',
    });
  },
);

describe('the command that restores', () => {
  const commandFor = async () => restoreSentence(await functions.describe('db'), 'the-snapshot');

  test('a cluster of three instances brings them along, and needs their class and storage', async () => {
    addInstance(aws, 'db', { kind: 'cluster', isMultiAz: true });
    const command = await commandFor();
    expect(command).toContain(
      'aws rds restore-db-cluster-from-snapshot --db-cluster-identifier db-restored --snapshot-identifier the-snapshot --engine postgres',
    );
    expect(command).toContain('--db-cluster-instance-class db.m6gd.large --storage-type io1 --iops 1000');
    expect(command).not.toContain('create-db-instance');
  });

  test('a cluster of Aurora makes its instance afterwards, of the class of the writer', async () => {
    addInstance(aws, 'db', { kind: 'cluster' });
    const command = await commandFor();
    expect(command).toContain('--engine aurora-postgresql && aws rds wait db-cluster-available');
    expect(command).toContain('aws rds create-db-instance --db-instance-identifier db-restored-1');
    expect(command).toContain('--db-instance-class <the class of db-instance-1>');
  });

  test('a cluster of Aurora Serverless keeps the capacity in which it pauses', () => {
    const cluster = {
      DBClusterIdentifier: 'db',
      Engine: 'aurora-postgresql',
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 4 },
      DBClusterMembers: [
        { DBInstanceIdentifier: 'reader', IsClusterWriter: false },
        { DBInstanceIdentifier: 'writer', IsClusterWriter: true },
      ],
    };
    const command = restoreSentence({ kind: 'cluster', cluster }, 'the-snapshot');
    expect(command).toContain('--serverless-v2-scaling-configuration MinCapacity=0,MaxCapacity=4');
    expect(command).toContain('<the class of writer>');
  });
});
