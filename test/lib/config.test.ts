// The configuration: complete with its defaults, or refused with the key, the value and the remedy.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackstopError, isEnding } from '../../lambda/migrator/model/errors.ts';
import { type BackstopProps, type DatabaseProps, parseConfig } from '../../lib/config.ts';
import { EXAMPLE } from './synthesized.ts';

function refusalOf(props: unknown): BackstopError {
  try {
    parseConfig(props);
  } catch (error) {
    if (isEnding(error, 'ConfigurationError')) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const withVpc = (change: object) => ({ ...EXAMPLE, vpc: { ...EXAMPLE.vpc, ...change } });
const withDatabase = (change: Partial<Record<keyof DatabaseProps, unknown>>) => ({
  ...EXAMPLE,
  databases: { codebase_mcp: { ...EXAMPLE.databases.codebase_mcp, ...change } },
});

describe('a configuration with only the required keys', () => {
  test('is completed with the defaults', () => {
    expect(parseConfig(EXAMPLE)).toEqual({
      vpc: { ...EXAMPLE.vpc, secretsManagerEndpoint: true },
      databases: { codebase_mcp: { ...EXAMPLE.databases.codebase_mcp, port: 5432 } },
      defaultDatabase: 'codebase_mcp',
      keepSnapshots: 5,
      finalizeAfterDays: 0,
      alarms: true,
      allowDrills: false,
      logRetentionDays: 90,
      transactionSeconds: 300,
      lockWaitSeconds: 60,
      maxLockSeconds: 5,
      drift: 'warn',
      snapshotTimeoutMinutes: 120,
    });
  });
});

/** A second database, on the instance of the first. */
const AUTH = {
  ...EXAMPLE.databases.codebase_mcp,
  secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:socrates-auth-AbCdEf',
};

const IAM = { user: 'backstop', resourceId: 'db-ABCDEFGHIJKL01234', databaseName: 'codebase' };
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
const CONNECTION =
  'arn:aws:codeconnections:eu-central-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef';

describe('a configuration in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('in a separate file counts like one in cdk.json', () => {
    const file = join(folder, 'staging.json');
    writeFileSync(file, JSON.stringify(EXAMPLE));
    expect(parseConfig(file)).toEqual(parseConfig(EXAMPLE));
  });
});

describe('a configuration that names everything', () => {
  test('is taken over as it is', () => {
    const everything = {
      ...EXAMPLE,
      databases: {
        codebase_mcp: {
          ...EXAMPLE.databases.codebase_mcp,
          secretKeyArn: KEY,
          host: 'proxy.shop.internal',
          port: 5433,
        },
        socrates_auth: { ...AUTH, secretArn: undefined, port: 5432, iam: IAM },
      },
      keepSnapshots: 9,
      finalizeAfterDays: 14,
      notificationEmail: 'on-call@example.com',
      alarms: false,
      allowDrills: true,
      logRetentionDays: 30,
      kmsKeyArn: KEY,
      transactionSeconds: 120,
      lockWaitSeconds: 0,
      maxLockSeconds: 0.5,
      drift: 'refuse',
      snapshotTimeoutMinutes: 30,
      delivery: {
        connectionArn: CONNECTION,
        repository: 'acme/backstop',
        branch: 'release',
        approval: false,
      },
    } as BackstopProps;
    const vpc = { ...EXAMPLE.vpc, secretsManagerEndpoint: true };
    expect(parseConfig(everything)).toEqual({ ...everything, vpc });
  });
});

describe('a configuration with two databases', () => {
  test('may have both on one instance', () => {
    const databases = { ...EXAMPLE.databases, socrates_auth: AUTH };
    const settings = parseConfig({ ...EXAMPLE, databases, defaultDatabase: 'socrates_auth' });
    expect(Object.keys(settings.databases)).toEqual(['codebase_mcp', 'socrates_auth']);
    expect(settings.databases.socrates_auth).toEqual({ ...AUTH, port: 5432 });
  });
});

describe('a configuration with a wrong value', () => {
  const secret = EXAMPLE.databases.codebase_mcp?.secretArn;

  test.each([
    ['nothing at all', undefined, 'backstop', 'missing', 'write an object with the keys vpc, databases'],
    ['a number', 5, 'backstop', '5', 'write an object'],
    ['a file that is not there', 'no/such.json', 'backstop', '"no/such.json"', 'the path of a JSON file'],
    ['a file that is no JSON', 'README.md', 'backstop', '"README.md"', 'the path of a JSON file'],
    [
      'an unknown key',
      { ...EXAMPLE, keepSnapshot: 3 },
      'backstop.keepSnapshot',
      '3',
      'remove it: the keys are vpc,',
    ],
    ['no VPC', { ...EXAMPLE, vpc: undefined }, 'backstop.vpc', 'missing', 'vpcId, availabilityZones'],
    ['a VPC without id', withVpc({ vpcId: '' }), 'backstop.vpc.vpcId', '""', 'e.g. "vpc-'],
    [
      'a region for a zone',
      withVpc({ availabilityZones: ['eu-central-1'] }),
      'backstop.vpc.availabilityZones.0',
      '"eu-central-1"',
      'availability zone',
    ],
    [
      'no subnets',
      withVpc({ privateSubnetIds: [] }),
      'backstop.vpc.privateSubnetIds',
      '[]',
      'write the ids of the private subnets',
    ],
    [
      'more subnets than a function can be in',
      withVpc({ privateSubnetIds: Array(18).fill('subnet-0123456789abcdef0') }),
      'backstop.vpc.privateSubnetIds',
      JSON.stringify(Array(18).fill('subnet-0123456789abcdef0')),
      'write at most 16',
    ],
    [
      'one subnet for two zones',
      withVpc({ privateSubnetIds: ['subnet-0123456789abcdef0'] }),
      'backstop.vpc.privateSubnetIds',
      '["subnet-0123456789abcdef0"]',
      'as many subnets for each of the 2 zones',
    ],
    [
      'no databases',
      { ...EXAMPLE, databases: {} },
      'backstop.databases',
      '{}',
      'at least one of codebase_mcp',
    ],
    [
      'an unknown database',
      { ...EXAMPLE, databases: { ...EXAMPLE.databases, codebase: AUTH } },
      'backstop.databases.codebase',
      '{"identifier"',
      'names in migrations/databases.json: codebase_mcp',
    ],
    [
      'one secret for two databases',
      { ...EXAMPLE, databases: { ...EXAMPLE.databases, socrates_auth: EXAMPLE.databases.codebase_mcp } },
      'backstop.databases.socrates_auth.secretArn',
      `"${secret}"`,
      'write the ARN of another secret: codebase_mcp uses this one',
    ],
    [
      'a wrong value in one database of two',
      { ...EXAMPLE, databases: { ...EXAMPLE.databases, socrates_auth: { ...AUTH, port: 0 } } },
      'backstop.databases.socrates_auth.port',
      '0',
      'from 1 to 65535',
    ],
    [
      'a default database that is known, but not configured',
      { ...EXAMPLE, defaultDatabase: 'socrates_auth' },
      'backstop.defaultDatabase',
      '"socrates_auth"',
      'names under databases: codebase_mcp',
    ],
    [
      'no identifier',
      withDatabase({ identifier: undefined }),
      'backstop.databases.codebase_mcp.identifier',
      'missing',
      'instance or Aurora cluster',
    ],
    [
      'an identifier that RDS refuses',
      withDatabase({ identifier: 'a--b' }),
      'backstop.databases.codebase_mcp.identifier',
      '"a--b"',
      'instance or Aurora cluster',
    ],
    [
      'a secret by name',
      withDatabase({ secretArn: 'codebase-mcp' }),
      'backstop.databases.codebase_mcp.secretArn',
      '"codebase-mcp"',
      'full ARN of the secret',
    ],
    [
      'a secret without its suffix',
      withDatabase({ secretArn: secret?.slice(0, -7) }),
      'backstop.databases.codebase_mcp.secretArn',
      'secret:codebase-mcp"',
      'six characters',
    ],
    [
      'no security group',
      withDatabase({ securityGroupId: 'default' }),
      'backstop.databases.codebase_mcp.securityGroupId',
      '"default"',
      'e.g. "sg-',
    ],
    [
      'a security group too short to be one',
      withDatabase({ securityGroupId: 'sg-0a' }),
      'backstop.databases.codebase_mcp.securityGroupId',
      '"sg-0a"',
      'e.g. "sg-',
    ],
    [
      'no login',
      withDatabase({ secretArn: undefined }),
      'backstop.databases.codebase_mcp',
      '{"identifier"',
      'either secretArn, or iam',
    ],
    [
      'two logins',
      withDatabase({ iam: IAM }),
      'backstop.databases.codebase_mcp',
      '{"identifier"',
      'either secretArn, or iam',
    ],
    [
      'a user without its database',
      withDatabase({ secretArn: undefined, iam: { ...IAM, databaseName: undefined } }),
      'backstop.databases.codebase_mcp.iam.databaseName',
      'missing',
      'the name of the database on the server',
    ],
    [
      'the identifier for the resource id',
      withDatabase({ secretArn: undefined, iam: { ...IAM, resourceId: 'codebase-mcp' } }),
      'backstop.databases.codebase_mcp.iam.resourceId',
      '"codebase-mcp"',
      'the resource id that RDS shows',
    ],
    [
      'a URL for a host',
      withDatabase({ host: 'postgres://proxy' }),
      'backstop.databases.codebase_mcp.host',
      '"postgres://proxy"',
      'write the host name of the proxy',
    ],
    [
      'a proxy with a login by IAM',
      withDatabase({ secretArn: undefined, iam: IAM, host: 'proxy.shop.internal' }),
      'backstop.databases.codebase_mcp.host',
      '"proxy.shop.internal"',
      'a login by IAM goes to the endpoint itself',
    ],
    [
      'the key of a secret that is not there',
      withDatabase({ secretArn: undefined, secretKeyArn: KEY, iam: IAM }),
      'backstop.databases.codebase_mcp.secretKeyArn',
      `"${KEY}"`,
      'remove it',
    ],
    [
      'the same database twice',
      {
        ...EXAMPLE,
        databases: Object.fromEntries(
          ['codebase_mcp', 'socrates_auth'].map((name) => [
            name,
            { ...AUTH, secretArn: undefined, iam: IAM },
          ]),
        ),
      },
      'backstop.databases.socrates_auth.iam.databaseName',
      '"codebase"',
      'this is the database of codebase_mcp',
    ],
    [
      'a key by its alias',
      { ...EXAMPLE, kmsKeyArn: 'alias/backstop' },
      'backstop.kmsKeyArn',
      '"alias/backstop"',
      'the full ARN of the key, not of an alias',
    ],
    [
      'a name for an address',
      { ...EXAMPLE, notificationEmail: 'on-call' },
      'backstop.notificationEmail',
      '"on-call"',
      'one e-mail address',
    ],
    ['alarms by word', { ...EXAMPLE, alarms: 'no' }, 'backstop.alarms', '"no"', 'write true or false'],
    [
      'a finalize in the past',
      { ...EXAMPLE, finalizeAfterDays: -1 },
      'backstop.finalizeAfterDays',
      '-1',
      'number of days, a whole number from 0 to 365',
    ],
    ['no lock at all', { ...EXAMPLE, maxLockSeconds: 0 }, 'backstop.maxLockSeconds', '0', 'above 0'],
    [
      'a pipeline without source',
      { ...EXAMPLE, delivery: { repository: 'acme/backstop' } },
      'backstop.delivery.connectionArn',
      'missing',
      'CodeConnections',
    ],
    [
      'a repository by its URL',
      { ...EXAMPLE, delivery: { connectionArn: CONNECTION, repository: 'https://github.com/acme/backstop' } },
      'backstop.delivery.repository',
      '"https://github.com/acme/backstop"',
      'owner and name',
    ],
    [
      'a port as text',
      withDatabase({ port: '5432' }),
      'backstop.databases.codebase_mcp.port',
      '"5432"',
      'whole number',
    ],
    [
      'another default database',
      { ...EXAMPLE, defaultDatabase: 'codebase' },
      'backstop.defaultDatabase',
      '"codebase"',
      'names under databases: codebase_mcp',
    ],
    ['no snapshot to keep', { ...EXAMPLE, keepSnapshots: 0 }, 'backstop.keepSnapshots', '0', 'from 1 to 99'],
    [
      'drills by word',
      { ...EXAMPLE, allowDrills: 'yes' },
      'backstop.allowDrills',
      '"yes"',
      'write true or false',
    ],
    [
      'a file that is not there',
      { ...EXAMPLE, caBundle: 'no/such.pem' },
      'backstop.caBundle',
      '"no/such.pem"',
      'PEM file',
    ],
    [
      'a file that is no PEM',
      { ...EXAMPLE, caBundle: 'package.json' },
      'backstop.caBundle',
      '"package.json"',
      'PEM file',
    ],
    [
      'days that CloudWatch refuses',
      { ...EXAMPLE, logRetentionDays: 91 },
      'backstop.logRetentionDays',
      '91',
      'write one of 1, 3, 5',
    ],
    [
      'half a second',
      { ...EXAMPLE, transactionSeconds: 0.5 },
      'backstop.transactionSeconds',
      '0.5',
      'the number of seconds, a whole number',
    ],
    [
      'a transaction longer than Lambda allows',
      { ...EXAMPLE, transactionSeconds: 800 },
      'backstop.transactionSeconds',
      '800',
      'write at most 780',
    ],
    ['a negative wait', { ...EXAMPLE, lockWaitSeconds: -1 }, 'backstop.lockWaitSeconds', '-1', 'from 0'],
    [
      'a snapshot that outlives the execution',
      { ...EXAMPLE, snapshotTimeoutMinutes: 240 },
      'backstop.snapshotTimeoutMinutes',
      '240',
      'from 1 to 150',
    ],
  ])('is refused: %s', (_, props, key, received, remedy) => {
    const { summary, detail, hint } = refusalOf(props);
    expect(summary).toContain(`${key} is wrong`);
    expect(detail).toContain(received);
    expect(hint).toContain(remedy);
  });

  test('lists all faults at once', () => {
    const { summary } = refusalOf({ ...EXAMPLE, keepSnapshots: 0, allowDrills: 1 });
    expect(summary).toContain('backstop.keepSnapshots, backstop.allowDrills are wrong');
  });
});

describe('the times of the functions', () => {
  test('may use all that Lambda allows', () => {
    const { transactionSeconds } = parseConfig({ ...EXAMPLE, transactionSeconds: 780 });
    expect(transactionSeconds).toBe(780);
  });
});

describe('a certificate bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is accepted if it holds a certificate', () => {
    const caBundle = join(folder, 'ca.pem');
    writeFileSync(caBundle, '-----BEGIN CERTIFICATE-----\n');
    expect(parseConfig({ ...EXAMPLE, caBundle }).caBundle).toBe(caBundle);
  });
});
