// Quotas of sums: over the policies of a role, the variables of a function, the rules of a security group, a pipeline.
import { exceeded, faultsOf, list, type Resources, records, text } from './faults.ts';

const DATABASES = 'configure fewer databases, and deploy the others as another app.';

/** A policy document of that many characters, in JSON without white space. */
const document = (length: number) => ({ Statement: text(length - '{"Statement":""}'.length) });

describe('of a role', () => {
  test('its inline policies count together, and the policies attached to it too', () => {
    const role = (length: number): Resources => ({
      Role01234567: {
        Type: 'AWS::IAM::Role',
        Properties: { Policies: list(2, () => ({ PolicyDocument: document(4000) })) },
      },
      Attached: policy({ Roles: [{ Ref: 'Role01234567' }], PolicyDocument: document(length) }),
      Other: policy({ Roles: [{ Ref: 'Another' }], PolicyDocument: document(9000) }),
    });
    const policy = (Properties: object) => ({ Type: 'AWS::IAM::Policy', Properties });
    expect(exceeded(role(2240))).toEqual([]);
    expect(exceeded(role(2241))).toEqual([
      `The inline policies of the role Role have 10,241 characters; IAM allows 10,240: ${DATABASES}`,
    ]);
  });

  test('white space in its policies does not count', () => {
    const PolicyDocument = { ...document(10_000), Id: ' '.repeat(1000) };
    expect(faultsOf('AWS::IAM::Role', { Policies: [{ PolicyDocument }] })).toEqual([]);
  });

  test('a managed policy is at most 6,144 characters long', () => {
    expect(faultsOf('AWS::IAM::ManagedPolicy', { PolicyDocument: document(6144) })).toEqual([]);
    expect(faultsOf('AWS::IAM::ManagedPolicy', { PolicyDocument: document(6145) })).toEqual([
      'The document of the managed policy Thing has 6,145 characters; IAM allows 6,144: divide it into two policies.',
    ]);
  });

  test('at most ten managed policies are attached to it', () => {
    const role = (named: number): Resources => ({
      Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: list(named, String) } },
      Policy: { Type: 'AWS::IAM::ManagedPolicy', Properties: { Roles: [{ Ref: 'Role' }] } },
    });
    expect(exceeded(role(9))).toEqual([]);
    expect(exceeded(role(10))).toEqual([
      'The role Role has 11 managed policies; IAM allows 10: put their statements into fewer policies.',
    ]);
  });

  test('its trust policy is at most 2,048 characters long', () => {
    expect(faultsOf('AWS::IAM::Role', { AssumeRolePolicyDocument: document(2048) })).toEqual([]);
    expect(faultsOf('AWS::IAM::Role', { AssumeRolePolicyDocument: document(2049) })).toEqual([
      'The trust policy of the role Thing has 2,049 characters; IAM allows 2,048: let fewer principals assume it.',
    ]);
  });
});

test('the environment of a function is measured as JSON, in which a quotation mark takes two bytes', () => {
  const environment = (NAME: string) => ({ Environment: { Variables: { NAME } } });
  const rest = 4096 - '{"NAME":"\\""}'.length;
  expect(faultsOf('AWS::Lambda::Function', environment(`"${text(rest)}`))).toEqual([]);
  expect(faultsOf('AWS::Lambda::Function', environment(`"ü${text(rest - 1)}`))).toEqual([
    `The environment of the function Thing has 4,097 bytes as JSON; Lambda allows 4,096: ${DATABASES}`,
  ]);
});

describe('of a security group', () => {
  const Type = 'AWS::EC2::SecurityGroup';
  const rule = (direction: string, GroupId: unknown) => ({
    Type: `${Type}${direction}`,
    Properties: { GroupId },
  });

  test.each(['Ingress', 'Egress'])('its rules and added rules count together, %s', (direction) => {
    const group = (own: number): Resources => ({
      Thing01234567: { Type, Properties: { [`SecurityGroup${direction}`]: list(own, String) } },
      ...records(20, rule(direction, { 'Fn::GetAtt': ['Thing01234567', 'GroupId'] })),
    });
    expect(exceeded(group(40))).toEqual([]);
    expect(exceeded(group(41))).toEqual([
      `The security group Thing has 61 ${direction.toLowerCase()} rules; EC2 allows 60: ${DATABASES}`,
    ]);
  });

  test('rules in another’s group count too', () => {
    expect(exceeded(records(60, rule('Ingress', 'sg-1')))).toEqual([]);
    expect(exceeded(records(61, rule('Ingress', 'sg-1')))).toEqual([
      `The security group sg-1 has 61 ingress rules; EC2 allows 60: ${DATABASES}`,
    ]);
  });
});

test('an interface endpoint has one subnet in a zone', () => {
  const SubnetIds = ['one', 'two', 'three'];
  const endpoint = { Thing: { Type: 'AWS::EC2::VPCEndpoint', Properties: { SubnetIds } } };
  expect(exceeded(endpoint)).toEqual([]);
  expect(exceeded(endpoint, { one: 'a', two: 'b', three: 'c' })).toEqual([]);
  expect(exceeded(endpoint, { one: 'a', two: 'b', three: 'a' })).toEqual([
    'The VPC endpoint Thing has 2 subnets in a; EC2 allows 1: write one subnet for each zone into cdk.json, or "secretsManagerEndpoint": false.',
  ]);
});

test('a dashboard has at most 500 widgets', () => {
  const dashboard = (count: number) => ({
    DashboardBody: JSON.stringify({ widgets: list(count, String) }),
  });
  expect(faultsOf('AWS::CloudWatch::Dashboard', dashboard(500))).toEqual([]);
  expect(faultsOf('AWS::CloudWatch::Dashboard', dashboard(501))).toEqual([
    'The dashboard Thing has 501 widgets; CloudWatch allows 500: remove some.',
  ]);
});

test('a value in the configuration of an action is at most 1,000 characters long', () => {
  const pipeline = (CustomData: string) => ({
    Stages: [{ Actions: [{ Name: 'Approve', Configuration: { CustomData } }] }],
  });
  expect(faultsOf('AWS::CodePipeline::Pipeline', pipeline(text(1000)))).toEqual([]);
  expect(faultsOf('AWS::CodePipeline::Pipeline', pipeline(text(1001)))).toEqual([
    'The CustomData of the action Approve has 1,001 characters; CodePipeline allows 1,000: shorten it.',
  ]);
});
