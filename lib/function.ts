// One Lambda function of Backstop: a handler of lambda/, bundled, with its own role and time limit.
import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, type FunctionOptions, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { BUNDLING } from './bundle.ts';
import { LAMBDA, ROOT } from './paths.ts';
import { decryptEnvironment, writeLogs } from './permissions.ts';
import type { FunctionName } from './timeouts.ts';

/** Props that all functions of a stack share. */
export interface SharedProps {
  readonly logGroup: LogGroup;
  /** Function → how long it may take, in seconds. */
  readonly seconds: Readonly<Record<FunctionName, number>>;
  /** Encrypts the environment. Default: a key that AWS owns. */
  readonly key: IKey | undefined;
}

export interface BackstopFunctionProps
  extends Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> {
  readonly shared: SharedProps;
  /** One sentence, shown in the console. */
  readonly description: string;
  /** @default - the code alone */
  readonly bundling?: BundlingOptions;
  readonly environment?: Readonly<Record<string, string>>;
  /** Permissions beyond writing its log. */
  readonly permissions: readonly PolicyStatement[];
}

export class BackstopFunction extends NodejsFunction {
  /** @param name the file in lambda/ that has the handler */
  constructor(scope: Construct, name: FunctionName, props: BackstopFunctionProps) {
    const { shared, bundling = BUNDLING, environment, permissions, ...rest } = props;
    const { logGroup, seconds, key } = shared;
    const id = name.charAt(0).toUpperCase() + name.slice(1);
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    // One by one: CDK moves those beyond IAM's quota for inline policies into managed policies.
    for (const statement of [...writeLogs(logGroup), ...decryptEnvironment(key), ...permissions])
      role.addToPolicy(statement);
    super(scope, id, {
      ...rest,
      bundling,
      entry: join(LAMBDA, `${name}.ts`),
      projectRoot: ROOT,
      depsLockFilePath: join(ROOT, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(seconds[name]),
      logGroup,
      // An execution that is under way still calls the version before a deployment.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
      role,
      ...(key && { environmentEncryption: key }),
      awsSdkConnectionReuse: false,
      environment: { POWERTOOLS_SERVICE_NAME: 'backstop', POWERTOOLS_LOG_LEVEL: 'INFO', ...environment },
    });
  }
}
