// The configuration of a deployment: what cdk.json says under `backstop`, checked once, so that nothing after doubts it.
import type { z } from 'zod';
import { ConfigurationError } from '../lambda/migrator/errors.ts';
import { schema } from './config-schema.ts';

/** The network that the database is in. */
export interface VpcProps {
  /** The id of the VPC, e.g. `vpc-0a1b2c3d`. */
  readonly vpcId: string;
  /** The availability zones of the private subnets. */
  readonly availabilityZones: readonly string[];
  /** The subnets in which the functions that speak to the database run: as many for each zone. */
  readonly privateSubnetIds: readonly string[];
  /**
   * Whether the stack makes an interface endpoint for Secrets Manager in the VPC. Write `false` where there is
   * one already, or where a NAT gateway stands in for it.
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
   * The full ARN of the secret with user name and password, its random suffix included. Each database has one of its
   * own; where databases share an instance, it must say `dbname`.
   */
  readonly secretArn: string;
  /** The security group of the instance or cluster; the functions are let in through it. */
  readonly securityGroupId: string;
  /**
   * The port that the security group opens to the functions.
   * @default 5432
   */
  readonly port?: number | undefined;
}

/** What is written in cdk.json, under `context.backstop`. */
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
   * How long a snapshot may take before the execution gives up with SnapshotFailed, in minutes.
   * @default 120
   */
  readonly snapshotTimeoutMinutes?: number | undefined;
}

/** The configuration, checked and complete. */
export type Settings = z.output<typeof schema>;

/**
 * Checks the value of the context key `backstop` and adds the defaults.
 * @throws ConfigurationError naming each key that is wrong, what was received and what to write.
 */
export function parseConfig(props: unknown): Settings {
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
  throw new ConfigurationError({
    message: `The configuration in cdk.json does not fit: ${keys} ${verb} wrong.`,
    detail: faults
      .map(({ key, received }) => `${key} is ${JSON.stringify(received) ?? 'missing'}.`)
      .join(' '),
    hint: faults.map(({ key, write }) => `At ${key}, ${write}.`).join(' '),
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}
