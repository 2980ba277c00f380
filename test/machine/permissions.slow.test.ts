// The permissions of the functions: executions use each of them, need each of them, and need no other.
import { describeDenials } from '../../bin/local/denied.ts';
import type { AwsEndpoint, Judgement } from '../../lib/twin/aws/endpoint.ts';
import type { Role, Statement } from '../../lib/twin/aws/iam.ts';
import { localDatabase } from '../../lib/twin/databases.ts';
import type { Deployment } from '../../lib/twin/deployment.ts';
import type { Execution } from '../../lib/twin/execution.ts';
import { addSnapshot, makeTwin, withEnvironment } from './twin.ts';

const { secretArn } = localDatabase('codebase_mcp');
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/of-the-secret';

/** The functions that the state machine calls. A finalize is scheduled, and one snapshot of many is kept. */
const usual = withEnvironment({ BACKSTOP_FINALIZE_AFTER_DAYS: '14', BACKSTOP_KEEP_SNAPSHOTS: '1' });

/** A statement of the twin's own: the local configuration has no key for its secret. */
const DECRYPT: Statement = {
  Effect: 'Allow',
  Action: 'kms:Decrypt',
  Resource: KEY,
  Condition: {
    StringEquals: {
      'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com',
      'kms:EncryptionContext:SecretARN': secretArn,
    },
  },
};

/** The deployment with other statements in the roles of its functions. */
function withStatements(change: (role: Role) => readonly Statement[]): Deployment {
  const functions = [...usual.functions].map(
    ([arn, each]) => [arn, { ...each, role: { ...each.role, statements: change(each.role) } }] as const,
  );
  return { ...usual, functions: new Map(functions) };
}

const list = (value: string | readonly string[]) => (typeof value === 'string' ? [value] : value);

/** Services whose calls the local AWS receives. Lambda itself uses the others: logs, network, environment. */
const isJudged = (action: string) => /^(rds|secretsmanager|scheduler|iam):/.test(action);

/** `<function> <action>` of everything that is granted to the functions of the state machine. */
function granted(): string[] {
  const called = Object.values(usual.definition.States).map(
    (state) => (state as { Resource?: string }).Resource,
  );
  return [...usual.functions.values()]
    .filter(({ arn }) => called.includes(arn))
    .flatMap(({ name, role }) =>
      role.statements
        .flatMap(({ Action }) => list(Action).filter(isJudged))
        .map((action) => `${name} ${action}`),
    )
    .filter((each, index, all) => all.indexOf(each) === index)
    .sort();
}

interface Scenario {
  /** @default '005' */
  readonly at?: '005' | '002';
  readonly prepare?: (endpoint: AwsEndpoint) => void;
  readonly inputs: readonly unknown[];
}

const TAG: [string, string] = ['backstop:database', 'codebase_mcp'];

function useCluster({ instances, snapshots, tags }: AwsEndpoint): void {
  for (const [name, instance] of instances) instances.set(name, { ...instance, kind: 'cluster' });
  for (const [arn, snapshot] of [...snapshots]) {
    const moved = arn.replace(':snapshot:', ':cluster-snapshot:');
    snapshots.delete(arn);
    snapshots.set(moved, { ...snapshot, kind: 'cluster' });
    tags.set(moved, new Map([TAG]));
  }
}

const addOld = (endpoint: AwsEndpoint) => addSnapshot(endpoint, 'backstop-codebase-mcp-old', 1, TAG);

/** Together they use every function, and RDS for an instance and for a cluster. */
const SCENARIOS = {
  'an instance': { prepare: addOld, inputs: [{}] },
  'a cluster': {
    prepare: (endpoint) => {
      addOld(endpoint);
      useCluster(endpoint);
    },
    inputs: [{}],
  },
  'a downgrade': { at: '002', inputs: [{ action: 'downgrade', target: '005', snapshot: false }] },
  'a finalize': { at: '002', inputs: [{ action: 'finalize', snapshot: false }] },
  'a second upgrade': {
    inputs: [
      { snapshot: false },
      { action: 'downgrade', target: '005', snapshot: false },
      { snapshot: false },
    ],
  },
  'a migration without an answer': { inputs: [{ snapshot: false }] },
} as const satisfies Record<string, Scenario>;
type Name = keyof typeof SCENARIOS;

async function run(
  name: Name,
  deployment: Deployment,
): Promise<{ last: Execution; judged: readonly Judgement[] }> {
  const { at, prepare, inputs }: Scenario = SCENARIOS[name];
  await using twin = await makeTwin({
    ...(at && { at }),
    deployment: name === 'a migration without an answer' ? silent(deployment) : deployment,
  });
  prepare?.(twin.endpoint);
  let last: Execution | undefined;
  for (const input of inputs) last = (await twin.execute(input)).execution;
  return { last: last as Execution, judged: twin.endpoint.judged };
}

/** Migrate ends before it answers, so that Reconcile asks the database. */
function silent(deployment: Deployment): Deployment {
  const functions = [...deployment.functions].map(
    ([arn, each]) => [arn, each.name === 'Migrate' ? { ...each, timeoutSeconds: 0.01 } : each] as const,
  );
  return { ...deployment, functions: new Map(functions) };
}

test('executions use all that is granted, and are granted all that they use', async () => {
  const used = new Set<string>();
  for (const name of Object.keys(SCENARIOS) as Name[]) {
    const { judged } = await run(name, usual);
    expect(judged.filter(({ isAllowed }) => !isAllowed)).toEqual([]);
    for (const { role, need } of judged) used.add(`${nameOf(role)} ${need.action}`);
  }
  expect([...used].sort()).toEqual(granted());
});

/** The name of the function whose role it is. */
function nameOf(role: Role): string {
  return [...usual.functions.values()].find((each) => each.role.name === role.name)?.name ?? '';
}

test.each<[permission: string, scenario: Name, ending: string]>([
  ['Resolve rds:DescribeDBInstances', 'an instance', 'ConfigurationError'],
  ['Resolve rds:DescribeDBClusters', 'a cluster', 'ConfigurationError'],
  ['Snapshot rds:DescribeDBInstances', 'an instance', 'ConfigurationError'],
  ['Snapshot rds:DescribeDBClusters', 'a cluster', 'ConfigurationError'],
  ['Snapshot rds:CreateDBSnapshot', 'an instance', 'SnapshotFailed'],
  ['Snapshot rds:CreateDBClusterSnapshot', 'a cluster', 'SnapshotFailed'],
  ['Snapshot rds:AddTagsToResource', 'an instance', 'SnapshotFailed'],
  ['Snapshot rds:DescribeDBSnapshots', 'an instance', 'SnapshotFailed'],
  ['Snapshot rds:DescribeDBClusterSnapshots', 'a cluster', 'SnapshotFailed'],
  ['Snapshot rds:DeleteDBSnapshot', 'an instance', 'Succeeded'],
  ['Snapshot rds:DeleteDBClusterSnapshot', 'a cluster', 'Succeeded'],
  ['Preflight secretsmanager:GetSecretValue', 'an instance', 'ConfigurationError'],
  ['Migrate secretsmanager:GetSecretValue', 'an instance', 'ConfigurationError'],
  // The database has stepped back by then, and its checks could not run either.
  ['Validate secretsmanager:GetSecretValue', 'an instance', 'DowngradeFailed'],
  ['Reconcile secretsmanager:GetSecretValue', 'a migration without an answer', 'OutcomeUnknown'],
  ['Downgrade secretsmanager:GetSecretValue', 'a downgrade', 'ConfigurationError'],
  ['Finalize secretsmanager:GetSecretValue', 'a finalize', 'FinalizeFailed'],
  ['Schedule scheduler:CreateSchedule', 'an instance', 'FinalizeFailed'],
  ['Schedule scheduler:UpdateSchedule', 'a second upgrade', 'FinalizeFailed'],
  ['Schedule iam:PassRole', 'an instance', 'FinalizeFailed'],
])('without %s, %s ends as %s', async (permission, scenario, ending) => {
  const [name, action] = permission.split(' ') as [string, string];
  const { last, judged } = await run(
    scenario,
    withStatements((role) =>
      nameOf(role) === name
        ? role.statements.map((statement) => ({
            ...statement,
            Action: list(statement.Action).filter((each) => each !== action),
          }))
        : role.statements,
    ),
  );
  const denied = judged.filter(({ isAllowed }) => !isAllowed);
  expect([...new Set(denied.map(({ role, need }) => `${nameOf(role)} ${need.action}`))]).toEqual([
    permission,
  ]);
  expect(last.error ?? 'Succeeded').toBe(ending);
  const [{ role, need }] = denied as [Judgement];
  // A snapshot too many is no failure: the log has it.
  if (last.error !== undefined && ending !== 'DowngradeFailed') {
    expect(last.cause).toContain(
      `${role.name} is not authorized to perform: ${action} on resource: ${need.resource}`,
    );
  }
  expect(describeDenials(denied)[0]).toMatch(
    `The role ${role.name} lacks the permission ${action} on ${need.resource}: see lib/permissions.ts:`,
  );
});

test('a secret that a customer\u2019s key encrypts is read with the permission for its key alone', async () => {
  for (const [extra, error] of [
    [[DECRYPT], undefined],
    [[], 'ConfigurationError'],
    [
      [{ ...DECRYPT, Condition: { StringEquals: { 'kms:EncryptionContext:SecretARN': 'another' } } }],
      'ConfigurationError',
    ],
  ] as const) {
    const deployment = withStatements((role) => [...role.statements, ...extra]);
    await using twin = await makeTwin({ deployment });
    twin.endpoint.secretKeys.set(secretArn, KEY);
    const { execution } = await twin.execute('plan');
    expect(execution.error).toBe(error);
    if (error) expect(execution.cause).toContain('kms:Decrypt');
  }
});
