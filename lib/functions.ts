// The Lambda functions: one for each handler in lambda/, with the permissions, the network and the settings it needs.
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { BUNDLING, bundlingWithMigrations, CA_FILE, MIGRATIONS_FOLDER } from './bundle.ts';
import type { Settings } from './config.ts';
import { Network } from './network.ts';
import { LAMBDA, ROOT } from './paths.ts';
import { describeDatabases, joinVpc, readSecrets, takeSnapshots, writeLogs } from './permissions.ts';
import { type FunctionName, functionSeconds } from './timeouts.ts';

interface Surroundings extends Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> {
  readonly bundling: BundlingOptions;
  readonly environment: Readonly<Record<string, string>>;
  readonly permissions: readonly PolicyStatement[];
}

export class Functions extends Construct implements Readonly<Record<FunctionName, NodejsFunction>> {
  readonly resolve: NodejsFunction;
  readonly snapshot: NodejsFunction;
  readonly preflight: NodejsFunction;
  readonly migrate: NodejsFunction;
  readonly reconcile: NodejsFunction;
  readonly validate: NodejsFunction;
  readonly finalize: NodejsFunction;
  readonly downgrade: NodejsFunction;

  readonly #logGroup: LogGroup;
  readonly #seconds: Readonly<Record<FunctionName, number>>;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.#logGroup = new LogGroup(this, 'LogGroup', { retention: settings.logRetentionDays });
    this.#seconds = functionSeconds(settings);

    this.resolve = this.#create('resolve', 'Checks the input and finds the server', {
      bundling: BUNDLING,
      environment: resolveEnvironment(settings),
      permissions: describeDatabases(this, settings.databases),
    });
    this.snapshot = this.#create('snapshot', 'Takes, awaits and prunes snapshots', {
      bundling: BUNDLING,
      environment: snapshotEnvironment(settings),
      permissions: takeSnapshots(this, settings.databases),
    });

    const { vpc, securityGroup } = new Network(this, 'Network', settings);
    const inVpc: Surroundings = {
      bundling: bundlingWithMigrations(settings.caBundle),
      environment: databaseEnvironment(settings),
      permissions: [...readSecrets(settings.databases), ...joinVpc(this)],
      vpc,
      vpcSubnets: { subnets: vpc.privateSubnets },
      securityGroups: [securityGroup],
    };
    this.preflight = this.#create('preflight', 'Plans, and checks that the plan can run', inVpc);
    this.migrate = this.#create('migrate', 'Runs the pending revisions in one transaction', inVpc);
    this.reconcile = this.#create('reconcile', 'Asks the database what became of a lost migration', inVpc);
    this.validate = this.#create('validate', 'Runs the checks of the revision', inVpc);
    this.finalize = this.#create('finalize', 'Drops what the upgrade retired', inVpc);
    this.downgrade = this.#create('downgrade', 'Takes the revisions back', inVpc);
  }

  #create(name: FunctionName, description: string, surroundings: Surroundings): NodejsFunction {
    const { environment, permissions, ...rest } = surroundings;
    const id = name.charAt(0).toUpperCase() + name.slice(1);
    const statements = [...writeLogs(this.#logGroup), ...permissions];
    return new NodejsFunction(this, id, {
      ...rest,
      description,
      entry: join(LAMBDA, `${name}.ts`),
      projectRoot: ROOT,
      depsLockFilePath: join(ROOT, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(this.#seconds[name]),
      logGroup: this.#logGroup,
      role: new Role(this, `${id}Role`, {
        assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
        inlinePolicies: { [name]: new PolicyDocument({ statements }) },
      }),
      awsSdkConnectionReuse: false,
      environment: { POWERTOOLS_SERVICE_NAME: 'backstop', POWERTOOLS_LOG_LEVEL: 'INFO', ...environment },
    });
  }
}

/** `field` of every database by its name, as the JSON text that a function reads from its environment. */
function byDatabase<T>(
  databases: Settings['databases'],
  field: (database: Settings['databases'][string]) => T,
): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(databases).map(([name, database]) => [name, field(database)])),
  );
}

function resolveEnvironment(settings: Settings) {
  return {
    BACKSTOP_DATABASES: byDatabase(settings.databases, ({ identifier }) => ({ identifier })),
    BACKSTOP_DEFAULT_DATABASE: settings.defaultDatabase,
    BACKSTOP_ALLOW_DRILLS: String(settings.allowDrills),
  };
}

function snapshotEnvironment(settings: Settings) {
  return {
    BACKSTOP_KEEP_SNAPSHOTS: String(settings.keepSnapshots),
    BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: String(settings.snapshotTimeoutMinutes * 60),
  };
}

function databaseEnvironment(settings: Settings): Record<string, string> {
  return {
    BACKSTOP_SECRETS: byDatabase(settings.databases, ({ secretArn }) => secretArn),
    BACKSTOP_MIGRATIONS: MIGRATIONS_FOLDER,
    BACKSTOP_TRANSACTION_SECONDS: String(settings.transactionSeconds),
    BACKSTOP_LOCK_WAIT_SECONDS: String(settings.lockWaitSeconds),
    // Only Node's own variable makes it read the authorities that the Lambda runtime brings.
    ...(settings.caBundle === undefined
      ? { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' }
      : { BACKSTOP_CA_FILE: CA_FILE }),
  };
}
