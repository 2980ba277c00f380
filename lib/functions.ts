// The Lambda functions: one for each handler in lambda/, with the permissions, the network and the settings it needs.
import { Construct } from 'constructs';
import type { DeployedDatabases } from '../lambda/runtime/environment.ts';
import {
  bundlingWithDatabases,
  bundlingWithMigrations,
  CA_FILE,
  DATABASES_FILE,
  MIGRATIONS_FOLDER,
} from './bundle.ts';
import type { Settings } from './config.ts';
import { BackstopFunction, type BackstopFunctionProps, type SharedProps } from './function.ts';
import { Network } from './network.ts';
import { describeDatabases, joinVpc, logIn, takeSnapshots } from './permissions.ts';
import { ScheduleGroup } from './schedule-group.ts';
import { CONNECT_SECONDS, type FunctionName } from './timeouts.ts';

type Props = Omit<BackstopFunctionProps, 'shared' | 'description'>;

/** The functions that the state machine calls. */
export class Functions extends Construct {
  readonly resolve: BackstopFunction;
  readonly snapshot: BackstopFunction;
  readonly preflight: BackstopFunction;
  readonly migrate: BackstopFunction;
  readonly reconcile: BackstopFunction;
  readonly validate: BackstopFunction;
  readonly schedule: BackstopFunction;
  readonly finalize: BackstopFunction;
  readonly downgrade: BackstopFunction;
  readonly summarize: BackstopFunction;
  /** The group of the schedules that start the state machine; their role needs its permission. */
  readonly schedules: ScheduleGroup;

  /** The subnets of those in the VPC, and the availability zone of each. */
  readonly zones: Readonly<Record<string, string>>;
  /** All functions that the state machine calls. */
  readonly called: readonly BackstopFunction[];

  readonly #shared: SharedProps;

  constructor(scope: Construct, id: string, shared: SharedProps, settings: Settings) {
    super(scope, id);
    this.#shared = shared;

    const databases = deployedDatabases(settings);
    this.resolve = this.#create('resolve', 'Checks the input and finds the server', {
      bundling: bundlingWithDatabases(databases),
      environment: resolveEnvironment(settings),
      permissions: describeDatabases(this, settings.databases),
    });
    this.snapshot = this.#create('snapshot', 'Takes, awaits and prunes snapshots', {
      environment: snapshotEnvironment(settings),
      permissions: takeSnapshots(this, settings.databases),
    });

    this.schedules = new ScheduleGroup(this, 'Schedules');
    this.schedule = this.#create('schedule', 'Schedules the finalize', {
      environment: this.schedules.environment,
      permissions: this.schedules.permissions,
    });
    this.summarize = this.#create('summarize', 'Puts a short summary before the details', {
      permissions: [],
    });

    const { vpc, subnets, securityGroups, environment } = new Network(this, 'Network', settings);
    this.zones = Object.fromEntries(
      subnets.map(({ subnetId, availabilityZone }) => [subnetId, availabilityZone]),
    );
    const inVpc: Props = {
      bundling: bundlingWithMigrations(databases, settings.caBundle),
      environment: { ...databaseEnvironment(settings), ...environment },
      permissions: [...logIn(this, settings.databases), ...joinVpc(this)],
      vpc,
      vpcSubnets: { subnets: [...subnets] },
      securityGroups,
    };
    this.preflight = this.#create('preflight', 'Plans, and checks that the plan can run', inVpc);
    this.migrate = this.#create('migrate', 'Runs the pending revisions in one transaction', inVpc);
    this.reconcile = this.#create(
      'reconcile',
      'Asks the database whether a lost migration was committed',
      inVpc,
    );
    this.validate = this.#create('validate', 'Runs the checks of the revision', inVpc);
    this.finalize = this.#create('finalize', 'Drops what the upgrade retired', inVpc);
    this.downgrade = this.#create('downgrade', 'Takes the revisions back', inVpc);
    this.called = this.node.children.filter((child) => child instanceof BackstopFunction);
  }

  #create(name: FunctionName, description: string, props: Props): BackstopFunction {
    return new BackstopFunction(this, name, { shared: this.#shared, description, ...props });
  }
}

/** Node reads the certificate authorities of the Lambda runtime only if this variable names their file. */
export const CA_VARIABLE = 'NODE_EXTRA_CA_CERTS';

/** The server and the login of every database by its name, as the functions read them from a file. */
export function deployedDatabases({ databases }: Settings): DeployedDatabases {
  return Object.fromEntries(
    Object.entries(databases).map(([name, { identifier, secretArn = '', iam, host }]) => [
      name,
      iam
        ? { identifier, iamUser: iam.user, databaseName: iam.databaseName }
        : { identifier, secretArn, ...(host !== undefined && { host }) },
    ]),
  );
}

function resolveEnvironment(settings: Settings) {
  return {
    BACKSTOP_DATABASES: DATABASES_FILE,
    BACKSTOP_DEFAULT_DATABASE: settings.defaultDatabase,
    BACKSTOP_ALLOW_DRILLS: String(settings.allowDrills),
    BACKSTOP_FINALIZE_AFTER_DAYS: String(settings.finalizeAfterDays),
    BACKSTOP_MAX_LOCK_SECONDS: String(settings.maxLockSeconds),
    BACKSTOP_DRIFT: settings.drift,
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
    BACKSTOP_DATABASES: DATABASES_FILE,
    BACKSTOP_MIGRATIONS: MIGRATIONS_FOLDER,
    BACKSTOP_CONNECT_SECONDS: String(CONNECT_SECONDS),
    BACKSTOP_TRANSACTION_SECONDS: String(settings.transactionSeconds),
    BACKSTOP_LOCK_WAIT_SECONDS: String(settings.lockWaitSeconds),
    ...(settings.caBundle === undefined
      ? { [CA_VARIABLE]: '/var/runtime/ca-cert.pem' }
      : { BACKSTOP_CA_FILE: CA_FILE }),
  };
}
