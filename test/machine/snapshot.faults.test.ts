// Executions and their snapshot: waiting, adopting, pruning, and every failure to take one.
import type { AwsEndpoint } from '../../lib/twin/aws/endpoint.ts';
import { callRds } from '../../lib/twin/aws/rds.ts';
import { localDatabase } from '../../lib/twin/databases.ts';
import {
  addSnapshot,
  type Case,
  makeTwin,
  provoke,
  type Run,
  type TestTwin,
  withEnvironment,
} from './twin.ts';

const { identifier: INSTANCE } = localDatabase('codebase_mcp');

function setStatus({ instances }: AwsEndpoint, status: string): void {
  for (const instance of instances.values()) instance.status = status;
}

/** Adds a foreign snapshot with the id that this execution will use. */
function occupyTheId({ endpoint }: TestTwin): void {
  endpoint.onRequest = ({ action, parameters: { DBSnapshotIdentifier: id } }) => {
    if (action === 'DescribeDBSnapshots' && id) addSnapshot(endpoint, id, 1, ['owner', 'somebody']);
    return undefined;
  };
}

const CASES: Case[] = [
  {
    ending: 'SnapshotFailed',
    when: 'the instance is stopped',
    given: ({ endpoint }) => setStatus(endpoint, 'stopped'),
    says: [`"${INSTANCE}" is stopped: no snapshot can be taken`, 'Start it, then start a new execution'],
  },
  {
    ending: 'SnapshotFailed',
    when: 'RDS begins it, and fails',
    server: { takeSnapshot: () => Promise.reject(new Error('the disk is full')) },
    says: ['is failed', `Look at the events of "${INSTANCE}"`],
  },
  {
    ending: 'SnapshotFailed',
    when: 'it is not finished in its time',
    deployment: withEnvironment({ BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: '0.1' }),
    server: { takeSnapshot: () => new Promise(() => {}) },
    says: ['is not available after', 'is creating', 'snapshotTimeoutMinutes'],
  },
  {
    ending: 'SnapshotFailed',
    when: 'another one has its id',
    given: occupyTheId,
    says: ['exists already, and belongs to another execution', 'another name'],
  },
  {
    ending: 'SnapshotFailed',
    when: 'it may not be taken',
    given: ({ endpoint }) => {
      endpoint.onRequest = ({ action }) =>
        action === 'CreateDBSnapshot'
          ? { code: 'AccessDenied', message: 'not you', httpStatus: 403 }
          : undefined;
    },
    says: ['AccessDenied', 'Correct the cause'],
  },
  {
    ending: 'SnapshotQuotaExceeded',
    when: 'the account holds as many as it may',
    given: ({ endpoint }) => {
      endpoint.snapshotQuota = 0;
    },
    says: ['Cannot create more than 0 manual snapshots', 'Delete manual snapshots'],
  },
];

test.each(CASES)('$ending: $when', provoke);

describe('an execution takes its snapshot', () => {
  /** Executes a downgrade: the shortest way with a snapshot. */
  async function takeSnapshot(twin: TestTwin): Promise<Run> {
    const run = await twin.execute({ action: 'downgrade', target: '-1' });
    const { status, error, cause } = run.execution;
    expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED' });
    expect(run.execution.state.snapshot?.status).toBe('available');
    return run;
  }
  const timesEntered = ({ execution }: Run, name: string) =>
    execution.states.filter((state) => state.name === name).length;

  test('as soon as the instance is available', async () => {
    await using twin = await makeTwin({ at: '002' });
    setStatus(twin.endpoint, 'modifying');
    let requests = 0;
    twin.endpoint.onRequest = ({ action }) => {
      if (twin.state === 'Take snapshot' && action === 'DescribeDBInstances' && ++requests === 2)
        setStatus(twin.endpoint, 'available');
      return undefined;
    };
    const run = await takeSnapshot(twin);
    expect(timesEntered(run, 'Wait for snapshot')).toBeGreaterThanOrEqual(1);
    expect(twin.endpoint.snapshots.size).toBe(1);
  });

  test('once, though the answer of RDS was lost', async () => {
    await using twin = await makeTwin({ at: '002' });
    let lost = false;
    twin.endpoint.onRequest = ({ action, parameters }) => {
      if (action !== 'CreateDBSnapshot' || lost) return undefined;
      lost = true;
      callRds(twin.endpoint, [], action, parameters);
      return { code: 'InternalFailure', message: 'We encountered an internal error.', httpStatus: 500 };
    };
    await takeSnapshot(twin);
    expect(lost).toBe(true);
    expect(twin.endpoint.snapshots.size).toBe(1);
  });

  test('and deletes its own oldest snapshots beyond the number to keep, and no other snapshots', async () => {
    await using twin = await makeTwin({
      at: '002',
      deployment: withEnvironment({ BACKSTOP_KEEP_SNAPSHOTS: '2' }),
    });
    for (const [day, id] of ['oldest', 'old', 'young'].entries()) {
      addSnapshot(twin.endpoint, `backstop-codebase-mcp-${id}`, day + 1, [
        'backstop:database',
        'codebase_mcp',
      ]);
    }
    addSnapshot(twin.endpoint, 'other-database', 1, ['backstop:database', 'another']);
    addSnapshot(twin.endpoint, 'by-hand', 1, ['owner', 'somebody']);
    const { execution } = await takeSnapshot(twin);
    const { id, deleted } = execution.state.snapshot ?? {};
    expect(deleted).toEqual(['backstop-codebase-mcp-old', 'backstop-codebase-mcp-oldest']);
    const left = [...twin.endpoint.snapshots.values()].map(({ identifier }) => identifier);
    expect(left.sort()).toEqual(['by-hand', 'other-database', 'backstop-codebase-mcp-young', id].sort());
  });

  test('and deletes no snapshot that another execution has taken since', async () => {
    await using twin = await makeTwin({
      at: '002',
      deployment: withEnvironment({ BACKSTOP_KEEP_SNAPSHOTS: '1' }),
    });
    const tag: [string, string] = ['backstop:database', 'codebase_mcp'];
    addSnapshot(twin.endpoint, 'backstop-codebase-mcp-before', 1, tag);
    // In the year 2052.
    addSnapshot(twin.endpoint, 'backstop-codebase-mcp-since', 10_000, tag);
    const { execution } = await takeSnapshot(twin);
    expect(execution.state.snapshot?.deleted).toEqual(['backstop-codebase-mcp-before']);
  });

  test('of the whole cluster if the database is in a cluster', async () => {
    await using twin = await makeTwin({ at: '002' });
    for (const [identifier, instance] of twin.endpoint.instances) {
      twin.endpoint.instances.set(identifier, { ...instance, kind: 'cluster' });
    }
    const { execution } = await takeSnapshot(twin);
    expect(execution.state.instance).toMatchObject({ kind: 'cluster', identifier: INSTANCE });
    expect(execution.state.snapshot?.restore).toContain('aws rds restore-db-cluster-from-snapshot');
    expect([...twin.endpoint.snapshots.values()]).toMatchObject([{ kind: 'cluster', source: INSTANCE }]);
  });
});
