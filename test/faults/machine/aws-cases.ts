// Cases in which AWS fails: every call to RDS, Secrets Manager and the Scheduler.
import { scheduleName } from '../../../lambda/aws/names.ts';
import type { AwsFault, AwsRequest } from '../../../lib/twin/aws/endpoint.ts';
import { localDatabase } from '../../../lib/twin/databases.ts';
import {
  addSnapshot,
  environmentOf,
  NEVER_SEEN,
  type TestTwin,
  withEnvironment,
} from '../../machine/twin.ts';
import type { FaultCase } from './case.ts';
import { CONNECTING, endOf, placeOf } from './cases.ts';
import type { Ends, PlaceName } from './places.ts';

const { secretArn: SECRET_ARN } = localDatabase('codebase_mcp');

/** All Tasks share the code that reads the secret, so Preflight alone gets every fault of it. */
const isFull = (place: PlaceName) => place === 'Preflight' || !CONNECTING.includes(place);

/** An action of AWS in one state, and how an execution ends if it never succeeds. */
interface Call {
  readonly place: PlaceName;
  readonly action: string;
  readonly ends: Ends;
  /** The difference if the fault could pass by itself, and does not. @default none */
  readonly unanswered?: Pick<FaultCase, 'ends' | 'deployment'>;
  /** Selects requests with that name. @default all */
  readonly which?: { readonly words: string; test(request: AwsRequest): boolean };
  readonly given?: (twin: TestTwin) => void;
  readonly deployment?: FaultCase['deployment'];
}

const DESCRIBE = 'DescribeDBSnapshots';
const oldSnapshot = {
  given: ({ endpoint }: TestTwin) =>
    addSnapshot(endpoint, 'backstop-codebase-mcp-old', 1, ['backstop:database', 'codebase_mcp']),
  deployment: withEnvironment({ BACKSTOP_KEEP_SNAPSHOTS: '1' }),
};

/** Adds the schedule of another execution, which this execution will update. */
function scheduled({ endpoint }: TestTwin): void {
  const { BACKSTOP_SCHEDULE_GROUP: group } = environmentOf('Schedule finalize');
  const schedule = { expression: 'at(2030-01-01T00:00:00)', stateMachineArn: '', roleArn: '', input: {} };
  endpoint.schedules.set(`${group}/${scheduleName('codebase_mcp')}`, schedule);
}

const SNAPSHOT_TIME = withEnvironment({ BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: '0.1' });
/** The snapshot is waited for, within its time. */
const awaited = { ends: 'SnapshotFailed', deployment: SNAPSHOT_TIME } as const;

const CALLS: Call[] = [
  {
    place: 'Resolve input',
    action: 'DescribeDBInstances',
    ends: 'ConfigurationError',
    unanswered: { ends: 'DatabaseUnreachable' },
  },
  {
    place: 'Take snapshot',
    action: 'DescribeDBInstances',
    ends: 'ConfigurationError',
    unanswered: awaited,
  },
  {
    place: 'Take snapshot',
    action: DESCRIBE,
    ends: 'SnapshotFailed',
    unanswered: awaited,
    which: { words: ' of its snapshot', test: ({ parameters }) => 'DBSnapshotIdentifier' in parameters },
  },
  {
    place: 'Take snapshot',
    action: 'CreateDBSnapshot',
    ends: 'SnapshotFailed',
    unanswered: awaited,
  },
  // A migration does not fail because an old snapshot stays.
  {
    place: 'Take snapshot',
    action: DESCRIBE,
    ends: 'Succeeded',
    which: { words: ' of all snapshots', test: ({ parameters }) => 'DBInstanceIdentifier' in parameters },
    ...oldSnapshot,
  },
  { place: 'Take snapshot', action: 'DeleteDBSnapshot', ends: 'Succeeded', ...oldSnapshot },
  { place: 'Schedule finalize', action: 'CreateSchedule', ends: 'FinalizeFailed' },
  { place: 'Schedule finalize', action: 'UpdateSchedule', ends: 'FinalizeFailed', given: scheduled },
  ...CONNECTING.map(
    (place): Call => ({ place, action: 'GetSecretValue', ends: endOf(place, 'ConfigurationError') }),
  ),
];

/** Services newer than RDS add "Exception" to the code. */
const byItsService = (action: string, code: string) =>
  action.endsWith('Schedule') || action === 'GetSecretValue' ? `${code}Exception` : code;

const throttling = (action: string): AwsFault => ({
  code: byItsService(action, 'Throttling'),
  message: 'Rate exceeded',
});
const denied = (action: string): AwsFault => ({
  code: byItsService(action, 'AccessDenied'),
  message: `User is not authorized to perform ${action}`,
  httpStatus: 403,
});
const broken = (): AwsFault => ({
  code: 'InternalFailure',
  message: 'We encountered an internal error.',
  httpStatus: 500,
});

/** The faulty answers of AWS, and how many times each is sent. */
const ANSWERS: {
  words: string;
  fault(action: string): AwsFault;
  times: number;
  everywhere?: true;
}[] = [
  { words: 'is throttled, once', fault: throttling, times: 1, everywhere: true },
  { words: 'is throttled, every time', fault: throttling, times: Number.POSITIVE_INFINITY },
  {
    words: 'is not allowed (AccessDenied)',
    fault: denied,
    times: Number.POSITIVE_INFINITY,
    everywhere: true,
  },
  { words: 'answers 500, once', fault: broken, times: 1 },
  { words: 'answers 500, every time', fault: broken, times: Number.POSITIVE_INFINITY },
];

const ANSWERED: FaultCase[] = CALLS.flatMap(({ place, action, ends, which, given, deployment, unanswered }) =>
  ANSWERS.filter(({ everywhere }) => everywhere || isFull(place)).map(
    ({ words, fault, times }): FaultCase => ({
      place,
      fault: `${action}${which?.words ?? ''} ${words}`,
      ends: times === 1 ? placeOf(place).undisturbed : ends,
      ...(deployment && { deployment }),
      ...(times > 1 && fault !== denied && unanswered),
      given: (twin) => {
        given?.(twin);
        let left = times;
        twin.endpoint.onRequest = (request) =>
          twin.state === place && request.action === action && (which?.test(request) ?? true) && left-- > 0
            ? fault(action)
            : undefined;
      },
    }),
  ),
);

/** Connections that break, and invalid answers. */
const UNANSWERED: FaultCase[] = CALLS.filter(({ which, place }) => !which && isFull(place)).flatMap(
  ({ place, action, ends, given, deployment, unanswered }) =>
    (
      [
        { words: 'meets a connection that is reset, once', does: 'reset', times: 1 },
        { words: 'meets a connection that is reset, every time', does: 'reset' },
        { words: 'gets an answer that is neither XML nor JSON', does: 'garble' },
      ] as const
    ).map(
      ({ words, ...disturbance }): FaultCase => ({
        place,
        fault: `${action} ${words}`,
        ends: 'times' in disturbance ? placeOf(place).undisturbed : ends,
        ...(deployment && { deployment }),
        ...(disturbance.does === 'reset' && !('times' in disturbance) && unanswered),
        ...(given && { given }),
        aws: { action, ...disturbance },
      }),
    ),
);

const withFields = (secret: string, fields: object) => JSON.stringify({ ...JSON.parse(secret), ...fields });

const SECRETS: FaultCase[] = CONNECTING.flatMap((place) => {
  /** Gives this state another secret, made from the right one and the number of the request. */
  const secret = (fault: string, ends: Ends, read: (right: string, number: number) => string): FaultCase => ({
    place,
    fault,
    ends,
    given: (twin) => {
      const { secrets } = twin.endpoint;
      const right = secrets.get(SECRET_ARN) ?? '';
      let number = 0;
      twin.endpoint.onRequest = ({ action }) => {
        if (action === 'GetSecretValue')
          secrets.set(SECRET_ARN, twin.state === place ? read(right, ++number) : right);
        return undefined;
      };
    },
  });
  const everywhere = [
    secret(
      'the secret is rotated between its being read and the connection',
      placeOf(place).undisturbed,
      (right, number) => (number === 1 ? withFields(right, { password: NEVER_SEEN }) : right),
    ),
    secret('the secret holds a wrong password for good', endOf(place, 'CredentialsRejected'), (right) =>
      withFields(right, { password: NEVER_SEEN }),
    ),
  ];
  if (!isFull(place)) return everywhere;
  return [
    ...everywhere,
    secret('the secret is not JSON', endOf(place, 'SecretMalformed'), () => NEVER_SEEN),
    secret('the secret leads to no database', endOf(place, 'DatabaseNotFound'), (right) =>
      withFields(right, { dbname: 'nowhere' }),
    ),
    secret(
      'the secret leads to a port on which no server listens',
      endOf(place, 'DatabaseUnreachable'),
      (right) => withFields(right, { port: 1 }),
    ),
  ];
});

const statusIs = (status: string) => (twin: TestTwin) => {
  twin.endpoint.onRequest = () => {
    if (twin.state === 'Take snapshot')
      for (const instance of twin.endpoint.instances.values()) instance.status = status;
    return undefined;
  };
};

/** Acts on each request for the snapshot of this execution; `request` counts from 1. */
const onRequest = (act: (twin: TestTwin, request: number, id: string) => void) => (twin: TestTwin) => {
  let requests = 0;
  twin.endpoint.onRequest = ({ action, parameters: { DBSnapshotIdentifier: id } }) => {
    if (action === DESCRIBE && id) act(twin, ++requests, id);
    return undefined;
  };
};

const SNAPSHOTS: FaultCase[] = (
  [
    ...[
      'stopped',
      'stopping',
      'failed',
      'storage-full',
      'deleting',
      'inaccessible-encryption-credentials',
      'incompatible-restore',
    ].map((status) => ({
      fault: `the instance is ${status}`,
      ends: 'SnapshotFailed',
      given: statusIs(status),
    })),
    {
      fault: 'the instance is modifying and stays so',
      ends: 'SnapshotFailed',
      given: statusIs('modifying'),
      deployment: SNAPSHOT_TIME,
    },
    {
      fault: 'the instance is in storage-optimization',
      ends: 'Succeeded',
      given: statusIs('storage-optimization'),
    },
    {
      fault: 'the instance disappears',
      ends: 'ConfigurationError',
      given: (twin: TestTwin) => {
        twin.endpoint.onRequest = () => {
          if (twin.state === 'Take snapshot') twin.endpoint.instances.clear();
          return undefined;
        };
      },
    },
    {
      fault: 'RDS begins the snapshot, and fails',
      ends: 'SnapshotFailed',
      server: { takeSnapshot: () => Promise.reject(new Error('no')) },
    },
    {
      fault: 'the snapshot is never finished',
      ends: 'SnapshotFailed',
      server: { takeSnapshot: () => new Promise(() => {}) },
      deployment: SNAPSHOT_TIME,
    },
    {
      fault: 'somebody else has a snapshot by its id',
      ends: 'SnapshotFailed',
      given: onRequest(
        ({ endpoint }, request, id) => request === 1 && addSnapshot(endpoint, id, 1, ['owner', 'somebody']),
      ),
    },
    {
      fault: 'another execution has a snapshot by its id',
      ends: 'SnapshotFailed',
      given: onRequest(
        ({ endpoint }, request, id) =>
          request === 1 && addSnapshot(endpoint, id, 1, ['backstop:execution', 'another']),
      ),
    },
    {
      fault: 'somebody deletes the snapshot while it is waited for',
      ends: 'Succeeded',
      given: onRequest(({ endpoint }, request) => request === 2 && endpoint.snapshots.clear()),
    },
    {
      fault: 'the quota of snapshots is used up',
      ends: 'SnapshotQuotaExceeded',
      given: ({ endpoint }: TestTwin) => {
        endpoint.snapshotQuota = 0;
      },
    },
  ] as Omit<FaultCase, 'place'>[]
).map((each) => ({ ...each, place: 'Take snapshot' }));

export const AWS: FaultCase[] = [...ANSWERED, ...UNANSWERED, ...SECRETS, ...SNAPSHOTS];
