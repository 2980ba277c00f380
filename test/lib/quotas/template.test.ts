// The length of a value that only the deployment knows: the longest that it may have.
import { exceededQuotas } from '../../../lib/quotas.ts';
import { text } from './faults.ts';

/** The length of a token, from the sentence about a description that is too long with it. */
function lengthOf(token: unknown, region?: string): number {
  const Description = { 'Fn::Join': ['', [text(257), token]] };
  const Resources = {
    Bucket: { Type: 'AWS::S3::Bucket' },
    Topic: { Type: 'AWS::SNS::Topic' },
    Thing: { Type: 'AWS::Lambda::Function', Properties: { Description } },
  };
  const [fault = ''] = exceededQuotas({ Resources }, { stack: 'Backstop', region });
  return Number(/ has (\d+) /.exec(fault)?.[1]) - 257;
}

const ARN = 'arn:aws-us-gov:s3:ap-southeast-1:111122223333:bucket:Backstop-Bucket-0123456789ab:*';

test.each([
  ['a partition', { Ref: 'AWS::Partition' }, 'aws-us-gov'],
  ['a region', { Ref: 'AWS::Region' }, 'ap-southeast-1'],
  ['an account', { Ref: 'AWS::AccountId' }, '111122223333'],
  ['a domain', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com.cn'],
  ['the stack', { Ref: 'AWS::StackName' }, 'Backstop'],
  ['no value', { Ref: 'AWS::NoValue' }, ''],
  ['a name', { Ref: 'Bucket' }, 'Backstop-Bucket-0123456789ab'],
  [
    'a topic',
    { Ref: 'Topic' },
    ARN.replace('s3', 'sns').replace('bucket', 'topic').replace('Bucket', 'Topic'),
  ],
  ['an ARN', { 'Fn::GetAtt': ['Bucket', 'Arn'] }, ARN],
  ['an id', { 'Fn::GetAtt': ['Bucket', 'GroupId'] }, 'vpce-0123456789abcdef0'],
  ['a joined text', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] }, 'a-ap-southeast-1'],
  [
    'a text with values',
    { 'Fn::Sub': [`\${A} \${AWS::Region} \${!B}`, { A: 'a' }] },
    `a ap-southeast-1 \${!B}`,
  ],
  ['a text with an attribute', { 'Fn::Sub': `\${Bucket.Arn}` }, ARN],
  ['a part', { 'Fn::Select': [3, { 'Fn::Split': [':', { Ref: 'Topic' }] }] }, 'ap-southeast-1'],
  ['one of two', { 'Fn::If': ['Condition', 'a', 'bcd'] }, 'bcd'],
  [
    'of another stack',
    { 'Fn::ImportValue': 'Name' },
    `arn:aws-us-gov:states:ap-southeast-1:111122223333:stateMachine:${text(80)}`,
  ],
])('a token that is %s has the length of its longest value', (_, token, value) => {
  expect(lengthOf(token)).toBe(value.length);
});

test.each([
  ['eu-central-1', 'aws'],
  ['ap-southeast-1', 'aws'],
  ['cn-northwest-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
])('in a known region, %s, a token has the length that it has there', (region, partition) => {
  expect(lengthOf({ Ref: 'AWS::Region' }, region)).toBe(region.length);
  expect(lengthOf({ Ref: 'AWS::Partition' }, region)).toBe(partition.length);
});
