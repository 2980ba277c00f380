// The templates against CloudFormation's schemas of resources: known types and properties, values of the right type, length
// and pattern, nothing missing. CDK brings the schemas, and applies them at synthesis, too.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CloudFormationValidatePlugin } from 'aws-cdk-lib';
import type { BackstopProps } from '../../lib/config.ts';
import { DELIVERY_STACK, STACK } from '../../lib/synthesize.ts';
import { appWith, DELIVERY, EVERYTHING, KEY_ARN, templateOf } from './apps.ts';
import { EXAMPLE } from './synthesized.ts';

const folder = mkdtempSync(join(tmpdir(), 'backstop-test-schemas-'));
afterAll(() => rmSync(folder, { recursive: true }));

const plugin = new CloudFormationValidatePlugin({ includeDefaultRules: false });
const appConstruct = new App();

/** A line for each finding in a template, warnings too: `Resource: sentence`. */
function findingsIn(template: object): string[] {
  const templatePath = join(folder, 'template.json');
  writeFileSync(templatePath, JSON.stringify(template));
  const stackTemplates = [
    { templatePath, stackConstructPath: STACK, accountId: undefined, region: undefined },
  ];
  return plugin
    .validate({ templatePaths: [templatePath], stackTemplates, appConstruct })
    .violations.flatMap(({ description, violatingResources }) =>
      violatingResources.map(({ resourceLogicalId }) => `${resourceLogicalId}: ${description}`),
    );
}

const CONFIGURATIONS: [string, Partial<BackstopProps>][] = [
  ['of cdk.json', {}],
  ['with a pipeline', { delivery: DELIVERY }],
  ['with a key', { kmsKeyArn: KEY_ARN, delivery: DELIVERY }],
  [
    'with a login by IAM',
    {
      databases: { socrates_auth: EVERYTHING.databases?.socrates_auth as never },
      defaultDatabase: 'socrates_auth',
    },
  ],
  ['without endpoint and alarms', { vpc: { ...EXAMPLE.vpc, secretsManagerEndpoint: false }, alarms: false }],
  ['with everything', EVERYTHING],
];

describe.each(CONFIGURATIONS)('the configuration %s', (_, overrides) => {
  const app = appWith(overrides);
  const stacks = [STACK, DELIVERY_STACK].filter((name) => app.node.tryFindChild(name));

  test.each(stacks)('makes a template of %s that CloudFormation’s schemas allow', (stack) => {
    expect(findingsIn(templateOf(app, stack).toJSON())).toEqual([]);
  });
});

describe('a fault is found in the template:', () => {
  const properties = {
    Role: 'arn:aws:iam::111122223333:role/migrate',
    Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
  };
  const findings = (changed: object, Type = 'AWS::Lambda::Function') =>
    findingsIn({ Resources: { Thing: { Type, Properties: { ...properties, ...changed } } } });

  test.each([
    ['a wrong property', { Timeouts: 3 }, /Timeouts.*Additional properties are not allowed/],
    ['a wrong nested property', { VpcConfig: { Subnets: [] } }, /VpcConfig\.Subnets.*Additional properties/],
    ['a text for a number', { Timeout: 'three' }, /Timeout: 'three' is not of type 'integer'/],
    [
      'a text for a list',
      { VpcConfig: { SubnetIds: 'one' } },
      /VpcConfig\.SubnetIds: 'one' is not of type 'array'/,
    ],
    ['a text for an object', { VpcConfig: 'one' }, /VpcConfig: 'one' is not of type 'object'/],
    ['a number in a text', { Timeout: '3' }, /Timeout: '3' is not of type 'integer'/],
    ['a missing property', { Role: undefined }, /'Role' is a required property/],
    ['a value that is not allowed', { Runtime: 'nodejs99.x' }, /Runtime: 'nodejs99\.x' is not one of/],
    ['a text against its pattern', { FunctionName: 'a b' }, /FunctionName: 'a b' does not match pattern/],
    ['a number out of its range', { MemorySize: 64 }, /MemorySize: 64 is less than the minimum of 128/],
    ['a reference to nothing', { Role: { Ref: 'Nothing' } }, /Nothing/],
  ])('%s', (_, changed, finding) => {
    expect(findings(changed)).toEqual([expect.stringMatching(finding)]);
  });

  test('an unknown type', () => {
    expect(findings({}, 'AWS::Lambda::Handler')).toContain(
      "Thing: Unknown resource type 'AWS::Lambda::Handler'",
    );
  });

  test('but not where an intrinsic function makes the value', () => {
    const value = { 'Fn::ImportValue': 'Elsewhere' };
    expect(findings({ Timeout: value, Runtime: value, MemorySize: value, Role: value })).toEqual([]);
  });
});
