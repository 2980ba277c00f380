// Executions while RDS throttles, lags, or describes another kind of server.
import { localDatabase } from '../../lib/twin/databases.ts';
import type { Deployment } from '../../lib/twin/deployment.ts';
import { disturbState } from '../faults/machine/disturbed.ts';
import { startFaultyAws } from '../faults/machine/faulty-aws.ts';
import {
  deployed,
  makeTwin,
  provoke,
  type Run,
  type TestTwin,
  withDatabases,
  withEnvironment,
} from './twin.ts';

const { identifier: INSTANCE, secretArn: SECRET } = localDatabase('codebase_mcp');
const DOWN = { action: 'downgrade', target: '-1' };
const THROTTLING = { code: 'Throttling', message: 'Rate exceeded' };

/** The SDK tries once: the state machine alone tries again. */
const impatient = withEnvironment({ AWS_MAX_ATTEMPTS: '1' });

/** Throttles all requests of a state, or so many. */
const throttle =
  (state: string, times = Number.POSITIVE_INFINITY) =>
  (twin: TestTwin) => {
    let left = times;
    twin.endpoint.onRequest = () => (twin.state === state && left-- > 0 ? THROTTLING : undefined);
  };

/** The deployment for another identifier; the roles permit it and no other. */
function configuredAs(identifier: string): Deployment {
  const { definition, functions } = withDatabases({ codebase_mcp: { identifier, secretArn: SECRET } });
  const renamed = [...functions].map(([arn, each]) => {
    const statements = JSON.stringify(each.role.statements).replaceAll(
      new RegExp(`:(db|cluster):${INSTANCE}"`, 'g'),
      `:$1:${identifier.toLowerCase()}"`,
    );
    return [arn, { ...each, role: { ...each.role, statements: JSON.parse(statements) } }] as const;
  });
  return { definition, functions: new Map(renamed) };
}

function change({ endpoint: { instances } }: TestTwin, properties: object): void {
  for (const [identifier, instance] of instances) instances.set(identifier, { ...instance, ...properties });
}

function expectGreen({ execution: { status, error, cause } }: Run): void {
  expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED' });
}

const logOf = ({ events }: Run) => events.map((event) => JSON.stringify(event)).join('\n');

test('a throttled poll of the snapshot is logged, and asked again by the state machine', async () => {
  await using twin = await makeTwin({ at: '002', deployment: impatient });
  throttle('Take snapshot', 2)(twin);
  const run = await twin.execute(DOWN);
  expectGreen(run);
  expect(run.execution.states.filter(({ name }) => name === 'Wait for snapshot').length).toBeGreaterThan(1);
  expect(logOf(run)).toContain('RDS did not answer, the last time with Throttling: Rate exceeded');
});

test('polls that are throttled for the whole time of the snapshot end as SnapshotFailed, with the error', () =>
  provoke({
    when: '',
    at: '002',
    input: DOWN,
    deployment: withEnvironment({ AWS_MAX_ATTEMPTS: '1', BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: '0.1' }),
    given: throttle('Take snapshot'),
    ending: 'SnapshotFailed',
    says: ['is not available after', 'RDS did not answer, the last time with Throttling: Rate exceeded.'],
  }));

test('a throttled question for the server is asked again by the state machine', async () => {
  await using twin = await makeTwin({ at: '002', deployment: impatient });
  throttle('Resolve input', 3)(twin);
  const { execution } = await twin.execute('plan');
  expect(execution.status).toBe('SUCCEEDED');
  expect(execution.states.find(({ name }) => name === 'Resolve input')?.retries).toBe(3);
});

test('a question for the server whose connection is cut is asked again by the state machine', async () => {
  await using faulty = await startFaultyAws({ action: 'DescribeDBInstances', does: 'reset', times: 2 });
  const { deployment } = disturbState(impatient, 'Resolve input', {
    mishap: { does: 'work' },
    environment: { AWS_ENDPOINT_URL_RDS: faulty.url },
  });
  await using twin = await makeTwin({ at: '002', deployment });
  faulty.behind = twin.endpoint.url;
  const { execution } = await twin.execute('plan');
  expect(execution.status).toBe('SUCCEEDED');
  expect(execution.states.find(({ name }) => name === 'Resolve input')?.retries).toBe(2);
});

test('a question for the server that is throttled every time is no error of the configuration', () =>
  provoke({
    when: '',
    input: 'plan',
    deployment: impatient,
    given: throttle('Resolve input'),
    ending: 'DatabaseUnreachable',
    says: ['RDS did not answer, the last time with Throttling: Rate exceeded', 'Start a new execution once'],
  }));

test('a snapshot is taken once, though its function dies after it has begun it', async () => {
  const { deployment } = disturbState(deployed, 'Take snapshot', {
    mishap: { does: 'die', after: true },
    times: 1,
    environment: {},
  });
  await using twin = await makeTwin({ at: '002', deployment });
  expectGreen(await twin.execute(DOWN));
  expect(twin.endpoint.snapshots.size).toBe(1);
});

test('a snapshot is taken once, though RDS shows snapshot, tags and status late', async () => {
  await using twin = await makeTwin({ at: '002' });
  Object.assign(twin.endpoint.lag, { newSnapshot: 3, tags: 100, status: 2 });
  expectGreen(await twin.execute(DOWN));
  expect(twin.endpoint.snapshots.size).toBe(1);
});

test('an identifier in capitals is permitted, and its snapshot is ours', async () => {
  await using twin = await makeTwin({ at: '002', deployment: configuredAs(INSTANCE.toUpperCase()) });
  const run = await twin.execute(DOWN);
  expectGreen(run);
  expect(run.execution.state.instance?.identifier).toBe(INSTANCE);
});

test('a Multi-AZ cluster has cluster snapshots, and a command that restores it with its class', async () => {
  await using twin = await makeTwin({ at: '002' });
  change(twin, { kind: 'cluster', isMultiAz: true });
  const run = await twin.execute(DOWN);
  expectGreen(run);
  expect([...twin.endpoint.snapshots.values()]).toMatchObject([{ kind: 'cluster', source: INSTANCE }]);
  expect(run.execution.state.snapshot?.restore).toContain('--db-cluster-instance-class db.m6gd.large');
});

test('a member named instead of its cluster is denied, and the cluster to name is said', () =>
  provoke({
    when: '',
    input: 'plan',
    deployment: configuredAs(`${INSTANCE}-instance-1`),
    given: (twin) => change(twin, { kind: 'cluster' }),
    ending: 'ConfigurationError',
    says: [`is a member of the cluster "${INSTANCE}"`, `Name the cluster "${INSTANCE}" instead`],
  }));

test('a read replica is refused before anything connects to it', async () => {
  const run = await provoke({
    when: '',
    input: 'plan',
    given: (twin) => change(twin, { replicaOf: 'the-source' }),
    ending: 'ConfigurationError',
    says: ['is a read replica of "the-source"', 'Deploy for "the-source"'],
  });
  expect(run.execution.states.map(({ name }) => name)).not.toContain('Preflight');
});
