// The deployed stack: functions with their time limits, permissions on named resources, a closed network, no secret.
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { snapshotId } from '../../lambda/aws/names.ts';
import { type DatabaseProps, parseConfig } from '../../lib/config.ts';
import { deployedDatabases } from '../../lib/functions.ts';
import { EXAMPLE, synthesizeTemplate } from './synthesized.ts';

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** These actions know no resource: AWS defines them for `*` alone. */
const WITHOUT_RESOURCE = [
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'logs:CreateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies',
  'logs:GetLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
];
const IN_VPC = ['Preflight', 'Migrate', 'Reconcile', 'Validate', 'Finalize', 'Downgrade'];
const OUTSIDE = ['Resolve', 'Snapshot', 'Schedule', 'Summarize'];
const ASKS_RDS = ['Resolve', 'Snapshot'];

let template: Template;
beforeAll(() => {
  template = synthesizeTemplate();
});

/** The resource of a type whose logical id begins with the construct's path. */
function find(type: string, prefix: string, within = template) {
  const found = Object.entries(within.findResources(type)).filter(([id]) =>
    new RegExp(`^${prefix}[0-9A-F]{8}$`).test(id),
  );
  expect(found).toHaveLength(1);
  return found[0]?.[1].Properties;
}
const functionOf = (name: string, within?: Template) =>
  find('AWS::Lambda::Function', `Functions${name}`, within);
const statementsOf = (name: string, within?: Template): Statement[] =>
  find('AWS::IAM::Policy', `Functions${name}RoleDefaultPolicy`, within).PolicyDocument.Statement;
const actionsOf = (name: string) => statementsOf(name).flatMap(({ Action }) => Action);

describe('the functions', () => {
  test('are eleven, on the runtime that the tests run on', () => {
    template.resourceCountIs('AWS::Lambda::Function', 11);
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
      MemorySize: 512,
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
  });

  test.each(['Migrate', 'Finalize', 'Downgrade'])(
    '%s outlives its transaction and the wait for locks',
    (name) => {
      const { Timeout, Environment } = functionOf(name);
      const { BACKSTOP_TRANSACTION_SECONDS, BACKSTOP_LOCK_WAIT_SECONDS } = Environment.Variables;
      expect(BACKSTOP_TRANSACTION_SECONDS).toBe('300');
      expect(Timeout).toBeGreaterThan(
        Number(BACKSTOP_TRANSACTION_SECONDS) + Number(BACKSTOP_LOCK_WAIT_SECONDS),
      );
      expect(Timeout).toBeLessThanOrEqual(900);
    },
  );

  test('get the configured values', () => {
    expect(functionOf('Resolve').Environment.Variables).toEqual({
      POWERTOOLS_SERVICE_NAME: 'backstop',
      POWERTOOLS_LOG_LEVEL: 'INFO',
      BACKSTOP_DATABASES: 'deployed-databases.json',
      BACKSTOP_DEFAULT_DATABASE: 'codebase_mcp',
      BACKSTOP_ALLOW_DRILLS: 'false',
      BACKSTOP_FINALIZE_AFTER_DAYS: '0',
      BACKSTOP_MAX_LOCK_SECONDS: '5',
      BACKSTOP_DRIFT: 'warn',
    });
    expect(functionOf('Snapshot').Environment.Variables).toMatchObject({
      BACKSTOP_KEEP_SNAPSHOTS: '5',
      BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: '7200',
    });
    expect(functionOf('Migrate').Environment.Variables).toMatchObject({
      BACKSTOP_DATABASES: 'deployed-databases.json',
      BACKSTOP_MIGRATIONS: 'migrations',
      NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
    });
  });

  test('share one log, which is kept as long as configured', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 2);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});

describe('permissions', () => {
  const allStatements = (): Statement[] => [
    ...[...IN_VPC, ...OUTSIDE].flatMap((name) => statementsOf(name)),
    ...Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
      (policy) => policy.Properties.PolicyDocument.Statement,
    ),
  ];

  test('name their resources, unless the action has no resource', () => {
    const unnamed = allStatements().filter(({ Resource }) => [Resource].flat().includes('*'));
    const actions = new Set(unnamed.flatMap(({ Action }) => Action));
    expect([...actions].filter((action) => !WITHOUT_RESOURCE.includes(action))).toEqual([]);
  });

  test('never hold for all actions of a service, nor come from a managed policy', () => {
    expect(
      allStatements()
        .flatMap(({ Action }) => Action)
        .filter((action) => action.includes('*')),
    ).toEqual([]);
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  test.each(IN_VPC)('let %s read the configured secrets and nothing of RDS', (name) => {
    const secrets = statementsOf(name).filter(({ Action }) => Action === 'secretsmanager:GetSecretValue');
    expect(secrets.map(({ Resource }) => Resource)).toEqual([EXAMPLE.databases.codebase_mcp?.secretArn]);
    expect(actionsOf(name).filter((action) => action.startsWith('rds:'))).toEqual([]);
  });

  test.each(OUTSIDE)('let %s read no secret', (name) => {
    expect(actionsOf(name).filter((action) => action.startsWith('secretsmanager:'))).toEqual([]);
  });

  test('let Resolve describe, and change nothing', () => {
    expect(actionsOf('Resolve').filter((action) => action.startsWith('rds:'))).toEqual([
      'rds:DescribeDBInstances',
      'rds:DescribeDBClusters',
    ]);
  });

  test.each(['rds:DeleteDBSnapshot', 'rds:DeleteDBClusterSnapshot', 'rds:AddTagsToResource'])(
    'let Snapshot call %s only on its own snapshots',
    (action) => {
      const resources = statementsOf('Snapshot')
        .filter(({ Action }) => [Action].flat().includes(action))
        .flatMap(({ Resource }) => Resource);
      expect(resources.length).toBeGreaterThan(0);
      for (const resource of resources)
        expect(JSON.stringify(resource)).toMatch(/:(cluster-)?snapshot:backstop-\*"/);
    },
  );

  const conditionsOf = (action: string) =>
    statementsOf('Snapshot')
      .filter(({ Action }) => [Action].flat().includes(action))
      .filter(({ Resource }) => JSON.stringify(Resource).includes('snapshot:'))
      .map(({ Condition }) => Condition);

  test.each(['rds:CreateDBSnapshot', 'rds:CreateDBClusterSnapshot'])(
    'let Snapshot call %s only with the tag by which it is known again',
    (action) => {
      expect(conditionsOf(action)).toEqual([
        { StringEquals: { 'aws:RequestTag/backstop:database': ['codebase_mcp'] } },
      ]);
    },
  );

  test.each(['rds:DeleteDBSnapshot', 'rds:DeleteDBClusterSnapshot'])(
    'let Snapshot call %s only on snapshots with that tag',
    (action) => {
      expect(conditionsOf(action)).toEqual([
        { StringEquals: { 'aws:ResourceTag/backstop:database': ['codebase_mcp'] } },
      ]);
    },
  );

  test('let Snapshot write no other tags than its own', () => {
    expect(conditionsOf('rds:AddTagsToResource')).toEqual([
      {
        StringEquals: { 'aws:RequestTag/backstop:database': ['codebase_mcp'] },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['backstop:database', 'backstop:execution'] },
      },
    ]);
  });

  test('let Schedule create and move schedules of its group, and pass one role only to the scheduler', () => {
    const [, ...statements] = statementsOf('Schedule');
    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: ['scheduler:CreateSchedule', 'scheduler:UpdateSchedule'],
        Resource: {
          'Fn::Join': [
            '',
            [
              'arn:',
              { Ref: 'AWS::Partition' },
              ':scheduler:',
              { Ref: 'AWS::Region' },
              ':',
              { Ref: 'AWS::AccountId' },
              ':schedule/',
              { Ref: expect.stringMatching(/^FunctionsSchedulesGroup/) },
              '/backstop-*',
            ],
          ],
        },
      },
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^FunctionsSchedulesRole/), 'Arn'] },
        Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      },
    ]);
  });

  test('let a schedule start the state machine, and do nothing else', () => {
    const policy = find('AWS::IAM::Policy', 'FunctionsSchedulesRoleDefaultPolicy');
    expect(policy.PolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'states:StartExecution',
        Resource: { Ref: expect.stringMatching(/^StateMachine/) },
      },
    ]);
    const role = find('AWS::IAM::Role', 'FunctionsSchedulesRole');
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
  });

  test.each(['instance', 'cluster'] as const)('fit the ids that snapshots of an %s get', (kind) => {
    expect(snapshotId('codebase_mcp', `release-${'9'.repeat(70)}`, kind)).toMatch(/^backstop-/);
  });
});

describe('the network', () => {
  test('holds the functions that speak to the database, and no other', () => {
    for (const name of IN_VPC)
      expect(functionOf(name).VpcConfig.SubnetIds).toEqual(EXAMPLE.vpc.privateSubnetIds);
    for (const name of OUTSIDE) expect(functionOf(name).VpcConfig).toBeUndefined();
  });

  test('opens the database to the functions on its port, and the functions to nothing else', () => {
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      GroupId: EXAMPLE.databases.codebase_mcp?.securityGroupId,
      FromPort: 5432,
      ToPort: 5432,
    });
    const { SecurityGroupEgress } = find('AWS::EC2::SecurityGroup', 'FunctionsNetworkSecurityGroup');
    expect(JSON.stringify(SecurityGroupEgress ?? '')).not.toContain('"-1"');
  });

  test('has an endpoint for Secrets Manager, unless the VPC has one', () => {
    template.resourceCountIs('AWS::EC2::VPCEndpoint', 1);
    const without = synthesizeTemplate({ vpc: { ...EXAMPLE.vpc, secretsManagerEndpoint: false } });
    without.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
    without.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [
        {
          CidrIp: '0.0.0.0/0',
          FromPort: 443,
          IpProtocol: 'tcp',
          ToPort: 443,
          Description: 'Secrets Manager',
        },
      ],
    });
  });
});

describe('several databases', () => {
  const secretOf = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
  /** Those of Socrates share an instance and its security group. */
  const databases = {
    codebase_mcp: EXAMPLE.databases.codebase_mcp as DatabaseProps,
    socrates_auth: {
      identifier: 'socrates',
      secretArn: secretOf('auth'),
      securityGroupId: 'sg-1123456789abcdef0',
    },
    socrates_specs: {
      identifier: 'socrates',
      secretArn: secretOf('specs'),
      securityGroupId: 'sg-1123456789abcdef0',
    },
  };
  let several: Template;
  beforeAll(() => {
    several = synthesizeTemplate({ databases });
  });

  /** The resources on which a function may call an action: kind and name, the last parts of the ARNs. */
  const resourcesOf = (name: string, action: string) =>
    statementsOf(name, several)
      .filter(({ Action }) => [Action].flat().includes(action))
      .flatMap(({ Resource }) => Resource)
      .map((arn) => JSON.stringify(arn).match(/[\w-]+:[\w*-]+(?="\]\]\}$)/)?.[0]);

  test('are permitted by the small letters in which RDS keeps their identifiers', () => {
    const capitals = synthesizeTemplate({
      databases: { codebase_mcp: { ...databases.codebase_mcp, identifier: 'Codebase-MCP' } },
    });
    const statements = JSON.stringify(statementsOf('Snapshot', capitals));
    expect(statements).toContain(':db:codebase-mcp');
    expect(statements).not.toContain('Codebase-MCP');
  });

  test('name the host of a proxy beside their login', () => {
    const proxied = parseConfig({
      ...EXAMPLE,
      databases: { codebase_mcp: { ...databases.codebase_mcp, host: 'proxy.shop.internal' } },
    });
    expect(deployedDatabases(proxied)).toEqual({
      codebase_mcp: {
        identifier: 'codebase-mcp',
        secretArn: databases.codebase_mcp.secretArn,
        host: 'proxy.shop.internal',
      },
    });
  });

  test('reach the functions by their names', () => {
    expect(deployedDatabases(parseConfig({ ...EXAMPLE, databases }))).toEqual({
      codebase_mcp: { identifier: 'codebase-mcp', secretArn: databases.codebase_mcp.secretArn },
      socrates_auth: { identifier: 'socrates', secretArn: secretOf('auth') },
      socrates_specs: { identifier: 'socrates', secretArn: secretOf('specs') },
    });
  });

  test.each(IN_VPC)('let %s read the secret of each, and nothing else', (name) => {
    const secrets = statementsOf(name, several).filter(({ Action }) => `${Action}`.includes('secret'));
    expect(secrets).toEqual([
      {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: Object.values(databases)
          .map(({ secretArn }) => secretArn)
          .sort(),
      },
    ]);
  });

  test.each(ASKS_RDS)('let %s describe the instance of each, once', (name) => {
    expect(resourcesOf(name, 'rds:DescribeDBInstances')).toEqual(['db:codebase-mcp', 'db:socrates']);
    expect(resourcesOf(name, 'rds:DescribeDBClusters')).toEqual(['cluster:codebase-mcp', 'cluster:socrates']);
  });

  test('let Snapshot take snapshots of the instance of each, with the tag of each', () => {
    expect(resourcesOf('Snapshot', 'rds:CreateDBSnapshot')).toEqual([
      'db:codebase-mcp',
      'db:socrates',
      'cluster-snapshot:backstop-*',
      'snapshot:backstop-*',
    ]);
    const tags = statementsOf('Snapshot', several).flatMap(({ Condition }) =>
      JSON.stringify(Condition ?? []),
    );
    expect(
      tags.filter((text) => text.includes('"codebase_mcp","socrates_auth","socrates_specs"')),
    ).toHaveLength(3);
  });

  /** Rules that admit the functions, beside the endpoint of this stack. */
  const doorsOf = (deployed: Template) =>
    Object.values(deployed.findResources('AWS::EC2::SecurityGroupIngress'))
      .map(({ Properties: { GroupId, FromPort } }) => [GroupId, FromPort])
      .filter(([group]) => typeof group === 'string');

  test('open a security group once for a port, however many databases are behind it', () => {
    expect(doorsOf(several)).toEqual([
      [databases.codebase_mcp.securityGroupId, 5432],
      [databases.socrates_auth.securityGroupId, 5432],
    ]);
  });

  test('open a security group for each port', () => {
    const { codebase_mcp, socrates_auth } = databases;
    const { securityGroupId } = codebase_mcp;
    const doors = doorsOf(
      synthesizeTemplate({
        databases: { codebase_mcp, socrates_auth: { ...socrates_auth, securityGroupId, port: 5433 } },
      }),
    );
    expect(doors).toEqual([
      [securityGroupId, 5432],
      [securityGroupId, 5433],
    ]);
  });
});

describe('a database that IAM lets the functions into', () => {
  const databases = {
    codebase_mcp: {
      identifier: 'codebase-mcp',
      iam: { user: 'backstop', resourceId: 'db-ABCDEFGHIJKL01234', databaseName: 'codebase' },
      securityGroupId: 'sg-0123456789abcdef0',
    },
  };
  let withIam: Template;
  beforeAll(() => {
    withIam = synthesizeTemplate({ databases });
  });

  test.each(IN_VPC)('lets %s in as its user, and needs no secret', (name) => {
    const actions = statementsOf(name, withIam).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.startsWith('secretsmanager:'))).toEqual([]);
    const [connect] = statementsOf(name, withIam).filter(({ Action }) => Action === 'rds-db:connect');
    expect(JSON.stringify(connect?.Resource)).toContain(':dbuser:db-ABCDEFGHIJKL01234/backstop');
  });

  test('is in the file of the functions by its user and its name', () => {
    expect(deployedDatabases(parseConfig({ ...EXAMPLE, databases }))).toEqual({
      codebase_mcp: { identifier: 'codebase-mcp', iamUser: 'backstop', databaseName: 'codebase' },
    });
  });

  test('needs no way to Secrets Manager', () => {
    withIam.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
    expect(JSON.stringify(withIam.toJSON())).not.toContain('secretsmanager');
  });
});

describe('keys of the customer', () => {
  const kmsKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
  const secretKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11234567-89ab-cdef-0123-456789abcdef';
  const { codebase_mcp } = EXAMPLE.databases;
  let encrypted: Template;
  beforeAll(() => {
    const databases = { codebase_mcp: { ...codebase_mcp, secretKeyArn } as DatabaseProps };
    encrypted = synthesizeTemplate({ kmsKeyArn, databases });
  });

  test('encrypt logs, environments and executions', () => {
    encrypted.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: kmsKeyArn });
    encrypted.allResourcesProperties('AWS::Lambda::Function', { KmsKeyArn: kmsKeyArn });
    encrypted.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      EncryptionConfiguration: { KmsKeyId: kmsKeyArn, Type: 'CUSTOMER_MANAGED_KMS_KEY' },
    });
  });

  test.each(IN_VPC)('open the secret to %s through Secrets Manager alone', (name) => {
    const opened = statementsOf(name, encrypted).filter(({ Resource }) => Resource === secretKeyArn);
    expect(opened).toEqual([
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: secretKeyArn,
        Condition: {
          StringEquals: {
            'kms:ViaService': {
              'Fn::Join': ['', ['secretsmanager.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]],
            },
            'kms:EncryptionContext:SecretARN': [codebase_mcp?.secretArn],
          },
        },
      },
    ]);
  });

  test('let a schedule start an encrypted state machine', () => {
    const { PolicyDocument } = find('AWS::IAM::Policy', 'FunctionsSchedulesRoleDefaultPolicy', encrypted);
    expect(PolicyDocument.Statement).toContainEqual({
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: kmsKeyArn,
    });
  });

  test('are not in the template unless a key is configured', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/kms:|KmsKey/);
  });
});

test('the template resolves no secret: it knows their ARNs only', () => {
  const text = JSON.stringify(template.toJSON());
  expect(text).not.toContain('{{resolve:');
  expect(text).not.toMatch(/password/i);
});
