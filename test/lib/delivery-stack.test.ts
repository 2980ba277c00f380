// The pipeline: it is green only if the migration is, it runs the approved plan, and its roles have no spare permission.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { snapshotId } from '../../lambda/aws/names.ts';
import { ROOT } from '../../lib/paths.ts';
import { DELIVERY_STACK, STACK } from '../../lib/synthesize.ts';
import { appWith, DELIVERY, KEY_ARN, templateOf } from './apps.ts';
import { definitionOf } from './synthesized.ts';

/** CodePipeline gives the invoked state machine seven days, which no pipeline can change. */
const ACTION_SECONDS = 7 * 24 * 3600;
const EXECUTION_ID = '1624a1d1-3699-43f0-8e1e-6bafd7fde791';

interface Action {
  readonly Name: string;
  readonly ActionTypeId: { readonly Category: string; readonly Provider: string };
  readonly Configuration: Readonly<Record<string, unknown>>;
  readonly Namespace?: string;
  readonly RunOrder: number;
  readonly RoleArn?: unknown;
  readonly TimeoutInMinutes?: number;
}
interface Stage {
  readonly Name: string;
  readonly Actions: readonly Action[];
}
interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const app = appWith({ delivery: DELIVERY });
const machineTemplate = templateOf(app, STACK);
const template = templateOf(app, DELIVERY_STACK);
const unasked = templateOf(appWith({ delivery: { ...DELIVERY, approval: false } }), DELIVERY_STACK);

const propertiesOf = (type: string, within: Template) =>
  Object.values(within.findResources(type)).map(({ Properties }) => Properties);
const pipelineOf = (within: Template) => propertiesOf('AWS::CodePipeline::Pipeline', within)[0];
const stagesOf = (within: Template): readonly Stage[] => pipelineOf(within).Stages;
const release = (within: Template) => stagesOf(within).at(-1)?.Actions ?? [];
const namesOf = (actions: readonly Action[]) => actions.map(({ Name }) => Name);

function action(name: string): Action {
  const found = stagesOf(template)
    .flatMap(({ Actions }) => Actions)
    .find(({ Name }) => Name === name);
  if (!found) throw new Error(`There is no action ${name}.`);
  return found;
}

/** The project of a name, with its buildspec read. */
function project(name: string, within = template) {
  const [, { Properties }] = only(within.findResources('AWS::CodeBuild::Project'), name);
  return { ...Properties, buildSpec: JSON.parse(Properties.Source.BuildSpec) };
}

function statementsOf(name: string, within = template): Statement[] {
  const [, { Properties }] = only(within.findResources('AWS::IAM::Role'), `${name}Role`);
  return Properties.Policies.flatMap(
    (policy: { PolicyDocument: { Statement: Statement[] } }) => policy.PolicyDocument.Statement,
  );
}
const actionsOf = (name: string, within = template) =>
  statementsOf(name, within).flatMap(({ Action }) => Action);
const resourcesOf = (name: string, action: string) =>
  statementsOf(name)
    .filter(({ Action }) => [Action].flat().includes(action))
    .flatMap(({ Resource }) => Resource);

/** The one resource whose logical id is the construct's, with the hash behind it. */
function only<T>(resources: Record<string, T>, id: string): [string, T] {
  const found = Object.entries(resources).filter(([name]) => new RegExp(`^${id}[0-9A-F]{8}$`).test(name));
  expect(found).toHaveLength(1);
  return found[0] as [string, T];
}

describe('the stack', () => {
  test('exists only if a pipeline is configured', () => {
    expect(appWith({}).node.tryFindChild(DELIVERY_STACK)).toBeUndefined();
  });

  test('needs no account to be synthesized', () => {
    expect(app.synth().getStackByName(DELIVERY_STACK).environment.name).toBe(
      'aws://unknown-account/unknown-region',
    );
  });

  test('takes no value of the other, so that each can be deployed at any time', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/Fn::ImportValue|Fn::GetStackOutput/);
  });
});

describe('the pipeline', () => {
  test('tests first, then releases', () => {
    expect(stagesOf(template).map(({ Name }) => Name)).toEqual(['Source', 'Build', 'Release']);
  });

  test('releases one execution at a time, the newest waiting execution first', () => {
    expect(pipelineOf(template)).toMatchObject({ PipelineType: 'V2', ExecutionMode: 'SUPERSEDED' });
  });

  test('follows the configured branch through the connection', () => {
    expect(action('Source').Configuration).toEqual({
      ConnectionArn: DELIVERY.connectionArn,
      FullRepositoryId: 'acme/backstop',
      BranchName: 'main',
    });
  });

  test('finds a repository in a group within a group', () => {
    const nested = templateOf(
      appWith({ delivery: { ...DELIVERY, repository: 'acme/data/backstop' } }),
      DELIVERY_STACK,
    );
    expect(stagesOf(nested)[0]?.Actions[0]?.Configuration.FullRepositoryId).toBe('acme/data/backstop');
  });

  test('stops at a failure: no stage retries, rolls back or goes on', () => {
    for (const stage of [...stagesOf(template), ...stagesOf(unasked)]) {
      expect(Object.keys(stage).sort()).toEqual(['Actions', 'Name']);
    }
  });
});

describe('the release', () => {
  test('is one stage, which no other execution enters between deployment and migration', () => {
    expect(namesOf(release(template))).toEqual(['Deploy', 'Plan', 'Summary', 'Approve', 'Migrate']);
  });

  test.each([
    ['with approval', template],
    ['without', unasked],
  ])('runs one action after the other, %s', (_, within) => {
    const orders = release(within).map(({ RunOrder }) => RunOrder);
    expect(orders).toEqual([...new Set(orders)].sort((one, other) => one - other));
  });

  test.each([
    ['exactly the approved plan', template, '{"plan":"#{Summary.PLAN}"}'],
    ['whatever is pending, unless somebody is asked', unasked, '{}'],
  ])('ends with the migration, green only if the execution is: %s', (_, within, Input) => {
    expect(release(within).at(-1)).toMatchObject({
      Name: 'Migrate',
      ActionTypeId: { Category: 'Invoke', Owner: 'AWS', Provider: 'StepFunctions' },
      Configuration: { InputType: 'Literal', Input, ExecutionNamePrefix: 'release' },
    });
  });

  test.each(['Plan', 'Migrate'])('%s starts the state machine that was deployed', (name) => {
    const machines = machineTemplate.findResources('AWS::StepFunctions::StateMachine');
    const [, { Properties }] = only(machines, 'StateMachine');
    const arn = action(name).Configuration.StateMachineArn;
    expect(JSON.stringify(arn)).toContain(`:stateMachine:${Properties.StateMachineName}"`);
  });

  test('waits longer for the state machine than that may take', () => {
    expect(release(template).map(({ TimeoutInMinutes }) => TimeoutInMinutes)).toEqual(
      Array(5).fill(undefined),
    );
    expect(definitionOf(machineTemplate).TimeoutSeconds).toBeLessThan(ACTION_SECONDS);
  });

  test.each(['Plan', 'Migrate'])('%s names executions as snapshots can be named', (name) => {
    const { ExecutionNamePrefix: prefix } = action(name).Configuration;
    expect(prefix).toMatch(/^[a-z]/);
    const execution = `${prefix}-${EXECUTION_ID}`;
    expect(execution.length).toBeLessThanOrEqual(80);
    expect(snapshotId('codebase_mcp', execution, 'instance')).toBe(`backstop-codebase-mcp-${execution}`);
  });

  test('without approval has neither a plan nor a question', () => {
    expect(namesOf(release(unasked))).toEqual(['Deploy', 'Migrate']);
    unasked.resourceCountIs('AWS::CodeBuild::Project', 2);
  });
});

describe('the approval', () => {
  test('is asked for what the state machine plans now, which changes nothing', () => {
    expect(JSON.parse(String(action('Plan').Configuration.Input))).toEqual({ action: 'plan' });
  });

  test('reads the execution of that plan', () => {
    expect(JSON.parse(String(action('Summary').Configuration.EnvironmentVariables))).toEqual([
      { name: 'EXECUTION_ARN', type: 'PLAINTEXT', value: `#{${action('Plan').Namespace}.ExecutionArn}` },
    ]);
    expect(project('Summary').buildSpec.phases.build.commands[0]).toContain('"$EXECUTION_ARN"');
  });

  test('shows its message, within the limit of CodePipeline', () => {
    const { env, phases } = project('Summary').buildSpec;
    const [variable, plan] = env['exported-variables'];
    const [, message, checksum] = phases.build.commands;
    expect(action('Approve').Configuration.CustomData).toBe(`#{${action('Summary').Namespace}.${variable}}`);
    expect(message).toContain(`export ${variable}`);
    expect(checksum).toContain(`'.plan.checksum' plan.json)" && export ${plan}`);
    const [, characters] = message.match(/\.\[:(\d+)\]/);
    expect(Number(characters)).toBeLessThan(1000);
  });

  test('links to the execution in the console', () => {
    const link = JSON.stringify(action('Approve').Configuration.ExternalEntityLink);
    expect(link).toContain(`/executions/details/#{${action('Plan').Namespace}.ExecutionArn}`);
  });
});

describe('the projects', () => {
  test('run the tests as the README says', () => {
    const { commands } = project('Test').buildSpec.phases.build;
    expect(commands).toEqual(['npm ci && npm test']);
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(commands[0]);
  });

  test('deploy the one stack', () => {
    expect(project('Deploy').buildSpec.phases.build.commands).toEqual([
      `npm ci && npx cdk deploy ${STACK} --require-approval never`,
    ]);
  });

  test('have the Node that the functions run on, no Docker, and enough memory for the tests', () => {
    for (const name of ['Test', 'Deploy', 'Summary']) {
      const { buildSpec, Environment } = project(name);
      expect(buildSpec.phases.install['runtime-versions']).toEqual({
        nodejs: process.versions.node.split('.')[0],
      });
      expect(Environment).toMatchObject({ Type: 'LINUX_CONTAINER', PrivilegedMode: false });
    }
    expect(project('Test').Environment.ComputeType).toBe('BUILD_GENERAL1_MEDIUM');
  });

  test('keep their logs as long as configured', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 3);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});

describe('permissions', () => {
  const NAMES = ['Test', 'Deploy', 'Summary', 'Pipeline'];
  const BUILD = [
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    's3:GetBucketAcl',
    's3:GetBucketLocation',
    's3:GetObject',
    's3:GetObjectVersion',
  ];

  test('come from nowhere but the roles', () => {
    template.resourceCountIs('AWS::IAM::Role', NAMES.length);
    template.resourceCountIs('AWS::IAM::Policy', 0);
    for (const role of propertiesOf('AWS::IAM::Role', template))
      expect(role.ManagedPolicyArns).toBeUndefined();
    for (const { RoleArn } of release(template)) expect(RoleArn).toBeUndefined();
  });

  test.each(NAMES)(
    'of %s hold for named actions, and for nothing unnamed but objects in the bucket',
    (name) => {
      expect(actionsOf(name).filter((action) => action.includes('*'))).toEqual([]);
      const [bucket] = only(template.findResources('AWS::S3::Bucket'), 'Artifacts');
      const wide = statementsOf(name)
        .flatMap(({ Resource }) => Resource)
        .filter((resource) => JSON.stringify(resource).includes('*'));
      expect([...new Set(wide.map((resource) => JSON.stringify(resource)))]).toEqual([
        JSON.stringify({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, '/*']] }),
      ]);
    },
  );

  test.each([
    ['Test', []],
    ['Deploy', ['sts:AssumeRole']],
    ['Summary', ['states:DescribeExecution']],
  ])('let %s read the repository, write its log, and do no more than %j', (name, more) => {
    expect(actionsOf(name).sort()).toEqual([...BUILD, ...more].sort());
  });

  test('let Deploy assume the roles of the CDK bootstrap, and no other', () => {
    const roles = resourcesOf('Deploy', 'sts:AssumeRole').map((resource) => {
      const [arn, { Qualifier }] = (resource as { 'Fn::Sub': [string, { Qualifier: string }] })['Fn::Sub'];
      return arn.replace(`\${Qualifier}`, Qualifier);
    });
    const here = `\${AWS::AccountId}-\${AWS::Region}`;
    expect(roles.map((arn) => arn.split(':role/')[1]).sort()).toEqual([
      `cdk-hnb659fds-deploy-role-${here}`,
      `cdk-hnb659fds-file-publishing-role-${here}`,
      `cdk-hnb659fds-lookup-role-${here}`,
    ]);
  });

  test('let the pipeline start this state machine, and read how its executions end', () => {
    expect(resourcesOf('Pipeline', 'states:StartExecution')).toEqual([
      action('Migrate').Configuration.StateMachineArn,
    ]);
    const endings = resourcesOf('Pipeline', 'states:DescribeExecution').map((resource) =>
      (resource as { 'Fn::Join': [string, string[]] })['Fn::Join'][1]
        .at(-1)
        ?.replace(':execution:Backstop', ''),
    );
    const patterns = endings.map((ending) => new RegExp(`^${ending?.replaceAll('?', '.')}$`));
    const seen = (name: string) => patterns.some((pattern) => pattern.test(`:${name}`));
    expect(seen(`plan-${EXECUTION_ID}`)).toBe(true);
    expect(seen(`release-${EXECUTION_ID}`)).toBe(true);
    expect(seen(EXECUTION_ID)).toBe(false);
  });

  test('let the pipeline use a connection of either service prefix', () => {
    expect(resourcesOf('Pipeline', 'codeconnections:UseConnection')).toEqual([DELIVERY.connectionArn]);
    expect(resourcesOf('Pipeline', 'codestar-connections:UseConnection')).toEqual([DELIVERY.connectionArn]);
  });
});

describe('the artifacts', () => {
  test('are encrypted, private, and deleted after a while', () => {
    const [, { Properties }] = only(template.findResources('AWS::S3::Bucket'), 'Artifacts');
    expect(Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 30, Status: 'Enabled' }] },
    });
  });

  test('travel over TLS only', () => {
    const [policy] = propertiesOf('AWS::S3::BucketPolicy', template);
    expect(policy.PolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Action: 's3:*',
        Principal: { AWS: '*' },
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    ]);
  });
});

describe('a key of one’s own', () => {
  const encrypted = templateOf(appWith({ delivery: DELIVERY, kmsKeyArn: KEY_ARN }), DELIVERY_STACK);

  test('encrypts artifacts, builds and logs', () => {
    const [, bucket] = only(encrypted.findResources('AWS::S3::Bucket'), 'Artifacts');
    expect(bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
      {
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KEY_ARN },
      },
    ]);
    expect(pipelineOf(encrypted).ArtifactStore.EncryptionKey).toEqual({ Type: 'KMS', Id: KEY_ARN });
    encrypted.allResourcesProperties('AWS::CodeBuild::Project', { EncryptionKey: KEY_ARN });
    encrypted.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: KEY_ARN });
  });

  test.each(['Pipeline', 'Test', 'Deploy', 'Summary'])('may be used by %s, and only it', (name) => {
    const statements = statementsOf(name, encrypted).filter(({ Action }) => `${Action}`.includes('kms:'));
    expect(statements).toEqual([
      { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: KEY_ARN },
    ]);
    expect(actionsOf(name).filter((action) => action.startsWith('kms:'))).toEqual([]);
  });
});
