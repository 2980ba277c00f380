// The stack in accounts of others: many databases, several subnets a zone, other partitions, a VPC that is looked up.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { BackstopStack } from '../../lib/backstop-stack.ts';
import { type BackstopProps, parseConfig, type Settings } from '../../lib/config.ts';
import { ROOT } from '../../lib/paths.ts';
import { exceededQuotas } from '../../lib/quotas.ts';
import { addBackstop, STACK, synthesize } from '../../lib/synthesize.ts';
import { CONTEXT, KEY_ARN } from './apps.ts';
import { EXAMPLE, synthesizeTemplate } from './synthesized.ts';

const outdir = mkdtempSync(join(tmpdir(), 'backstop-test-accounts-'));
afterAll(() => rmSync(outdir, { recursive: true }));

interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the properties of resources are as free as JSON is
  readonly Properties: any;
}

const resourcesOf = (template: Template, type: string): Record<string, Resource> =>
  template.findResources(type) as Record<string, Resource>;

describe('sixty databases with the longest names, each with a secret, a key and a security group', () => {
  const name = (n: number) => `database-${String(n).padStart(2, '0')}-${'x'.repeat(51)}`;
  const digits = (n: number) => n.toString(16).padStart(17, '0');
  const databases: Settings['databases'] = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [
      `db_${n}`,
      {
        identifier: name(n),
        secretArn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name(n)}-AbCdEf`,
        secretKeyArn: `arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-4567${String(n).padStart(8, '0')}`,
        securityGroupId: `sg-${digits(n)}`,
        port: 5432,
      },
    ]),
  );
  let template: Template;
  beforeAll(() => {
    const app = new App({ outdir: join(outdir, 'sixty'), context: CONTEXT });
    const settings: Settings = { ...parseConfig(EXAMPLE), databases, defaultDatabase: 'db_0' };
    template = Template.fromStack(new BackstopStack(app, 'Backstop', { settings }));
  });

  const attachedTo = (role: string, type: string) =>
    Object.values(resourcesOf(template, type)).filter(({ Properties: { Roles = [] } }) =>
      Roles.some(({ Ref }: { Ref: string }) => Ref === role),
    );
  const roles = () => Object.keys(resourcesOf(template, 'AWS::IAM::Role'));

  test('are within every quota: of policies, environments, security groups, resources and the template', () => {
    expect(exceededQuotas(template.toJSON(), { stack: 'Backstop', region: 'ap-southeast-1' })).toEqual([]);
  });

  test('are all permitted, by whichever policy', () => {
    const [snapshot = ''] = roles().filter((role) => role.startsWith('FunctionsSnapshotRole'));
    const [migrate = ''] = roles().filter((role) => role.startsWith('FunctionsMigrateRole'));
    const of = (role: string) =>
      JSON.stringify([
        ...attachedTo(role, 'AWS::IAM::Policy'),
        ...attachedTo(role, 'AWS::IAM::ManagedPolicy'),
      ]);
    for (const [key, { identifier, secretArn, secretKeyArn }] of Object.entries(databases)) {
      for (const text of [`:db:${identifier}"`, `:cluster:${identifier}"`, `"${key}"`])
        expect(of(snapshot)).toContain(text);
      for (const text of [secretArn, secretKeyArn]) expect(of(migrate)).toContain(text);
    }
  });
});

describe('the endpoint for Secrets Manager', () => {
  const vpc = {
    ...EXAMPLE.vpc,
    privateSubnetIds: ['0', '1', '2', '3'].map((digit) => `subnet-0123456789abcde${digit}0`),
  };
  let template: Template;
  beforeAll(() => {
    template = synthesizeTemplate({ vpc });
  });
  const endpoint = () => Object.entries(resourcesOf(template, 'AWS::EC2::VPCEndpoint'))[0];

  test('is in one subnet of each zone, and the functions in all', () => {
    expect(endpoint()?.[1].Properties.SubnetIds).toEqual(vpc.privateSubnetIds.slice(0, 2));
    const inVpc = Object.values(resourcesOf(template, 'AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties.VpcConfig ?? [],
    );
    expect(inVpc).toHaveLength(6);
    for (const { SubnetIds } of inVpc) expect(SubnetIds).toEqual(vpc.privateSubnetIds);
  });

  test('leaves the name of the service to others: the functions alone go to it, by its own name', () => {
    const [id, { Properties } = { Properties: {} }] = endpoint() ?? [];
    expect(Properties.PrivateDnsEnabled).toBe(false);
    const url = {
      'Fn::Join': [
        '',
        [
          'https://',
          {
            'Fn::Select': [
              1,
              { 'Fn::Split': [':', { 'Fn::Select': [0, { 'Fn::GetAtt': [id, 'DnsEntries'] }] }] },
            ],
          },
        ],
      ],
    };
    for (const [name, { Properties }] of Object.entries(resourcesOf(template, 'AWS::Lambda::Function')))
      expect([name, Properties.Environment.Variables.AWS_ENDPOINT_URL_SECRETS_MANAGER]).toEqual([
        name,
        Properties.VpcConfig && url,
      ]);
  });

  test('is not named where the VPC has another way', () => {
    const without = synthesizeTemplate({ vpc: { ...vpc, secretsManagerEndpoint: false } });
    expect(JSON.stringify(without.toJSON())).not.toContain('AWS_ENDPOINT_URL');
  });
});

test('interfaces may be made in the subnets of a shared VPC, which belong to another account', () => {
  const policies = JSON.stringify(resourcesOf(synthesizeTemplate(), 'AWS::IAM::Policy'));
  expect(policies).toContain('":ec2:",{"Ref":"AWS::Region"},":*:*/*"');
});

test.each([
  ['aws-cn', 'cn-north-1', 'amazonaws.com.cn'],
  ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com'],
])('in %s no name of another partition is written', (partition, region, suffix) => {
  const arns = (text: string) =>
    text.replaceAll('arn:aws:', `arn:${partition}:`).replaceAll('eu-central-1', region);
  const backstop = JSON.parse(arns(JSON.stringify({ ...EXAMPLE, kmsKeyArn: KEY_ARN }))) as BackstopProps;
  const app = new App({ outdir: join(outdir, partition), context: CONTEXT });
  const stack = new BackstopStack(app, 'Backstop', {
    settings: parseConfig(backstop),
    env: { account: '111122223333', region },
  });
  const template = JSON.stringify(Template.fromStack(stack).toJSON());
  expect(template.match(/arn:aws:[^"]*/g) ?? []).toEqual([]);
  const hosts = template.match(/[\w.-]+\.amazonaws\.com(\.cn)?/g) ?? [];
  // Principals are written the same way in every partition.
  const principals = /^(lambda|states|scheduler|sns|events|cloudwatch)\.amazonaws\.com$/;
  expect(hosts.filter((host) => !principals.test(host) && !host.endsWith(suffix))).toEqual([]);
});

describe('a VPC whose subnets the configuration does not name', () => {
  const vpc = { vpcId: 'vpc-0123456789abcdef0' };
  const env = { account: '111122223333', region: 'eu-central-1' };
  const found = {
    vpcId: vpc.vpcId,
    vpcCidrBlock: '10.0.0.0/16',
    availabilityZones: [],
    subnetGroups: [
      {
        name: 'Private',
        type: 'Private',
        subnets: ['a', 'b', 'a'].map((zone, n) => ({
          subnetId: `subnet-found${n}`,
          cidr: `10.0.${n}.0/24`,
          availabilityZone: `eu-central-1${zone}`,
          routeTableId: `rtb-${n}`,
        })),
      },
    ],
  };
  const key = `vpc-provider:account=${env.account}:filter.vpc-id=${vpc.vpcId}:region=${env.region}:returnAsymmetricSubnets=true`;
  const appOf = (context: object) => {
    const backstop = { ...EXAMPLE, vpc };
    return new App({
      outdir: mkdtempSync(join(outdir, 'lookup-')),
      context: { ...CONTEXT, ...context, backstop },
    });
  };
  afterEach(() => {
    delete process.env.CDK_DEFAULT_ACCOUNT;
    delete process.env.CDK_DEFAULT_REGION;
  });

  test('is looked up in the account of the shell', () => {
    process.env.CDK_DEFAULT_ACCOUNT = env.account;
    process.env.CDK_DEFAULT_REGION = env.region;
    const stack = addBackstop(appOf({ [key]: found }));
    const template = Template.fromStack(stack);
    const [endpoint] = Object.values(resourcesOf(template, 'AWS::EC2::VPCEndpoint'));
    expect(endpoint?.Properties.SubnetIds).toEqual(['subnet-found0', 'subnet-found1']);
    expect(stack.environment).toBe('aws://111122223333/eu-central-1');
  });

  test.each([
    ['before the CDK has asked the account', {}, 1],
    ['with the answer of the account', { [key]: found }, 0],
  ])('passes all checks of the app %s', (_, context, missing) => {
    const folder = mkdtempSync(join(outdir, 'app-'));
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/app.ts')], {
      encoding: 'utf8',
      env: {
        ...process.env,
        CDK_VALIDATION: 'true',
        CDK_OUTDIR: folder,
        CDK_CONTEXT_JSON: JSON.stringify({ ...CONTEXT, ...context, backstop: { ...EXAMPLE, vpc } }),
        CDK_DEFAULT_ACCOUNT: env.account,
        CDK_DEFAULT_REGION: env.region,
      },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest.missing ?? []).toHaveLength(missing);
  });

  test('needs no account for npm start, which deploys nothing', () => {
    process.env.CDK_CONTEXT_JSON = JSON.stringify({ 'aws:cdk:bundling-stacks': [] });
    try {
      expect(
        synthesize(join(outdir, 'local'), { vpc }).getStackByName(STACK).template.Resources,
      ).toBeDefined();
    } finally {
      delete process.env.CDK_CONTEXT_JSON;
    }
  });

  test('is refused where the shell has no account, with both remedies', () => {
    expect(() => addBackstop(appOf({}))).toThrow(
      /no credentials of an AWS account\nHINT: {2}Log in .* or write availabilityZones and privateSubnetIds/,
    );
  });

  test.each(['availabilityZones', 'privateSubnetIds'] as const)(
    'is not half looked up: %s alone',
    (field) => {
      expect(() => parseConfig({ ...EXAMPLE, vpc: { ...vpc, [field]: EXAMPLE.vpc[field] } })).toThrow(
        /write both availabilityZones and privateSubnetIds, or neither/,
      );
    },
  );
});
