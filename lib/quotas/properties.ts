// Quotas and rules of single properties: how long a text may be, how many entries a list, how a resource may be named.
import { faultIn } from './fault.ts';
import { nameOf, type Properties, type Resource, wordsOf } from './template.ts';

interface Limit {
  readonly type: string;
  /** The path of the property. */
  readonly property: string;
  readonly most: number;
  readonly least?: number;
  /** Names have a rule besides their length. */
  readonly rule?: Rule;
  /** @default - a text has characters, a list has entries, a number is itself */
  readonly unit?: string;
  readonly remedy?: string;
}

interface Rule {
  readonly pattern: RegExp;
  /** The same in words, behind `allows`. */
  readonly allowed: string;
}

const WORD: Rule = { pattern: /^[\w-]*$/, allowed: 'letters, digits, hyphens and underscores' };
const DOTTED: Rule = {
  pattern: /^[\w.-]*$/,
  allowed: 'letters, digits, hyphens, underscores and periods',
};
const IAM: Rule = { pattern: /^[\w+=,.@-]*$/, allowed: 'letters, digits and +=,.@-_' };
const LOG_GROUP: Rule = { pattern: /^[\w./#-]*$/, allowed: 'letters, digits and _-/.#' };
const STATE_MACHINE: Rule = {
  pattern: /^[^\s?*<>{}[\]"#%\\^|~`$&,;:/\p{Cc}]*$/u,
  allowed: 'no white space and none of ?*<>{}[]"#%\\^|~`$&,;:/',
};

const LIMITS: readonly Limit[] = [
  { type: 'AWS::CloudWatch::Alarm', property: 'AlarmActions', most: 5 },
  { type: 'AWS::CloudWatch::Alarm', property: 'AlarmDescription', most: 1024 },
  { type: 'AWS::CloudWatch::Alarm', property: 'AlarmName', most: 255 },
  { type: 'AWS::CloudWatch::Dashboard', property: 'DashboardName', most: 255, rule: WORD },
  { type: 'AWS::EC2::SecurityGroup', property: 'GroupDescription', most: 255 },
  { type: 'AWS::Events::Rule', property: 'Description', most: 512 },
  // The default; accounts can have it raised.
  { type: 'AWS::Events::Rule', property: 'EventPattern', most: 2048 },
  { type: 'AWS::Events::Rule', property: 'Name', most: 64, rule: DOTTED },
  { type: 'AWS::Events::Rule', property: 'Targets', most: 5 },
  { type: 'AWS::IAM::ManagedPolicy', property: 'ManagedPolicyName', most: 128, rule: IAM },
  { type: 'AWS::IAM::Policy', property: 'PolicyName', most: 128, rule: IAM },
  { type: 'AWS::IAM::Role', property: 'Description', most: 1000 },
  { type: 'AWS::IAM::Role', property: 'RoleName', most: 64, rule: IAM },
  { type: 'AWS::Lambda::Function', property: 'Description', most: 256 },
  { type: 'AWS::Lambda::Function', property: 'FunctionName', most: 64, rule: WORD },
  { type: 'AWS::Lambda::Function', property: 'MemorySize', least: 128, most: 10_240, unit: 'MB' },
  { type: 'AWS::Lambda::Function', property: 'Timeout', least: 1, most: 900, unit: 'seconds' },
  { type: 'AWS::Lambda::Function', property: 'VpcConfig.SecurityGroupIds', most: 5 },
  {
    type: 'AWS::Lambda::Function',
    property: 'VpcConfig.SubnetIds',
    most: 16,
    remedy: 'write fewer privateSubnetIds into cdk.json',
  },
  { type: 'AWS::Logs::LogGroup', property: 'LogGroupName', most: 512, rule: LOG_GROUP },
  { type: 'AWS::Logs::QueryDefinition', property: 'Name', most: 255 },
  { type: 'AWS::Logs::QueryDefinition', property: 'QueryString', most: 10_000 },
  { type: 'AWS::SNS::Topic', property: 'DisplayName', most: 100 },
  { type: 'AWS::SNS::Topic', property: 'TopicName', most: 256, rule: WORD },
  { type: 'AWS::Scheduler::ScheduleGroup', property: 'Name', most: 64, rule: DOTTED },
  { type: 'AWS::StepFunctions::StateMachine', property: 'DefinitionString', most: 1_048_576, unit: 'bytes' },
  { type: 'AWS::StepFunctions::StateMachine', property: 'StateMachineName', most: 80, rule: STATE_MACHINE },
];

/** The faults of a resource's properties, each looked at by itself; a property that is not set has no fault. */
export function propertyFaults(resource: Resource): string[] {
  return LIMITS.filter(({ type }) => type === resource.type).flatMap((limit) => {
    const path = limit.property.split('.');
    const value = at(resource.properties, path);
    if (value === undefined) return [];
    return [...sizeFaults(resource, limit, value), ...ruleFaults(resource, limit, at(resource.raw, path))];
  });
}

function sizeFaults(resource: Resource, limit: Limit, value: Properties): string[] {
  const { property, type, remedy, ...quota } = limit;
  const part = property.split('.').at(-1) ?? property;
  const given = measure(value, quota.unit);
  return faultIn({
    ...quota,
    ...given,
    subject: `The ${wordsOf(part)} of the ${nameOf(resource)}`,
    verb: typeof value === 'number' ? 'is' : part.endsWith('s') ? 'have' : 'has',
    owner: ownerOf(type),
    remedy: remedy ?? REMEDIES[given.unit] ?? 'change it',
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  characters: 'shorten it',
  bytes: 'shorten it',
  entries: 'remove some',
};

function measure(value: Properties, unit?: string): { actual: number; unit: string } {
  if (typeof value === 'number') return { actual: value, unit: unit ?? '' };
  if (Array.isArray(value)) return { actual: value.length, unit: 'entries' };
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return unit === 'bytes'
    ? { actual: Buffer.byteLength(text), unit }
    : { actual: [...text].length, unit: 'characters' };
}

/** A name that CloudFormation puts together has the letters of its parts, and is not looked at. */
function ruleFaults(resource: Resource, { type, rule }: Limit, value: unknown): string[] {
  if (rule === undefined || typeof value !== 'string' || rule.pattern.test(value)) return [];
  const name = JSON.stringify(value);
  return [
    `The name of the ${nameOf(resource)} is ${name}; ${ownerOf(type)} allows ${rule.allowed}: write another name.`,
  ];
}

/** Namespace of a type → the service as AWS calls it, where the two differ. */
const OWNERS: Readonly<Record<string, string>> = {
  StepFunctions: 'Step Functions',
  Logs: 'CloudWatch Logs',
  Events: 'EventBridge',
  Scheduler: 'EventBridge Scheduler',
};

function ownerOf(type: string): string {
  const namespace = type.split('::')[1] ?? type;
  return OWNERS[namespace] ?? namespace;
}

function at(value: Properties, path: readonly string[]): Properties {
  return path.reduce((inner, key) => inner?.[key], value);
}
