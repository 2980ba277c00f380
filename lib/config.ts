// The configuration of a deployment, from the context key `backstop`. It is checked once, here.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { BackstopError } from '../lambda/migrator/model/errors.ts';
import { schema } from './config-schema.ts';
import { ROOT } from './paths.ts';

/** The network that the database is in. */
export interface VpcProps {
  /** The id of the VPC, e.g. `vpc-0a1b2c3d`. */
  readonly vpcId: string;
  /**
   * The availability zones of the private subnets.
   * @default - looked up in the account, with the credentials of the shell
   */
  readonly availabilityZones?: readonly string[] | undefined;
  /**
   * The subnets in which the functions that speak to the database run: first one for each zone, in the order of the
   * zones, then the second of each, and so on.
   * @default - looked up in the account: all private subnets
   */
  readonly privateSubnetIds?: readonly string[] | undefined;
  /**
   * Whether the stack makes an interface endpoint for Secrets Manager in the VPC. Write `false` if the
   * VPC has an endpoint already, or a NAT gateway.
   * @default true
   */
  readonly secretsManagerEndpoint?: boolean | undefined;
}

/** One PostgreSQL database on RDS or Aurora. */
export interface DatabaseProps {
  /**
   * The identifier of the RDS instance or the Aurora cluster; which of them it is, is found out at run time.
   * Databases may share one.
   */
  readonly identifier: string;
  /**
   * The full ARN of the secret with user name and password, its random suffix included. Each database has its
   * own secret; if databases share an instance, it must contain `dbname`.
   * @default - no secret: `iam` says how to log in
   */
  readonly secretArn?: string | undefined;
  /**
   * The ARN of the KMS key that encrypts the secret, if you manage this key.
   * @default - the key `aws/secretsmanager`, which every reader of the secret may use
   */
  readonly secretKeyArn?: string | undefined;
  /**
   * Logs in with IAM database authentication instead of a secret.
   * @default - the login that the secret says
   */
  readonly iam?: IamLoginProps | undefined;
  /**
   * The host that the functions connect to, if a proxy that keeps sessions is between them and the server: then
   * `securityGroupId` is the proxy's. A secret may name it, too.
   * @default - the endpoint of the instance, or the writer endpoint of the cluster
   */
  readonly host?: string | undefined;
  /** The security group of the instance or cluster; the functions are let in through it. */
  readonly securityGroupId: string;
  /**
   * The port that the security group opens to the functions.
   * @default 5432
   */
  readonly port?: number | undefined;
}

/** IAM database authentication: a login without a password. */
export interface IamLoginProps {
  /** The database user; it has been granted the role `rds_iam`. */
  readonly user: string;
  /** The resource id of the instance (`db-…`) or cluster (`cluster-…`), which RDS shows beside its identifier. */
  readonly resourceId: string;
  /** The name of the database on the server. */
  readonly databaseName: string;
}

/** A pipeline that tests, deploys and runs each pushed commit. */
export interface DeliveryProps {
  /** The ARN of the connection (AWS CodeConnections) through which the repository is read. */
  readonly connectionArn: string;
  /** Owner and name of the repository that holds this project, e.g. `acme/backstop`. */
  readonly repository: string;
  /** @default 'main' */
  readonly branch?: string | undefined;
  /**
   * Whether a person is shown the plan, and asked, before the migration runs.
   * @default true
   */
  readonly approval?: boolean | undefined;
}

/** The configuration in cdk.json, under `context.backstop`, or in the file whose path is there. */
export interface BackstopProps {
  /** The network that the databases are in. */
  readonly vpc: VpcProps;
  /** The databases by name; a name is a key of migrations/databases.json. */
  readonly databases: Readonly<Record<string, DatabaseProps>>;
  /** The name of the database that an execution without `database` in its input is for. */
  readonly defaultDatabase: string;
  /**
   * How many of Backstop's own snapshots of a database are kept; the oldest beyond are deleted.
   * @default 5
   */
  readonly keepSnapshots?: number | undefined;
  /**
   * How many days what an upgrade retired is kept before it is finalized, which a schedule then does. 0 finalizes in
   * the same execution, as soon as its validation has passed. Until it is finalized, a downgrade loses no row.
   * @default 0
   */
  readonly finalizeAfterDays?: number | undefined;
  /**
   * An e-mail address that receives the result of each execution; it has to be confirmed once. Others can subscribe
   * to the topic that the stack creates.
   * @default - no e-mail
   */
  readonly notificationEmail?: string | undefined;
  /**
   * Whether the stack creates alarms, which notify the same topic.
   * @default true
   */
  readonly alarms?: boolean | undefined;
  /**
   * Whether an execution may ask for a drill, which makes a state fail on purpose. Never in production.
   * @default false
   */
  readonly allowDrills?: boolean | undefined;
  /**
   * A PEM file of the authorities that the database's certificate may come from, from the project's root.
   * @default - the authorities that the Lambda runtime brings (they cost some of the cold start)
   */
  readonly caBundle?: string | undefined;
  /**
   * How many days logs are kept; one of the values that CloudWatch Logs allows.
   * @default 90
   */
  readonly logRetentionDays?: number | undefined;
  /**
   * The ARN of your KMS key that encrypts logs, notifications, environments and the data of executions. Its
   * policy has to let the services use it that do so on their own behalf: docs/runbook.md has the statements.
   * @default - keys that AWS owns
   */
  readonly kmsKeyArn?: string | undefined;
  /**
   * How long the transaction of a migration may take, in seconds (FR-031).
   * @default 300
   */
  readonly transactionSeconds?: number | undefined;
  /**
   * How long a migration waits for locks before it gives up with DatabaseBusy, in seconds.
   * @default 60
   */
  readonly lockWaitSeconds?: number | undefined;
  /**
   * How long a table may be locked against readers by an upgrade, as estimated before it starts, in seconds. A longer
   * one is refused with LockTooLong, unless the input of the execution says `maxLock`.
   * @default 5
   */
  readonly maxLockSeconds?: number | undefined;

  /**
   * Whether a schema that somebody has changed since the last run is only said (`warn`), or refused with Drifted
   * (`refuse`), unless the input of the execution says `drift`.
   *
   * @default warn
   */
  readonly drift?: 'warn' | 'refuse' | undefined;
  /**
   * How long a snapshot may take before the execution gives up with SnapshotFailed, in minutes.
   * @default 120
   */
  readonly snapshotTimeoutMinutes?: number | undefined;
  /**
   * The pipeline that starts the state machine, in a separate stack.
   * @default - none: executions are started by hand, or by a pipeline that you have
   */
  readonly delivery?: DeliveryProps | undefined;
}

/** The configuration, checked and complete. */
export type Settings = z.output<typeof schema>;

/**
 * Checks the value of the context key `backstop` and adds the defaults.
 * @param given the configuration, or the path of a JSON file with it, from the project's root
 * @throws ConfigurationError naming each wrong key, its value and what to write instead.
 */
export function parseConfig(given: unknown): Settings {
  const props = readProps(given);
  // The interfaces above say what the schema reads: the compiler holds the two together here.
  const parsed = (schema satisfies z.ZodType<unknown, BackstopProps>).safeParse(props);
  if (parsed.success) return parsed.data;

  const faults = parsed.error.issues.flatMap((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
    return unknown.map((key) => {
      const path = [...issue.path, ...(key === undefined ? [] : [key])];
      return { key: ['backstop', ...path].join('.'), received: valueAt(props, path), write: issue.message };
    });
  });
  const [keys, verb] = [faults.map(({ key }) => key).join(', '), faults.length === 1 ? 'is' : 'are'];
  throw new BackstopError('ConfigurationError', {
    message: `The configuration does not fit: ${keys} ${verb} wrong.`,
    detail: faults
      .map(({ key, received }) => `${key} is ${JSON.stringify(received) ?? 'missing'}.`)
      .join(' '),
    hint: faults.map(({ key, write }) => `At ${key}, ${write}.`).join(' '),
  });
}

/**
 * The configuration, not yet checked. It may be in a separate file, so that you can deploy one project to several
 * accounts: `cdk deploy -c backstop=staging.json`.
 * @throws ConfigurationError if the file does not exist or is not JSON
 */
export function readProps(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(readFileSync(resolve(ROOT, given), 'utf8'));
  } catch (cause) {
    throw new BackstopError(
      'ConfigurationError',
      {
        message: 'The configuration file cannot be read: backstop is wrong',
        detail: `backstop is ${JSON.stringify(given)}: ${(cause as Error).message}.`,
        hint: "At backstop, write the configuration itself, or the path of a JSON file with it, from the project's root.",
      },
      { cause },
    );
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}
