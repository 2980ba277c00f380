// The judgement of IAM: a call is allowed by a statement, under its conditions, and by nothing else.
import { describeDenial, isAllowed, type Need, type Statement } from '../../../lib/twin/aws/iam.ts';

const SNAPSHOT = 'arn:aws:rds:eu-central-1:111122223333:snapshot:backstop-shop-1';
const need = (more: Partial<Need> = {}): Need => ({
  action: 'rds:CreateDBSnapshot',
  resource: SNAPSHOT,
  context: {},
  ...more,
});
const allow = (more: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action: 'rds:CreateDBSnapshot',
  Resource: SNAPSHOT,
  ...more,
});
const judge = (statements: readonly Statement[], asked = need()) =>
  isAllowed({ name: 'SnapshotRole', statements }, asked);

test.each<[what: string, statement: Partial<Statement>, isAllowed: boolean]>([
  ['the action and the resource', {}, true],
  ['the action among others', { Action: ['rds:DeleteDBSnapshot', 'rds:CreateDBSnapshot'] }, true],
  ['the action in other letters', { Action: 'RDS:CREATEDBsnapshot' }, true],
  ['the action by a star', { Action: 'rds:Create*' }, true],
  ['all actions', { Action: '*' }, true],
  ['another action', { Action: 'rds:CreateDBClusterSnapshot' }, false],
  ['an action that only begins so', { Action: 'rds:CreateDB' }, false],
  ['the resource by a star', { Resource: 'arn:aws:rds:*:111122223333:snapshot:backstop-*' }, true],
  ['the resource by a question mark', { Resource: SNAPSHOT.replace('-1', '-?') }, true],
  ['the resource in other letters', { Resource: SNAPSHOT.toUpperCase() }, false],
  ['a resource of another kind', { Resource: SNAPSHOT.replace('snapshot', 'db') }, false],
  ['a resource where a dot is no star', { Resource: SNAPSHOT.replace('shop', 'sh.p') }, false],
])('a statement for %s', (_what, statement, expected) => {
  expect(judge([allow(statement)])).toBe(expected);
});

test('nothing is allowed without a statement, and a denial counts more than a permission', () => {
  expect(judge([])).toBe(false);
  expect(judge([allow(), allow({ Effect: 'Deny', Resource: '*' })])).toBe(false);
  expect(judge([allow(), allow({ Effect: 'Deny', Action: 'rds:DeleteDBSnapshot', Resource: '*' })])).toBe(
    true,
  );
});

test.each<[condition: NonNullable<Statement['Condition']>, context: Need['context'], isAllowed: boolean]>([
  [{ StringEquals: { 'aws:RequestTag/team': 'shop' } }, { 'aws:RequestTag/team': ['shop'] }, true],
  [{ StringEquals: { 'aws:RequestTag/team': ['a', 'shop'] } }, { 'AWS:RequestTag/TEAM': ['shop'] }, true],
  [{ StringEquals: { 'aws:RequestTag/team': 'shop' } }, { 'aws:RequestTag/team': ['Shop'] }, false],
  [{ StringEquals: { 'aws:RequestTag/team': 'sh*' } }, { 'aws:RequestTag/team': ['shop'] }, false],
  [{ StringEquals: { 'aws:RequestTag/team': 'shop' } }, {}, false],
  [{ StringEqualsIfExists: { 'aws:RequestTag/team': 'shop' } }, {}, true],
  [{ StringLike: { 'aws:RequestTag/team': 'sh*' } }, { 'aws:RequestTag/team': ['shop'] }, true],
  [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }, { 'aws:TagKeys': ['a'] }, true],
  [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }, { 'aws:TagKeys': ['a', 'c'] }, false],
  [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } }, {}, true],
  [{ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['a'] } }, { 'aws:TagKeys': ['a', 'c'] }, true],
  [{ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['a'] } }, {}, false],
  [
    { ArnLike: { 'aws:SourceArn': 'arn:aws:states:*:*:stateMachine:*' } },
    { 'aws:SourceArn': ['arn:aws:states:x:1:stateMachine:y'] },
    true,
  ],
  [{ StringEquals: { one: '1' }, StringLike: { two: '2' } }, { one: ['1'], two: ['3'] }, false],
])('under the condition %j, %j', (Condition, context, expected) => {
  expect(judge([allow({ Condition })], need({ context }))).toBe(expected);
});

test('an operator that is not known is an error, and no permission', () => {
  const statement = allow({ Condition: { NumericLessThan: { 'aws:MultiFactorAuthAge': '3600' } } });
  expect(() => judge([statement])).toThrow('does not know the condition operator NumericLessThan');
});

test('a denial has the words of AWS', () => {
  expect(describeDenial({ name: 'SnapshotRole', statements: [] }, need(), '111122223333')).toBe(
    `User: arn:aws:sts::111122223333:assumed-role/SnapshotRole/SnapshotRole is not authorized to perform: rds:CreateDBSnapshot on resource: ${SNAPSHOT} because no identity-based policy allows the rds:CreateDBSnapshot action`,
  );
});
