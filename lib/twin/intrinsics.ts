// The intrinsic functions of CloudFormation, as far as the templates of the stacks use them in what the twin reads.
import { ACCOUNT, REGION } from './aws/account.ts';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  // The properties of CloudFormation resources are as free as JSON is.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly Properties: any;
}

/** By logical id. */
export type Resources = Readonly<Record<string, Resource>>;

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Type → the end of the ARN, for a resource with that logical id. */
const ARNS: Readonly<Record<string, (id: string, properties: Resource['Properties']) => string>> = {
  'AWS::Lambda::Function': (id) => `lambda:${REGION}:${ACCOUNT}:function:${id}`,
  'AWS::Lambda::Version': (_, { FunctionName }) =>
    `lambda:${REGION}:${ACCOUNT}:function:${FunctionName.Ref}:1`,
  'AWS::IAM::Role': (id) => `iam::${ACCOUNT}:role/${id}`,
  'AWS::StepFunctions::StateMachine': (_, { StateMachineName }) =>
    `states:${REGION}:${ACCOUNT}:stateMachine:${StateMachineName}`,
  'AWS::SNS::Topic': (id) => `sns:${REGION}:${ACCOUNT}:${id}`,
  'AWS::CodeBuild::Project': (id) => `codebuild:${REGION}:${ACCOUNT}:project/${id}`,
  'AWS::S3::Bucket': (id) => `s3:::${id.toLowerCase()}`,
};

/** Types whose reference is their ARN, not their name. */
const REFERRED_BY_ARN = ['AWS::Lambda::Version', 'AWS::StepFunctions::StateMachine', 'AWS::SNS::Topic'];

/** The ARN of a resource; undefined for a type without an ARN here. */
export function arnOf(id: string, resources: Resources): string | undefined {
  const { Type = '', Properties } = resources[id] ?? {};
  const end = ARNS[Type]?.(id, Properties);
  return end && `arn:aws:${end}`;
}

/** The value with each intrinsic function replaced by its result. */
export function resolveIntrinsics(value: unknown, resources: Resources): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveIntrinsics(item, resources));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[key, argument] = ['', undefined]] = entries;
  const intrinsic = entries.length === 1 && INTRINSICS.get(key);
  if (intrinsic) return intrinsic(argument, resources);
  return Object.fromEntries(entries.map(([name, item]) => [name, resolveIntrinsics(item, resources)]));
}

const INTRINSICS = new Map<string, typeof resolveIntrinsics>([
  ['Fn::Join', resolveJoin],
  ['Fn::GetAtt', resolveAttribute],
  ['Ref', resolveReference],
  ['Fn::Select', resolveSelect],
  ['Fn::Split', resolveSplit],
  ['Fn::Sub', resolveSubstitutions],
]);

function resolveJoin(argument: unknown, resources: Resources): string {
  const [separator, parts] = argument as [string, unknown[]];
  return parts.map((part) => resolveIntrinsics(part, resources)).join(separator);
}

function resolveSelect(argument: unknown, resources: Resources): unknown {
  const [index, list] = argument as [number, unknown];
  return (resolveIntrinsics(list, resources) as unknown[])[index];
}

function resolveSplit(argument: unknown, resources: Resources): string[] {
  const [separator, text] = argument as [string, unknown];
  return String(resolveIntrinsics(text, resources)).split(separator);
}

function resolveSubstitutions(argument: unknown, resources: Resources): string {
  const [template, values = {}] = [argument].flat() as [string, Record<string, unknown>?];
  return template.replaceAll(/\$\{([^}]+)\}/g, (_, name) =>
    String(name in values ? resolveIntrinsics(values[name], resources) : resolveReference(name, resources)),
  );
}

function resolveAttribute(argument: unknown, resources: Resources): string | string[] {
  const [id, attribute] = argument as [string, string];
  if (attribute === 'Arn') return arnOf(id, resources) ?? `${id}.Arn`;
  if (attribute === 'DnsEntries') return [`Z0123456789:${id.toLowerCase()}.vpce.amazonaws.com`];
  if (attribute === 'Name') return resources[id]?.Properties.StateMachineName ?? `${id}.Name`;
  return `${id}.${attribute}`;
}

function resolveReference(argument: unknown, resources: Resources): unknown {
  const id = argument as string;
  if (REFERRED_BY_ARN.includes(resources[id]?.Type ?? '')) return arnOf(id, resources);
  return PSEUDO_PARAMETERS[id] ?? argument;
}
