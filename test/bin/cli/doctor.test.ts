// The verb doctor, on a local AWS that the real SDK asks: an account in which everything fits, and each fault alone.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { LEAST_VERSION } from '../../../bin/cli/doctor/account.ts';
import type { Finding, NamedFinding } from '../../../bin/cli/doctor/finding.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../../../lib/twin/aws/endpoint.ts';
import { blocksOf, readPage } from '../../docs/page.ts';
import { startFaultyAws } from '../../faults/machine/faulty-aws.ts';
import { appWith } from '../../lib/apps.ts';
import { ACCOUNT_CASES } from './doctor/account-faults.ts';
import { alter } from './doctor/case.ts';
import {
  type Configuration,
  HOST,
  healthyConfiguration,
  makeHealthy,
  PASSWORD,
  SECRET,
  SECRET_KEY,
} from './doctor/healthy.ts';
import { addEndpoint, HTTPS, NETWORK_CASES } from './doctor/network-faults.ts';
import { SECRET_CASES } from './doctor/secret-faults.ts';
import { SERVER_CASES } from './doctor/server-faults.ts';
import { STACK_CASES } from './doctor/stack-faults.ts';
import { backstop, document } from './program.ts';
import { folderOf } from './project.ts';

/** The policy that the page gives to the person who calls doctor. */
const [policy = ''] = blocksOf(readPage('docs/cli.md'), 'json');
const { Statement: statements } = JSON.parse(policy);

let aws: AwsEndpoint;
beforeAll(async () => {
  aws = await startAwsEndpoint();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'doctor',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
});
afterAll(() => aws.stop());

let configuration: Configuration;
beforeEach(() => {
  makeHealthy(aws);
  aws.roles.set('doctor', { name: 'doctor', statements });
  aws.onRequest = undefined;
  aws.requests.length = 0;
  configuration = healthyConfiguration();
});

const folder = folderOf({});
async function doctor(...args: string[]) {
  const file = join(folder, 'staging.json');
  writeFileSync(file, JSON.stringify(configuration));
  const ending = await backstop(['doctor', '--config', file, ...args]);
  expect([...ending.out, ...ending.err].join('\n')).not.toContain(PASSWORD);
  return ending;
}

/** The exit status, and every finding that is not good. */
async function examine(...args: string[]) {
  const ending = await doctor('--json', ...args);
  const { findings } = document(ending) as { findings: NamedFinding[] };
  return {
    status: ending.status,
    checks: findings.map(({ check }) => check),
    faults: findings.filter(({ outcome }) => outcome !== 'good'),
  };
}

test('an account in which everything fits is green, with the permissions of the page', async () => {
  const { status, out, err } = await doctor();
  expect({ status, err }).toEqual({ status: 0, err: [] });
  expect(out.filter((line) => !line.startsWith('✅'))).toEqual([
    '16 good, 0 bad, 0 to look at, 0 not checked.',
  ]);
  expect(out).toContain('✅ plan of codebase_mcp: At 005, 002 to run.');
});

const CASES = [...ACCOUNT_CASES, ...NETWORK_CASES, ...SERVER_CASES, ...SECRET_CASES, ...STACK_CASES];

test.each(CASES)('$fault: one finding with its remedy', async ({ given, outcome, check, message, hint }) => {
  await given({ aws, configuration });
  expect(await examine('--no-plan')).toMatchObject({
    status: outcome === 'bad' ? 1 : 0,
    faults: [{ outcome, check, message, hint: expect.stringContaining(hint) }],
  });
});

const actions: string[] = statements.flatMap(({ Action }: { Action: string[] }) => Action);
test.each(actions)(
  'without permission for %s, a check could not be made, and no check fails',
  async (action) => {
    if (action === 'ec2:DescribeSecurityGroups')
      CASES.find(({ fault }) => /open/.test(fault))?.given({ aws, configuration });
    aws.roles.set('doctor', {
      name: 'doctor',
      statements: [...statements, { Effect: 'Deny', Action: action, Resource: '*' }],
    });
    const { status, faults } = await examine();
    expect(status).toBe(0);
    expect(faults.length).toBeGreaterThan(0);
    for (const { outcome, message, hint } of faults) {
      expect({ outcome, hint }).toEqual({ outcome: 'unknown', hint: expect.stringContaining('docs/cli.md') });
      expect(message).toMatch(/^could not be checked: /);
      expect(message).toContain(action);
    }
  },
);

test('a call that fails is said with its error, and is not red', async () => {
  aws.onRequest = ({ action }) =>
    action === 'GetParameter' ? { code: 'ValidationException', message: 'Out of order' } : undefined;
  expect(await examine('--no-plan')).toMatchObject({
    status: 0,
    faults: [
      {
        check: 'CDK',
        outcome: 'unknown',
        message: 'could not be checked: ValidationException: Out of order',
      },
    ],
  });
});

test('an answer that cannot be read is not printed, and not red', async () => {
  await using proxy = await startFaultyAws({ action: 'GetParameter', does: 'garble' });
  proxy.behind = aws.url;
  process.env.AWS_ENDPOINT_URL = proxy.url;
  const { status, faults } = await examine('--no-plan').finally(() => {
    process.env.AWS_ENDPOINT_URL = aws.url;
  });
  expect({ status, faults }).toEqual({
    status: 0,
    faults: [
      {
        check: 'CDK',
        outcome: 'unknown',
        message: 'could not be checked: SyntaxError',
        hint: 'Run it again.',
      },
    ],
  });
});

test('before the first deployment, it says that the plan comes later, and starts nothing', async () => {
  aws.surroundings.stacks = {};
  const { status, out } = await doctor();
  expect(status).toBe(0);
  expect(out).toContainEqual(expect.stringMatching(/^✅ stack: Not deployed yet\. .*plan/));
  expect(aws.requests.map(({ action }) => action)).not.toContain('StartExecution');
});

test('--no-plan starts no execution', async () => {
  await doctor('--no-plan');
  expect(aws.requests.map(({ action }) => action)).not.toContain('StartExecution');
});

test('--database checks and plans only this database', async () => {
  const inputs: unknown[] = [];
  aws.surroundings.machine = async (input) => {
    inputs.push(input);
    return { status: 'SUCCEEDED', output: {} };
  };
  const { checks } = await examine('--database', 'socrates_auth');
  expect(checks).toEqual(expect.arrayContaining(['server of socrates_auth', 'plan of socrates_auth']));
  expect(checks.filter((check) => check.endsWith('codebase_mcp'))).toEqual([]);
  expect(inputs).toEqual([{ action: 'plan', database: 'socrates_auth' }]);
});

test('a plan that fails is red, with its ending, its cause and its remedy', async () => {
  aws.surroundings.machine = async () => ({
    status: 'FAILED',
    error: 'ExtensionMissing',
    cause: 'A required extension is not installed\nHINT:  Run: CREATE EXTENSION vector',
  });
  const { status, out } = await doctor('--database', 'codebase_mcp');
  expect(status).toBe(1);
  expect(out.slice(-3)).toEqual([
    '❌ plan of codebase_mcp: The plan ended as ExtensionMissing: A required extension is not installed',
    '   HINT:  Run: CREATE EXTENSION vector',
    '13 good, 1 bad, 0 to look at, 0 not checked.',
  ]);
});

test('subnets that the configuration does not name are looked up: the private ones of the VPC', async () => {
  const { vpcId } = configuration.vpc;
  configuration.vpc = { vpcId };
  aws.surroundings.network.Subnets.push({ SubnetId: 'subnet-public', VpcId: vpcId, OwnerId: '111122223333' });
  aws.surroundings.network.RouteTables.push({
    VpcId: vpcId,
    Associations: [{ SubnetId: 'subnet-public' }],
    Routes: [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1' }],
  });
  expect(await examine('--no-plan')).toMatchObject({ status: 0, faults: [] });
});

describe('with "secretsManagerEndpoint": false, the functions reach Secrets Manager through', () => {
  beforeEach(() => {
    configuration.vpc.secretsManagerEndpoint = false;
  });

  test('an endpoint whose security group admits every subnet', async () => {
    addEndpoint({ aws, configuration }, { ...HTTPS, IpRanges: [{ CidrIp: '10.0.0.0/16' }] });
    expect(await examine('--no-plan')).toMatchObject({ status: 0, faults: [] });
  });

  test.each([{ NatGatewayId: 'nat-1' }, { TransitGatewayId: 'tgw-1' }])(
    'the gateway that every subnet leads to: %j',
    async (target) => {
      aws.surroundings.network.RouteTables[0]?.Routes?.push({
        DestinationCidrBlock: '0.0.0.0/0',
        ...target,
      });
      expect(await examine('--no-plan')).toMatchObject({ status: 0, faults: [] });
    },
  );
});

test('it requires the versions of the bootstrap that the CDK requires', () => {
  const { requiresBootstrapStackVersion, lookupRole } = appWith({}).synth().getStackByName('Backstop');
  expect(LEAST_VERSION).toEqual({
    named: requiresBootstrapStackVersion,
    lookedUp: lookupRole?.requiresBootstrapStackVersion,
  });
});

describe('the certificate of a server is held against caBundle:', () => {
  test.each([
    ['the bundle has its authority', 'Amazon RDS eu-central-1 Root CA RSA2048 G1', []],
    [
      'the bundle has another kind',
      'Amazon RDS eu-central-1 Root CA RSA4096 G1',
      ['codebase-mcp', 'socrates-instance-1'],
    ],
    [
      'the bundle has another region',
      'Amazon RDS us-east-1 Root CA RSA2048 G1',
      ['codebase-mcp', 'socrates-instance-1'],
    ],
  ])('%s', async (_when, commonName, unknown) => {
    configuration.caBundle = join(folder, 'bundle.pem');
    const { cert } = await generate([{ name: 'commonName', value: commonName }]);
    writeFileSync(configuration.caBundle, cert);
    const { faults } = await examine('--no-plan');
    expect(faults.map(({ message }) => message)).toEqual(
      unknown.map(
        (id) =>
          `The certificate of ${id} comes from rds-ca-rsa2048-g1, and ${configuration.caBundle} does not hold it`,
      ),
    );
  });
});

test('a secret may name its configured key by an alias', async () => {
  const alias = SECRET_KEY.replace(/key\/.*/, 'alias/backstop');
  aws.secretKeys.set(SECRET, alias);
  aws.surroundings.keys[alias] = { Arn: SECRET_KEY };
  expect(await examine('--no-plan')).toMatchObject({ status: 0, faults: [] });
});

test('a malformed certificate in caBundle is no authority', async () => {
  configuration.caBundle = join(folder, 'bundle.pem');
  writeFileSync(configuration.caBundle, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----');
  expect((await examine('--no-plan')).faults).toHaveLength(2);
});

test('behind a proxy, the network of the server and its port may differ', async () => {
  configuration.databases.codebase_mcp.host = HOST;
  alter({ aws, configuration }, 'codebase-mcp', {
    DBSubnetGroup: { VpcId: 'vpc-1' },
    Endpoint: { Address: 'inside.example.com', Port: 5433 },
  });
  expect(await examine('--no-plan')).toMatchObject({ status: 0, faults: [] });
});

describe('wrong use ends with 2', () => {
  test.each<[what: string, args: string[], change: (settings: Configuration) => void, says: string]>([
    ['a database that is not configured', ['--database', 'x'], () => {}, 'has no database "x"'],
    ['a file that does not exist', ['--config', 'none.json'], () => {}, 'cannot be read'],
    ['a wrong key', [], ({ vpc }) => Object.assign(vpc, { vpcId: 'x' }), 'backstop.vpc.vpcId'],
  ])('%s', async (_what, args, change, says) => {
    change(configuration);
    const { status, err } = await doctor(...args);
    expect({ status, err: err.join('\n') }).toEqual({ status: 2, err: expect.stringContaining(says) });
    expect(aws.requests).toEqual([]);
  });
});

describe('without an account, doctor says so and asks nothing more:', () => {
  test('credentials that AWS refuses', async () => {
    aws.onRequest = () => ({
      code: 'ExpiredToken',
      message: 'The security token is expired',
      httpStatus: 403,
    });
    const { status, faults, checks } = await examine();
    const expected: Partial<Finding> = {
      outcome: 'bad',
      message: 'AWS refuses the credentials of the shell: The security token is expired',
    };
    expect({ status, checks, faults }).toMatchObject({ status: 1, checks: ['account'], faults: [expected] });
  });

  test('a shell without a region', async () => {
    const { AWS_REGION: region } = process.env;
    delete process.env.AWS_REGION;
    const { status, out } = await doctor();
    process.env.AWS_REGION = region;
    expect(status).toBe(1);
    expect(out[0]).toBe('❌ account: The shell names no region of AWS');
  });
});

test('signs are words if the terminal shows no Unicode', async () => {
  const { out } = await backstop(['doctor', '--no-plan'], { unicode: false });
  expect(out[0]).toMatch(/^OK account: /);
});
