// The local RDS, asked by the real SDK: its rules, its errors by the SDK's names, and snapshots that really restore.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AddTagsToResourceCommand,
  CreateDBClusterSnapshotCommand,
  CreateDBSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ListTagsForResourceCommand,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
  waitUntilDBInstanceAvailable,
  waitUntilDBSnapshotAvailable,
} from '@aws-sdk/client-rds';
import { REGION } from '../../../lib/twin/aws/account.ts';
import { type AwsEndpoint, type LocalInstance, startAwsEndpoint } from '../../../lib/twin/aws/endpoint.ts';
import { withClient } from '../../../lib/twin/server/client.ts';
import type { LocalServer } from '../../../lib/twin/server/server.ts';
import { startServer } from '../../../lib/twin/server.ts';

let server: LocalServer;
let aws: AwsEndpoint;
let rds: RDSClient;

beforeAll(async () => {
  server = await startServer(undefined);
  await server.createDatabase('app');
});
afterAll(() => server.stop());

beforeEach(async () => {
  aws = await startAwsEndpoint();
  aws.instances.set('db-1', { kind: 'instance', server, database: 'app', status: 'available' });
  rds = new RDSClient({
    endpoint: aws.url,
    region: REGION,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  rds.destroy();
  await aws.stop();
});

/** A server whose snapshots end as the test wants, at once: for the rules around them. */
const snapshotting = (takeSnapshot: LocalServer['takeSnapshot']): LocalInstance => ({
  kind: 'instance',
  server: { ...server, takeSnapshot },
  database: 'app',
  status: 'available',
});
const instantly = () =>
  snapshotting(async () => ({ restore: () => Promise.reject(), delete: async () => {} }));
const never = () => snapshotting(() => new Promise(() => {}));
const failing = () => snapshotting(() => Promise.reject(new Error('disk full')));

const create = (id: string, source = 'db-1') =>
  rds.send(new CreateDBSnapshotCommand({ DBSnapshotIdentifier: id, DBInstanceIdentifier: source }));
const describeSnapshot = async (id: string) =>
  (await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }))).DBSnapshots?.[0];
const describeInstance = async (id: string) =>
  (await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }))).DBInstances?.[0];

describe('an instance', () => {
  test('is described with the endpoint of its server', async () => {
    expect(await describeInstance('db-1')).toMatchObject({
      DBInstanceIdentifier: 'db-1',
      DBInstanceArn: 'arn:aws:rds:eu-central-1:111122223333:db:db-1',
      DBInstanceStatus: 'available',
      Engine: 'postgres',
      EngineVersion: '18',
      DBName: 'app',
      Endpoint: { Address: server.host, Port: server.port },
    });
    expect((await describeInstance('db-1'))?.DBClusterIdentifier).toBeUndefined();
  });

  test('is not found under another name', async () => {
    await expect(describeInstance('db-2')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
    await expect(create('s', 'db-2')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
  });

  test('that is not available cannot be snapshot', async () => {
    aws.instances.set('db-1', { ...instantly(), status: 'stopped' });
    await expect(create('s')).rejects.toMatchObject({ name: 'InvalidDBInstanceStateFault' });
  });

  test('that is being snapshot is not available until the snapshot is', async () => {
    aws.instances.set('db-1', never());
    await create('first');
    expect((await describeInstance('db-1'))?.DBInstanceStatus).toBe('backing-up');
    await expect(create('second')).rejects.toMatchObject({ name: 'InvalidDBInstanceStateFault' });
  });
});

describe('an Aurora cluster', () => {
  beforeEach(() => {
    aws.instances.set('aurora', { ...instantly(), kind: 'cluster' });
  });

  test('has a member instance that names it, and is described with its endpoint', async () => {
    expect(await describeInstance('aurora-instance-1')).toMatchObject({
      DBClusterIdentifier: 'aurora',
      Engine: 'aurora-postgresql',
    });
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'aurora' }));
    expect(DBClusters).toMatchObject([
      {
        DBClusterIdentifier: 'aurora',
        Status: 'available',
        Endpoint: server.host,
        Port: server.port,
        DBClusterMembers: [{ DBInstanceIdentifier: 'aurora-instance-1', IsClusterWriter: true }],
      },
    ]);
  });

  test('is not found among the instances, nor an instance among the clusters', async () => {
    await expect(describeInstance('aurora')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
    await expect(
      rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'db-1' })),
    ).rejects.toMatchObject({ name: 'DBClusterNotFoundFault' });
  });

  test('is snapshot as a cluster, not by its member', async () => {
    await expect(create('s', 'aurora-instance-1')).rejects.toThrow('CreateDBClusterSnapshot');
    const snapshot = { DBClusterSnapshotIdentifier: 's', DBClusterIdentifier: 'aurora' };
    await rds.send(new CreateDBClusterSnapshotCommand(snapshot));
    const found = await rds.send(new DescribeDBClusterSnapshotsCommand(snapshot));
    expect(found.DBClusterSnapshots).toMatchObject([
      { ...snapshot, Status: 'available', PercentProgress: 100, Engine: 'aurora-postgresql' },
    ]);
    await expect(rds.send(new CreateDBClusterSnapshotCommand(snapshot))).rejects.toMatchObject({
      name: 'DBClusterSnapshotAlreadyExistsFault',
    });
  });

  test('has snapshot names of at most 63 characters', async () => {
    await expect(
      rds.send(
        new CreateDBClusterSnapshotCommand({
          DBClusterSnapshotIdentifier: 's'.repeat(64),
          DBClusterIdentifier: 'aurora',
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

describe('a Multi-AZ cluster', () => {
  test('runs PostgreSQL on three instances, the first of which writes', async () => {
    aws.instances.set('multi', { ...instantly(), kind: 'cluster', isMultiAz: true });
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'multi' }));
    expect(DBClusters?.[0]).toMatchObject({
      Engine: 'postgres',
      DBClusterInstanceClass: expect.stringMatching(/^db\./),
      DBClusterMembers: [
        { DBInstanceIdentifier: 'multi-instance-1', IsClusterWriter: true },
        { DBInstanceIdentifier: 'multi-instance-2', IsClusterWriter: false },
        { DBInstanceIdentifier: 'multi-instance-3', IsClusterWriter: false },
      ],
    });
    expect(await describeInstance('multi-instance-3')).toMatchObject({ DBClusterIdentifier: 'multi' });
    await expect(create('s', 'multi-instance-3')).rejects.toThrow('CreateDBClusterSnapshot');
  });
});

describe('a lag', () => {
  beforeEach(() => {
    aws.instances.set('db-1', instantly());
  });

  test('hides a new snapshot, which cannot be created again meanwhile', async () => {
    aws.lag.newSnapshot = 1;
    await create('s');
    await expect(describeSnapshot('s')).rejects.toMatchObject({ name: 'DBSnapshotNotFoundFault' });
    await expect(create('s')).rejects.toMatchObject({ name: 'DBSnapshotAlreadyExistsFault' });
    await expect(describeSnapshot('s')).resolves.toBeDefined();
  });

  test('hides the tags of a snapshot', async () => {
    aws.lag.tags = 1;
    const { DBSnapshot } = await rds.send(
      new CreateDBSnapshotCommand({
        DBSnapshotIdentifier: 's',
        DBInstanceIdentifier: 'db-1',
        Tags: [{ Key: 'owner', Value: 'us' }],
      }),
    );
    expect([DBSnapshot?.TagList, (await describeSnapshot('s'))?.TagList]).toEqual([undefined, undefined]);
    expect((await describeSnapshot('s'))?.TagList).toEqual([{ Key: 'owner', Value: 'us' }]);
  });

  test('shows the status of an instance as it was', async () => {
    aws.instances.set('db-1', never());
    aws.lag.status = 1;
    await describeInstance('db-1');
    await create('s');
    const shown = async () => (await describeInstance('db-1'))?.DBInstanceStatus;
    expect([await shown(), await shown()]).toEqual(['available', 'backing-up']);
  });
});

describe('a list of snapshots', () => {
  const page = (input: object) => rds.send(new DescribeDBSnapshotsCommand(input));

  test('has a hundred records on a page, and a marker for the next page', async () => {
    aws.snapshotQuota = 101;
    aws.instances.set('db-1', instantly());
    for (let n = 0; n <= 100; n++) {
      await create(`s-${n}`);
      await sleep(0);
    }
    const { DBSnapshots: first, Marker } = await page({});
    const last = await page({ Marker });
    expect([first?.length, last.DBSnapshots?.length, last.Marker]).toEqual([100, 1, undefined]);
    expect((await page({ MaxRecords: 20 })).DBSnapshots).toHaveLength(20);
  });

  test.each([19, 101])('has no pages of %d records', async (MaxRecords) => {
    await expect(page({ MaxRecords })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

describe('a snapshot', () => {
  test('becomes available when the backup is done, and restores to an instance with the data of that time', async () => {
    await withClient(server, 'app', (client) => client.query('CREATE TABLE t AS SELECT 1 AS n'));
    expect((await create('Before-2')).DBSnapshot).toMatchObject({
      DBSnapshotIdentifier: 'before-2',
      Status: 'creating',
    });
    await waitUntilDBSnapshotAvailable(
      { client: rds, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
      { DBSnapshotIdentifier: 'before-2' },
    );
    expect((await describeInstance('db-1'))?.DBInstanceStatus).toBe('available');
    await withClient(server, 'app', (client) => client.query('UPDATE t SET n = 2'));

    const { DBInstance } = await rds.send(
      new RestoreDBInstanceFromDBSnapshotCommand({
        DBInstanceIdentifier: 'restored',
        DBSnapshotIdentifier: 'before-2',
      }),
    );
    expect(DBInstance).toMatchObject({ DBInstanceIdentifier: 'restored', DBInstanceStatus: 'creating' });
    expect(DBInstance?.Endpoint).toBeUndefined();
    await waitUntilDBInstanceAvailable(
      { client: rds, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
      { DBInstanceIdentifier: 'restored' },
    );
    const endpoint = (await describeInstance('restored'))?.Endpoint;
    const address = { ...server, host: endpoint?.Address ?? '', port: endpoint?.Port ?? 0 };
    const { rows } = await withClient(address, 'app', (client) => client.query('SELECT n FROM t'));
    expect(rows).toEqual([{ n: 1 }]);
    await expect(
      rds.send(
        new RestoreDBInstanceFromDBSnapshotCommand({
          DBInstanceIdentifier: 'restored',
          DBSnapshotIdentifier: 'before-2',
        }),
      ),
    ).rejects.toMatchObject({ name: 'DBInstanceAlreadyExistsFault' });
  });

  test('that fails says so, and leaves the instance available', async () => {
    aws.instances.set('db-1', failing());
    await create('s');
    await sleep(0);
    expect((await describeSnapshot('s'))?.Status).toBe('failed');
    expect((await describeInstance('db-1'))?.DBInstanceStatus).toBe('available');
  });

  test.each(['1st', '-s', 's-', 's--t', 's_t', 's t', ''])('may not be named "%s"', async (id) => {
    await expect(create(id)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('may have a name of 255 characters, not of 256', async () => {
    aws.instances.set('db-1', instantly());
    await expect(create('s'.repeat(256))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(create('s'.repeat(255))).resolves.toBeDefined();
  });

  test('exists once, and is found by name or by instance', async () => {
    aws.instances.set('db-1', instantly());
    await create('s');
    await sleep(0);
    await expect(create('s')).rejects.toMatchObject({ name: 'DBSnapshotAlreadyExistsFault' });
    await expect(describeSnapshot('t')).rejects.toMatchObject({ name: 'DBSnapshotNotFoundFault' });
    const of = async (input: object) =>
      (await rds.send(new DescribeDBSnapshotsCommand(input))).DBSnapshots ?? [];
    expect(await of({ DBInstanceIdentifier: 'db-1', SnapshotType: 'manual' })).toHaveLength(1);
    expect(await of({ DBInstanceIdentifier: 'db-1', SnapshotType: 'automated' })).toEqual([]);
    expect(await of({ DBInstanceIdentifier: 'db-2' })).toEqual([]);
  });

  test('is one too many at the quota, until another is deleted', async () => {
    aws.snapshotQuota = 2;
    aws.instances.set('db-1', instantly());
    for (const id of ['a', 'b']) {
      await create(id);
      await sleep(0);
    }
    await expect(create('c')).rejects.toMatchObject({ name: 'SnapshotQuotaExceededFault' });
    await rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: 'a' }));
    await expect(create('c')).resolves.toBeDefined();
  });

  test('cannot be deleted while it is created', async () => {
    aws.instances.set('db-1', never());
    await create('s');
    await expect(rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: 's' }))).rejects.toMatchObject({
      name: 'InvalidDBSnapshotStateFault',
    });
  });
});

describe('tags', () => {
  test('are kept with the snapshot, and added to', async () => {
    aws.instances.set('db-1', instantly());
    const { DBSnapshot } = await rds.send(
      new CreateDBSnapshotCommand({
        DBSnapshotIdentifier: 's',
        DBInstanceIdentifier: 'db-1',
        Tags: [{ Key: 'backstop:execution', Value: 'run-1' }],
      }),
    );
    const ResourceName = DBSnapshot?.DBSnapshotArn;
    expect(ResourceName).toBe('arn:aws:rds:eu-central-1:111122223333:snapshot:s');
    await rds.send(new AddTagsToResourceCommand({ ResourceName, Tags: [{ Key: 'keep', Value: 'yes' }] }));
    const { TagList } = await rds.send(new ListTagsForResourceCommand({ ResourceName }));
    expect(TagList).toEqual([
      { Key: 'backstop:execution', Value: 'run-1' },
      { Key: 'keep', Value: 'yes' },
    ]);
    expect((await describeSnapshot('s'))?.TagList).toEqual(TagList);
  });

  test('with characters that RDS does not allow are refused', async () => {
    const ResourceName = 'arn:aws:rds:eu-central-1:111122223333:db:db-1';
    await expect(
      rds.send(new AddTagsToResourceCommand({ ResourceName, Tags: [{ Key: 'k', Value: 'a & <b>' }] })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('of a missing resource are not found', async () => {
    await expect(
      rds.send(
        new ListTagsForResourceCommand({
          ResourceName: 'arn:aws:rds:eu-central-1:111122223333:snapshot:none',
        }),
      ),
    ).rejects.toMatchObject({ name: 'DBSnapshotNotFoundFault' });
  });
});

describe('a request', () => {
  test('can be answered with any fault of AWS, any number of times', async () => {
    let faults = 1;
    aws.onRequest = ({ action }) =>
      action === 'DescribeDBInstances' && faults-- > 0
        ? { code: 'Throttling', message: 'Rate <exceeded> & more', httpStatus: 400 }
        : undefined;
    await expect(describeInstance('db-1')).rejects.toMatchObject({
      name: 'Throttling',
      message: 'Rate <exceeded> & more',
    });
    await expect(describeInstance('db-1')).resolves.toBeDefined();
  });

  test('is kept with its parameters', async () => {
    await describeInstance('db-1');
    expect(aws.requests).toEqual([
      { action: 'DescribeDBInstances', parameters: { DBInstanceIdentifier: 'db-1' } },
    ]);
  });

  test('for an action that the twin does not have is refused by name', async () => {
    const response = await fetch(aws.url, {
      method: 'POST',
      body: 'Action=DeleteDBInstance&Version=2014-10-31',
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>InvalidAction</Code>');
  });
});
