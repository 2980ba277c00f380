// Every answer of RDS gives an instance or a snapshot, or an error with a name.
import fc from 'fast-check';
import { type AwsAnswer, type Oracle, startOracle } from './answers.ts';
import { civilly, numRuns } from './runs.ts';

let oracle: Oracle;
let rds: typeof import('../../lambda/aws/instance.ts') & typeof import('../../lambda/aws/snapshot.ts');
beforeAll(async () => {
  oracle = await startOracle();
  rds = {
    ...(await import('../../lambda/aws/instance.ts')),
    ...(await import('../../lambda/aws/snapshot.ts')),
  };
});
afterAll(() => oracle[Symbol.asyncDispose]());

const EXECUTION = {
  name: 'run',
  arn: 'arn:run',
  stateMachineArn: 'arn:machine',
  startedAt: '2026-01-01T00:00:00Z',
};

type Xml = string;
const element = (name: string, content: Xml): Xml => `<${name}>${content}</${name}>`;
const text = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      'db',
      'run',
      'arn:run',
      'app',
      'postgres',
      'aurora-postgresql',
      'mysql',
      '5432',
      '0',
      '-1',
      'NaN',
    ],
    ...['available', 'creating', 'failed', 'backing-up', 'stopped', 'true', 'backstop-app-run'],
    ...[
      '2026-01-01T00:00:00Z',
      '2026-13-41T00:00:00Z',
      'yesterday',
      '&amp;',
      '&#0;',
      '<a/>',
      '<![CDATA[x]]>',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 10 }).map((any) => any.replace(/[<&]/g, '')),
);
/** The element with this content, often; with any other, without any, twice, or not at all, now and then. */
const maybe = (name: string, content: fc.Arbitrary<Xml>): fc.Arbitrary<Xml> =>
  fc.oneof(
    { weight: 12, arbitrary: content.map((inner) => element(name, inner)) },
    { weight: 1, arbitrary: text.map((inner) => element(name, inner)) },
    { weight: 1, arbitrary: fc.constantFrom('', `<${name}/>`) },
    {
      weight: 1,
      arbitrary: fc.tuple(content, content).map((all) => all.map((one) => element(name, one)).join('')),
    },
  );
const is = (name: string, ...likely: string[]) =>
  maybe(name, fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...likely) }, { weight: 1, arbitrary: text }));
const all = (...parts: fc.Arbitrary<Xml>[]) => fc.tuple(...parts).map((each) => each.join(''));

const tags = maybe(
  'TagList',
  fc
    .array(
      maybe(
        'Tag',
        all(is('Key', 'backstop:execution', 'backstop:database'), is('Value', 'arn:run', 'app', 'arn:other')),
      ),
      { maxLength: 3 },
    )
    .map((each) => each.join('')),
);
const instance = maybe(
  'DBInstance',
  all(
    is('DBInstanceIdentifier', 'db'),
    is('Engine', 'postgres'),
    is('EngineVersion', '17.2'),
    is('DBInstanceStatus', 'available', 'backing-up', 'stopped'),
    is('DBName', 'app'),
    maybe('Endpoint', all(is('Address', 'db.example'), is('Port', '5432'))),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: is('DBClusterIdentifier', 'db') },
    ),
    maybe('VpcSecurityGroups', maybe('VpcSecurityGroupMembership', is('VpcSecurityGroupId', 'sg-1'))),
    maybe('DBSubnetGroup', is('DBSubnetGroupName', 'subnets')),
  ),
);
const cluster = maybe(
  'DBCluster',
  all(
    is('DBClusterIdentifier', 'db'),
    is('Engine', 'aurora-postgresql'),
    is('Status', 'available', 'creating'),
    is('Endpoint', 'db.example'),
    is('Port', '5432'),
    is('DatabaseName', 'app'),
    maybe('DBClusterMembers', maybe('DBClusterMember', is('DBInstanceIdentifier', 'db-1'))),
  ),
);
const snapshot = (of: 'DB' | 'DBCluster') =>
  all(
    is(`${of}SnapshotIdentifier`, 'backstop-app-run', 'backstop-app-old'),
    is(of === 'DB' ? 'DBInstanceIdentifier' : 'DBClusterIdentifier', 'db'),
    is('Status', 'available', 'creating', 'failed'),
    is('SnapshotCreateTime', '2026-01-01T00:00:00Z'),
    is(`${of}SnapshotArn`, 'arn:snapshot'),
    tags,
  );
const list = (name: string, item: fc.Arbitrary<Xml>) =>
  maybe(
    name,
    fc.array(item, { maxLength: 2 }).map((items) => items.join('')),
  );

const CONTENT: Readonly<Record<string, fc.Arbitrary<Xml>>> = {
  DescribeDBInstances: list('DBInstances', instance),
  DescribeDBClusters: list('DBClusters', cluster),
  DescribeDBSnapshots: list('DBSnapshots', maybe('DBSnapshot', snapshot('DB'))),
  DescribeDBClusterSnapshots: list('DBClusterSnapshots', maybe('DBClusterSnapshot', snapshot('DBCluster'))),
  CreateDBSnapshot: maybe('DBSnapshot', snapshot('DB')),
  CreateDBClusterSnapshot: maybe('DBClusterSnapshot', snapshot('DBCluster')),
  DeleteDBSnapshot: text,
  DeleteDBClusterSnapshot: text,
};

const fault = fc
  .tuple(
    fc.constantFrom(400, 403, 404, 500, 503),
    is(
      'Code',
      ...[
        'DBInstanceNotFound',
        'DBClusterNotFoundFault',
        'DBSnapshotNotFound',
        'DBClusterSnapshotNotFoundFault',
      ],
      ...[
        'DBSnapshotAlreadyExists',
        'SnapshotQuotaExceeded',
        'InvalidDBInstanceState',
        'AccessDenied',
        'Throttling',
      ],
    ),
    is('Message', 'No.'),
  )
  .map(
    ([status, ...content]): AwsAnswer => ({
      status,
      body: element('ErrorResponse', element('Error', content.join(''))),
    }),
  );
const noise = fc.record({
  status: fc.constantFrom(200, 204, 302, 400, 500),
  body: fc.oneof(
    text,
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom('<', '<a>', '<a/>', '{}', '<html></html>'),
  ),
});
const answerTo = (action: string): fc.Arbitrary<AwsAnswer> =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: maybe(`${action}Response`, maybe(`${action}Result`, CONTENT[action] ?? text)).map(
        (body) => ({
          status: 200,
          body,
        }),
      ),
    },
    { weight: 3, arbitrary: fault },
    { weight: 1, arbitrary: noise },
  );
const world = fc.record(
  Object.fromEntries(Object.keys(CONTENT).map((action) => [action, answerTo(action)])),
) as fc.Arbitrary<Record<string, AwsAnswer>>;

test('random answers of RDS give a usable result or a named error', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (answers) => {
      oracle.answers = (action) => answers[action] ?? { status: 400, body: '' };
      const found = await civilly(
        async () => rds.toInstance('db', await rds.describe('db')),
        ['ConfigurationError', 'DatabaseUnreachable'],
      );
      if (found) {
        expect(found).toMatchObject({
          host: expect.stringMatching(/./),
          identifier: expect.stringMatching(/./),
        });
        expect(Number.isInteger(found.port)).toBe(true);
      }
      const request = {
        instance: { kind: 'instance' as const, identifier: 'db' },
        database: 'app',
        execution: EXECUTION,
        previous: undefined,
        keep: 1,
        timeoutSeconds: 1e12,
      };
      const taken = await civilly(
        () => rds.ensureSnapshot(request),
        ['ConfigurationError', 'SnapshotFailed', 'SnapshotQuotaExceeded'],
      );
      if (taken) expect(['waiting', 'creating', 'available']).toContain(taken.snapshot.status);
    }),
    { numRuns },
  );
});
