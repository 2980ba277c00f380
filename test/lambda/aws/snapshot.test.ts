// The snapshot of an execution, against the local RDS: its statuses and its owner, late answers and no answers.
import { setImmediate } from 'node:timers/promises';
import type { Snapshot } from '../../../lambda/state.ts';
import type { AwsEndpoint } from '../../../lib/twin/aws/endpoint.ts';
import type { LocalServer } from '../../../lib/twin/server.ts';
import { addInstance, type Functions, startLocalRds } from './local-rds.ts';

let aws: AwsEndpoint;
let functions: Functions;

beforeAll(async () => {
  ({ aws, functions } = await startLocalRds());
});
afterAll(() => aws.stop());

beforeEach(() => {
  for (const map of [aws.instances, aws.snapshots, aws.tags, aws.statuses]) map.clear();
  aws.requests.length = 0;
  aws.onRequest = undefined;
  aws.snapshotQuota = 100;
  Object.assign(aws.lag, { newSnapshot: 0, tags: 0, status: 0 });
});

const EXECUTION = {
  name: 'run',
  arn: 'arn:run',
  stateMachineArn: 'arn:machine',
  startedAt: '2026-01-01T00:00:00Z',
};
const ID = 'backstop-app-run';
const ARN = `arn:aws:rds:eu-central-1:111122223333:snapshot:${ID}`;

const ensure = (previous?: Snapshot, identifier = 'db') =>
  functions.ensureSnapshot({
    instance: { kind: 'instance', identifier },
    database: 'app',
    execution: EXECUTION,
    previous,
    keep: 2,
    timeoutSeconds: Number.POSITIVE_INFINITY,
  });

/** Asks as the state machine does, and returns the status of each answer. */
async function poll(times: number): Promise<string[]> {
  const statuses: string[] = [];
  let previous: Snapshot | undefined;
  for (let n = 0; n < times; n++) {
    previous = (await ensure(previous)).snapshot;
    statuses.push(previous.status);
  }
  return statuses;
}

const created = () => aws.requests.filter(({ action }) => /^CreateDB/.test(action)).length;

/** A snapshot with the id of this execution that the test has made itself. */
function addSnapshot(tags: [string, string][], { id = ID, status = 'available', day = 2 } = {}): void {
  const arn = ARN.replace(ID, id);
  aws.snapshots.set(arn, {
    kind: 'instance',
    identifier: id,
    source: 'db',
    database: 'app',
    engine: 'postgres',
    engineVersion: '17',
    createdAt: new Date(Date.UTC(2026, 0, day)),
    status,
    percentProgress: 100,
  });
  aws.tags.set(arn, new Map(tags));
}

/** Every status in AWS's documentation of instances, of Aurora clusters and of Multi-AZ clusters. */
const DOCUMENTED = {
  taken: ['available', 'storage-optimization', 'storage-initialization'],
  awaited: [
    ...['backing-up', 'backtracking', 'configuring-enhanced-monitoring', 'configuring-iam-database-auth'],
    ...['configuring-log-exports', 'converting-to-vpc', 'creating', 'failing-over', 'maintenance'],
    ...['migrating', 'modifying', 'moving-to-vpc', 'preparing-data-migration', 'promoting', 'rebooting'],
    ...['renaming', 'resetting-master-credentials', 'scaling-compute', 'scaling-storage', 'starting'],
    ...['storage-config-upgrade', 'update-iam-db-auth', 'upgrading', 'a-status-of-the-future'],
  ],
  refused: [
    ...['cloning-failed', 'delete-precheck', 'deleting', 'failed', 'inaccessible-encryption-credentials'],
    ...['inaccessible-encryption-credentials-recoverable', 'incompatible-create', 'incompatible-network'],
    ...['incompatible-option-group', 'incompatible-parameters', 'incompatible-restore'],
    ...['insufficient-capacity', 'migration-failed', 'restore-error', 'stopped', 'stopping', 'storage-full'],
  ],
};

describe.each([
  ['an instance', 'instance'],
  ['a cluster', 'cluster'],
] as const)('of %s', (_, kind) => {
  test.each(DOCUMENTED.taken)('that is %s, a snapshot is taken', async (status) => {
    addInstance(aws, 'db', { kind, status });
    await expect(ensure()).resolves.toMatchObject({ snapshot: { status: 'creating' } });
    await expect(ensure()).resolves.toMatchObject({ snapshot: { status: 'available' } });
  });

  test.each(DOCUMENTED.awaited)('that is %s, no snapshot is taken yet', async (status) => {
    addInstance(aws, 'db', { kind, status });
    await expect(ensure()).resolves.toMatchObject({
      snapshot: { status: 'waiting' },
      says: expect.stringContaining(`"db" is ${status}`),
    });
    expect(created()).toBe(0);
  });

  test.each(DOCUMENTED.refused)(
    'that is %s, no snapshot can be taken, and a remedy is named',
    async (status) => {
      addInstance(aws, 'db', { kind, status });
      await expect(ensure()).rejects.toMatchObject({
        name: 'SnapshotFailed',
        summary: `"db" is ${status}: no snapshot can be taken`,
        hint: expect.stringMatching(
          /^(Start|Give|Enable|Look|Name|Restore) .*, then start a new execution\.$/,
        ),
      });
    },
  );
});

describe('a snapshot', () => {
  beforeEach(() => addInstance(aws, 'db'));

  test.each(['creating', 'copying', 'a-status-of-the-future'])('that is %s is awaited', async (status) => {
    addSnapshot([['backstop:execution', 'arn:run']], { status });
    await expect(ensure()).resolves.toMatchObject({
      snapshot: { status: 'creating' },
      says: `Snapshot ${ID} is ${status}`,
    });
  });

  test.each(['failed', 'deleting', 'incompatible-restore', 'error'])(
    'that is %s ends the wait',
    async (status) => {
      addSnapshot([['backstop:execution', 'arn:run']], { status });
      await expect(ensure()).rejects.toMatchObject({
        name: 'SnapshotFailed',
        summary: `Snapshot ${ID} is ${status}`,
      });
    },
  );

  test('that RDS has begun and does not show yet is neither lost nor taken twice', async () => {
    aws.lag.newSnapshot = 4;
    expect(await poll(4)).toEqual(['creating', 'creating', 'creating', 'available']);
    expect(aws.snapshots.size).toBe(1);
  });

  test('whose beginning was not answered is found by its id', async () => {
    aws.onRequest = ({ action }) => {
      if (action !== 'CreateDBSnapshot') return undefined;
      addSnapshot([['backstop:execution', 'arn:run']], { status: 'creating' });
      return { code: 'ServiceUnavailable', message: 'Unavailable.', httpStatus: 503 };
    };
    expect(await poll(2)).toEqual(['waiting', 'creating']);
    expect(created()).toBe(1);
  });

  test('is available only once the instance shows that it is, too', async () => {
    const backup = Promise.withResolvers<Awaited<ReturnType<LocalServer['takeSnapshot']>>>();
    addInstance(aws, 'db', {}, () => backup.promise);
    aws.lag.status = 1;
    expect(await poll(2)).toEqual(['creating', 'creating']);
    backup.resolve({ restore: () => Promise.reject(), delete: async () => {} });
    await setImmediate();
    expect(await poll(2)).toEqual(['creating', 'available']);
    expect(created()).toBe(1);
  });

  test('without its tags is adopted, because its id has the name of the execution', async () => {
    aws.lag.tags = Number.POSITIVE_INFINITY;
    expect(await poll(2)).toEqual(['creating', 'available']);
  });

  test.each<[string, [string, string][], number]>([
    ['has the tag of another execution', [['backstop:execution', 'arn:other']], 2],
    ['has tags of others', [['owner', 'somebody']], 2],
    ['has no tags, and is older than the execution', [], -1],
  ])('that %s is not adopted', async (_, tags, day) => {
    addSnapshot(tags, { day });
    await expect(ensure()).rejects.toMatchObject({
      name: 'SnapshotFailed',
      summary: `Snapshot ${ID} exists already, and belongs to another execution`,
    });
  });

  test('is told apart from the oldest on the second page of a list', async () => {
    aws.snapshotQuota = 1_000;
    for (let n = 0; n < 100; n++) addSnapshot([['owner', 'somebody']], { id: `other-${n}` });
    for (const day of [1, 2]) addSnapshot([['backstop:database', 'app']], { id: `backstop-app-${day}`, day });
    await poll(1);
    await expect(ensure()).resolves.toMatchObject({ snapshot: { deleted: ['backstop-app-1'] } });
  });

  test('is available though RDS does not answer to the deletion of older snapshots, which stay', async () => {
    const deletions = () => aws.requests.filter(({ action }) => action === 'DeleteDBSnapshot');
    for (const day of [1, 2, 3]) {
      addSnapshot([['backstop:database', 'app']], { id: `backstop-app-${day}`, day });
    }
    aws.onRequest = ({ action }) =>
      action === 'DeleteDBSnapshot' ? { code: 'Throttling', message: 'Rate exceeded' } : undefined;
    await poll(1);
    await expect(ensure()).resolves.toMatchObject({ snapshot: { status: 'available', deleted: [] } });
    expect(deletions()).toHaveLength(1);
  });

  test('of an identifier in capitals is ours', async () => {
    await ensure(undefined, 'DB');
    await expect(ensure(undefined, 'DB')).resolves.toMatchObject({ snapshot: { status: 'available' } });
  });
});

describe('RDS does not answer', () => {
  beforeEach(() => addInstance(aws, 'db'));

  const FAULTS = [
    { code: 'Throttling', message: 'Rate exceeded' },
    { code: 'RequestLimitExceeded', message: 'Request limit exceeded.', httpStatus: 503 },
    { code: 'ServiceUnavailable', message: 'Unavailable.', httpStatus: 503 },
    { code: 'InternalFailure', message: 'We encountered an internal error.', httpStatus: 500 },
  ];
  const ACTIONS = ['DescribeDBInstances', 'DescribeDBSnapshots', 'CreateDBSnapshot'];

  test.each(FAULTS.flatMap((fault) => ACTIONS.map((action) => [fault.code, action, fault] as const)))(
    'with %s to %s: the snapshot is as before, and the sentence names the error',
    async (code, action, fault) => {
      aws.onRequest = (request) => (request.action === action ? fault : undefined);
      await expect(ensure()).resolves.toEqual({
        snapshot: expect.objectContaining({ id: ID, status: 'waiting', arn: '' }),
        says: `RDS did not answer, the last time with ${code}: ${fault.message}`,
      });
    },
  );

  test('while a snapshot is created: it is still being created', async () => {
    const { snapshot } = await ensure();
    aws.onRequest = () => FAULTS[0];
    expect((await ensure(snapshot)).snapshot).toEqual(snapshot);
  });

  test.each(ACTIONS)('but denies %s: that does not pass', async (action) => {
    aws.onRequest = (request) =>
      request.action === action ? { code: 'AccessDenied', message: 'not you', httpStatus: 403 } : undefined;
    await expect(ensure()).rejects.toThrow('AccessDenied: not you');
  });
});
