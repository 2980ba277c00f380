// The result of `cdk deploy`, read from the synthesized template: the definition of the state machine and its functions.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import type { Role, Statement } from './aws/iam.ts';
import { arnOf, type Resources, resolveIntrinsics } from './intrinsics.ts';
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

/** Reads the one state machine of a stack and every function it invokes. */
export function readDeployment(assembly: CloudAssembly, stackName: string): Deployment {
  const stack = assembly.getStackByName(stackName);
  const resources: Resources = stack.template.Resources;
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
        arn: `${arnOf(id, resources)}:1`,
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

/**
 * A role with the statements of its inline policies and of the policies that are attached to it.
 *
 * @param id logical id of the role
 */
export function readRole(id: string, resources: Resources): Role {
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
