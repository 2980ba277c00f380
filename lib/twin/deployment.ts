// The result of `cdk deploy`, read from the synthesized template: the definition of the state machine and its functions.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { ACCOUNT, REGION } from './aws/account.ts';
import type { Role, Statement } from './aws/iam.ts';
import type { StateMachineDefinition } from './machine/definition.ts';

/** A function as deployed: where its code lies, and how it is configured. */
export interface DeployedFunction {
  /** The name of its construct, e.g. `Migrate`. */
  readonly name: string;
  readonly arn: string;
  /** Folder of the asset: the bundled code and what lies beside it. */
  readonly folder: string;
  /** `<file>.<export>`. */
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly role: Role;
}

export interface Deployment {
  readonly definition: StateMachineDefinition;
  /** By the ARN of their version, as the definition names them. */
  readonly functions: ReadonlyMap<string, DeployedFunction>;
}

interface Resource {
  readonly Type: string;
  // The properties of CloudFormation resources are as free as JSON is.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly Properties: any;
}

/** Reads the one state machine of a stack and every function it invokes. */
export function readDeployment(assembly: CloudAssembly, stackName: string): Deployment {
  const stack = assembly.getStackByName(stackName);
  const resources: Record<string, Resource> = stack.template.Resources;
  const resolve = (value: unknown) => resolveIntrinsics(value, resources);
  const machines = Object.values(resources).filter(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
  const [machine] = machines;
  if (!machine || machines.length > 1)
    throw new Error(`expected one state machine, found ${machines.length}`);
  const folders = assetFolders(assembly.directory, stackName);
  const functions = Object.entries(resources)
    .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    .map(([id, { Properties: properties }]): DeployedFunction => {
      const hash = String(properties.Code.S3Key).replace(/\.zip$/, '');
      return {
        // A logical id is the construct's path, and eight digits that make it unique.
        name: id.replace(/^(Functions|Operations)|[0-9A-F]{8}$/g, ''),
        arn: `${functionArn(id)}:1`,
        folder: folders.get(hash) ?? '',
        handler: properties.Handler,
        environment: shortened(resolve(properties.Environment?.Variables ?? {}) as Record<string, string>),
        timeoutSeconds: properties.Timeout,
        memoryMb: properties.MemorySize,
        role: readRole(String(properties.Role['Fn::GetAtt'][0]), resources),
      };
    });
  return {
    definition: JSON.parse(String(resolve(machine.Properties.DefinitionString))),
    functions: new Map(functions.map((deployed) => [deployed.arn, deployed])),
  };
}

const POLICIES = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'];

/** A database that cannot be reached here will not be in a minute either. */
function shortened(environment: Record<string, string>): Record<string, string> {
  return 'BACKSTOP_CONNECT_SECONDS' in environment
    ? { ...environment, BACKSTOP_CONNECT_SECONDS: '2' }
    : environment;
}

/** A role with the statements of its inline policies and of the policies that are attached to it. */
function readRole(id: string, resources: Readonly<Record<string, Resource>>): Role {
  const own = resources[id]?.Properties.Policies ?? [];
  const attached = Object.values(resources).filter(
    ({ Type, Properties }) =>
      POLICIES.includes(Type) && Properties.Roles?.some(({ Ref }: { Ref?: string }) => Ref === id),
  );
  const policies = [...own, ...attached.map(({ Properties }) => Properties)];
  const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  return { name: id, statements: resolveIntrinsics(statements, resources) as Statement[] };
}

/** Asset hash → folder, as the asset manifest has it. */
function assetFolders(directory: string, stackName: string): Map<string, string> {
  const manifest = JSON.parse(readFileSync(join(directory, `${stackName}.assets.json`), 'utf8'));
  const files: [string, { source: { path: string } }][] = Object.entries(manifest.files);
  return new Map(files.map(([hash, { source }]) => [hash, join(directory, source.path)]));
}

function functionArn(logicalId: string): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${logicalId}`;
}

function roleArn(logicalId: string): string {
  return `arn:aws:iam::${ACCOUNT}:role/${logicalId}`;
}

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Does what CloudFormation would do with Ref, Fn::GetAtt and Fn::Join, as far as definition and environments use them. */
function resolveIntrinsics(value: unknown, resources: Readonly<Record<string, Resource>>): unknown {
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
]);

function resolveJoin(argument: unknown, resources: Readonly<Record<string, Resource>>): string {
  const [separator, parts] = argument as [string, unknown[]];
  return parts.map((part) => resolveIntrinsics(part, resources)).join(separator);
}

function resolveSelect(argument: unknown, resources: Readonly<Record<string, Resource>>): unknown {
  const [index, list] = argument as [number, unknown];
  return (resolveIntrinsics(list, resources) as unknown[])[index];
}

function resolveSplit(argument: unknown, resources: Readonly<Record<string, Resource>>): string[] {
  const [separator, text] = argument as [string, unknown];
  return String(resolveIntrinsics(text, resources)).split(separator);
}

function resolveAttribute(
  argument: unknown,
  resources: Readonly<Record<string, Resource>>,
): string | string[] {
  const [id, attribute] = argument as [string, string];
  if (attribute === 'Arn' && resources[id]?.Type === 'AWS::Lambda::Function') return functionArn(id);
  if (attribute === 'Arn' && resources[id]?.Type === 'AWS::IAM::Role') return roleArn(id);
  if (attribute === 'DnsEntries') return [`Z0123456789:${id.toLowerCase()}.vpce.amazonaws.com`];
  return `${id}.${attribute}`;
}

function resolveReference(argument: unknown, resources: Readonly<Record<string, Resource>>): unknown {
  const id = argument as string;
  const { Type, Properties } = resources[id] ?? {};
  if (Type === 'AWS::Lambda::Version') return `${functionArn(Properties.FunctionName.Ref)}:1`;
  return PSEUDO_PARAMETERS[id] ?? argument;
}
