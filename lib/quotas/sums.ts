// Quotas of sums: over the policies of a role, the variables of a function, the rules of a security group, a pipeline.
import { faultIn } from './fault.ts';
import { nameOf, type Properties, type Resource } from './template.ts';

/** Subnet → its availability zone. */
export type Zones = Readonly<Record<string, string>>;

const FEWER_DATABASES = 'configure fewer databases, and deploy the others as another app';

/** The faults of roles and managed policies; IAM does not count white space. */
export function policyFaults(resources: readonly Resource[]): string[] {
  const roles = ofType(resources, 'AWS::IAM::Role').flatMap((role) => roleFaults(role, resources));
  const managed = ofType(resources, 'AWS::IAM::ManagedPolicy').flatMap((policy) =>
    faultIn({
      subject: `The document of the ${nameOf(policy)}`,
      actual: sizeOf(policy.properties.PolicyDocument),
      unit: 'characters',
      most: 6144,
      owner: 'IAM',
      remedy: 'divide it into two policies',
    }),
  );
  return [...roles, ...managed];
}

function roleFaults(role: Resource, resources: readonly Resource[]): string[] {
  const { Policies = [], ManagedPolicyArns = [], AssumeRolePolicyDocument } = role.properties;
  const inline = [...Policies, ...attachedTo(role, resources, 'AWS::IAM::Policy')];
  const managed = [...ManagedPolicyArns, ...attachedTo(role, resources, 'AWS::IAM::ManagedPolicy')];
  return [
    ...faultIn({
      subject: `The inline policies of the ${nameOf(role)}`,
      verb: 'have',
      actual: sum(inline.map(({ PolicyDocument }) => sizeOf(PolicyDocument))),
      unit: 'characters',
      most: 10_240,
      owner: 'IAM',
      remedy: FEWER_DATABASES,
    }),
    ...faultIn({
      subject: `The ${nameOf(role)}`,
      actual: managed.length,
      unit: 'managed policies',
      most: 10,
      owner: 'IAM',
      remedy: 'put their statements into fewer policies',
    }),
    // The default; accounts can have it raised.
    ...faultIn({
      subject: `The trust policy of the ${nameOf(role)}`,
      actual: sizeOf(AssumeRolePolicyDocument),
      unit: 'characters',
      most: 2048,
      owner: 'IAM',
      remedy: 'let fewer principals assume it',
    }),
  ];
}

function attachedTo(role: Resource, resources: readonly Resource[], type: string): Properties[] {
  return ofType(resources, type)
    .filter(({ raw }) => raw.Roles?.some(({ Ref }: Properties) => Ref === role.id))
    .map(({ properties }) => properties);
}

/** Lambda measures all variables together, as JSON: a quotation mark in a value takes two bytes. */
export function environmentFaults(resources: readonly Resource[]): string[] {
  return ofType(resources, 'AWS::Lambda::Function').flatMap((lambda) =>
    faultIn({
      subject: `The environment of the ${nameOf(lambda)}`,
      actual: Buffer.byteLength(JSON.stringify(lambda.properties.Environment?.Variables ?? {})),
      unit: 'bytes as JSON',
      most: 4096,
      owner: 'Lambda',
      remedy: FEWER_DATABASES,
    }),
  );
}

/** Rules that the stack adds to one security group, its own or another's; of those of others, there may be more. */
export function securityGroupFaults(resources: readonly Resource[]): string[] {
  return ['Ingress', 'Egress'].flatMap((direction) => {
    const groups = new Map<string, number>();
    const add = (group: string, rules: number) => groups.set(group, (groups.get(group) ?? 0) + rules);
    for (const { id, raw } of ofType(resources, 'AWS::EC2::SecurityGroup'))
      add(nameOf({ id, type: 'AWS::EC2::SecurityGroup' }), raw[`SecurityGroup${direction}`]?.length ?? 0);
    for (const { raw } of ofType(resources, `AWS::EC2::SecurityGroup${direction}`)) add(groupOf(raw), 1);
    return [...groups].flatMap(([group, actual]) =>
      // The default; accounts can have it raised.
      faultIn({
        subject: `The ${group}`,
        actual,
        unit: `${direction.toLowerCase()} rules`,
        most: 60,
        owner: 'EC2',
        remedy: FEWER_DATABASES,
      }),
    );
  });
}

/** The group that a rule belongs to: one of the stack, or the id of another. */
function groupOf({ GroupId: group }: Properties): string {
  const id = group?.['Fn::GetAtt']?.[0];
  return id === undefined
    ? `security group ${typeof group === 'string' ? group : JSON.stringify(group)}`
    : nameOf({ id, type: 'AWS::EC2::SecurityGroup' });
}

/** An interface endpoint has one subnet in each availability zone; a subnet without a known zone has no fault. */
export function endpointFaults(resources: readonly Resource[], zones: Zones): string[] {
  return ofType(resources, 'AWS::EC2::VPCEndpoint').flatMap((endpoint) => {
    const { SubnetIds = [] }: { SubnetIds?: readonly string[] } = endpoint.properties;
    const known = SubnetIds.filter((subnet) => subnet in zones);
    const subnets = Object.groupBy(known, (subnet) => zones[subnet] as string);
    return Object.entries(subnets).flatMap(([zone, { length = 0 } = []]) =>
      faultIn({
        subject: `The ${nameOf(endpoint)}`,
        actual: length,
        unit: `subnets in ${zone}`,
        most: 1,
        owner: 'EC2',
        remedy: 'write one subnet for each zone into cdk.json, or "secretsManagerEndpoint": false',
      }),
    );
  });
}

export function dashboardFaults(resources: readonly Resource[]): string[] {
  return ofType(resources, 'AWS::CloudWatch::Dashboard').flatMap((dashboard) => {
    const { widgets = [] } = JSON.parse(dashboard.properties.DashboardBody ?? '{}');
    return faultIn({
      subject: `The ${nameOf(dashboard)}`,
      actual: widgets.length,
      unit: 'widgets',
      most: 500,
      owner: 'CloudWatch',
      remedy: 'remove some',
    });
  });
}

interface Action {
  readonly Name: string;
  readonly Configuration?: Readonly<Record<string, unknown>>;
}

/** Each value in the configuration of an action, such as the question of an approval. */
export function pipelineFaults(resources: readonly Resource[]): string[] {
  const actions = ofType(resources, 'AWS::CodePipeline::Pipeline').flatMap(({ properties }): Action[] =>
    properties.Stages.flatMap(({ Actions }: Properties) => Actions),
  );
  return actions.flatMap(({ Name, Configuration = {} }) =>
    Object.entries(Configuration).flatMap(([key, value]) =>
      faultIn({
        subject: `The ${key} of the action ${Name}`,
        actual: String(value).length,
        unit: 'characters',
        most: 1000,
        owner: 'CodePipeline',
        remedy: 'shorten it',
      }),
    ),
  );
}

function ofType(resources: readonly Resource[], wanted: string): Resource[] {
  return resources.filter(({ type }) => type === wanted);
}

/** In characters, without white space. */
function sizeOf(document: unknown): number {
  return JSON.stringify(document ?? '').replace(/\s/g, '').length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
