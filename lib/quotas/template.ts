// A CloudFormation template as the quotas read it: each value at its greatest length, each resource by its name.

/** A template, as far as its quotas are checked. */
export interface Template {
  readonly Description?: string;
  readonly Resources?: Readonly<Record<string, RawResource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

interface RawResource {
  readonly Type: string;
  readonly Properties?: object;
}

// The properties of CloudFormation resources are as free as JSON is.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Properties = any;

export interface Resource {
  /** The logical id. */
  readonly id: string;
  readonly type: string;
  /** As in the template. */
  readonly raw: Properties;
  /** Without intrinsic functions: each is replaced by the longest text that it may become. */
  readonly properties: Properties;
}

/** The account's part of a template, as far as it is known before the deployment. */
export interface Place {
  /** The name of the stack, which begins the names that CloudFormation makes up. */
  readonly stack: string;
  /** @default - the longest of the regions that are open to all, in the longest of the partitions */
  readonly region?: string | undefined;
}

/** All resources of a template. */
export function resourcesOf(template: Template, { stack, region }: Place): Resource[] {
  const resources = template.Resources ?? {};
  const context = { resources, stack, region: region ?? REGION, partition: partitionOf(region) };
  return Object.entries(resources).map(([id, { Type, Properties: raw = {} }]) => ({
    id,
    type: Type,
    raw,
    properties: longest(raw, context),
  }));
}

/** E.g. `state machine` and `VPC endpoint`, of `StateMachine` and `VPCEndpoint`. */
export function wordsOf(name: string): string {
  const words = name.split(/(?<=[a-z])(?=[A-Z])|(?=[A-Z][a-z])/);
  return words.map((word) => (/^[A-Z]{2}/.test(word) ? word : word.toLowerCase())).join(' ');
}

/** E.g. `role FunctionsMigrateRole`: the id without the hash that CDK puts behind it. */
export function nameOf({ id, type }: Pick<Resource, 'id' | 'type'>): string {
  return `${wordsOf(type.split('::')[2] ?? type)} ${id.replace(/(?<=.)[0-9A-F]{8}$/, '')}`;
}

interface Context {
  readonly resources: Readonly<Record<string, RawResource>>;
  readonly stack: string;
  readonly region: string;
  readonly partition: string;
}

const ACCOUNT = '111122223333';
/** `ap-northeast-1` is as long. */
const REGION = 'ap-southeast-1';
/** CloudFormation puts a hyphen and as many characters behind a logical id to make a name of it. */
const SUFFIX = 'x'.repeat(12);
/** EC2's ids have 17 digits behind their prefix. */
const EC2_ID = `vpce-${'0'.repeat(17)}`;

/** The longest, if the region is not known or not open to all. */
function partitionOf(region = ''): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return /^[a-z]{2}-[a-z]+-\d$/.test(region) ? 'aws' : 'aws-us-gov';
}

const REFERS_TO_ARN = ['AWS::SNS::Topic', 'AWS::StepFunctions::StateMachine', 'AWS::IAM::ManagedPolicy'];

function longest(value: unknown, context: Context): unknown {
  if (Array.isArray(value)) return value.map((item) => longest(item, context));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[key, argument] = ['', undefined]] = entries;
  if (entries.length === 1 && (key === 'Ref' || key.startsWith('Fn::')))
    return resolve(key, argument, context);
  return Object.fromEntries(entries.map(([name, item]) => [name, longest(item, context)]));
}

function resolve(intrinsic: string, argument: Properties, context: Context): unknown {
  const inner = (value: unknown) => longest(value, context) as Properties;
  switch (intrinsic) {
    case 'Ref':
      return reference(argument, context);
    case 'Fn::GetAtt':
      return attribute([argument].flat().join('.'), context);
    case 'Fn::Join':
      return [inner(argument[1])].flat().join(argument[0]);
    case 'Fn::Split':
      return String(inner(argument[1])).split(argument[0]);
    case 'Fn::Select':
      return inner(argument[1])[argument[0]] ?? unknown(context);
    case 'Fn::If':
      return longer(inner(argument[1]), inner(argument[2]));
    case 'Fn::Sub': {
      const [text, values = {}] = [argument].flat();
      const replace = (_: string, name: string) => {
        if (name in values) return inner(values[name]);
        return name.includes('.') ? attribute(name, context) : reference(name, context);
      };
      return text.replace(/\$\{([^!}]+)\}/g, replace);
    }
    default:
      return unknown(context);
  }
}

function reference(name: string, context: Context): string | undefined {
  const type = context.resources[name]?.Type;
  if (type !== undefined)
    return REFERS_TO_ARN.includes(type) ? arnOf(type, name, context) : made(name, context);
  switch (name) {
    case 'AWS::NoValue':
      return undefined;
    case 'AWS::Partition':
      return context.partition;
    case 'AWS::Region':
      return context.region;
    case 'AWS::AccountId':
      return ACCOUNT;
    case 'AWS::URLSuffix':
      return 'amazonaws.com.cn';
    case 'AWS::StackName':
      return context.stack;
    default:
      return unknown(context);
  }
}

/** @param path e.g. `MigrateRole.Arn` */
function attribute(path: string, context: Context): string {
  const [id = '', name = ''] = path.split('.');
  if (name.endsWith('Arn')) return arnOf(context.resources[id]?.Type ?? '', id, context);
  return name.endsWith('Id') ? EC2_ID : made(id, context);
}

function made(id: string, { stack }: Context): string {
  return `${stack}-${id}-${SUFFIX}`;
}

/** At least as long as the real ARN: that of a log group ends with `:*`, others have no region. */
function arnOf(type: string, id: string, context: Context): string {
  const [, service = '', kind = ''] = type.split('::');
  const resource = `${wordsOf(kind).replaceAll(' ', '-')}:${made(id, context)}:*`;
  return arn(service.toLowerCase(), resource, context);
}

/** For a reference whose value the template does not show: to an output of another stack, a parameter, a mapping. */
function unknown(context: Context): string {
  return arn('states', `stateMachine:${'x'.repeat(80)}`, context);
}

function arn(service: string, resource: string, { partition, region }: Context): string {
  return `arn:${partition}:${service}:${region}:${ACCOUNT}:${resource}`;
}

function longer(one: unknown, other: unknown): unknown {
  const size = (value: unknown) => JSON.stringify(value ?? '').length;
  return size(one) >= size(other) ? one : other;
}
