// The schema of a configuration. The message for each wrong value says what to write instead.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { DRIFT } from '../lambda/state.ts';
import { MIGRATIONS, ROOT } from './paths.ts';
import { LAMBDA_LIMIT_SECONDS, runSeconds } from './timeouts.ts';

// RDS allows 100 manual snapshots a region.
const MAX_KEPT_SNAPSHOTS = 99;
// Lambda allows no more for a function.
const MAX_SUBNETS = 16;
// A year is long enough to go back to retired tables.
const MAX_FINALIZE_DAYS = 365;
// Leaves an hour and a half of the execution's four to everything but the snapshot.
const MAX_SNAPSHOT_MINUTES = 150;
const WRITE_LOCK_SECONDS = `write the number of seconds, above 0 and at most ${LAMBDA_LIMIT_SECONDS}`;
const RETENTION_DAYS = Object.values(RetentionDays).filter((days) => typeof days === 'number');

// Each factory takes what to write as the message of every fault in its value.
const text = (pattern: RegExp, write: string) => z.string({ error: write }).regex(pattern, { error: write });
const integer = (minimum: number, maximum: number, what: string) => {
  const error = `write the ${what}, a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
};
const flag = () => z.boolean({ error: 'write true or false' });
const list = (item: z.ZodString, write: string) =>
  z.array(item, { error: write }).min(1, { error: write }).readonly();
const object = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => {
  const keys = Object.keys(shape).join(', ');
  return z
    .strictObject(shape, {
      error: ({ code }) =>
        code === 'unrecognized_keys'
          ? `remove it: the keys are ${keys}`
          : `write an object with the keys ${keys}`,
    })
    .readonly();
};

/** The end of an id that EC2 gives: 8 hexadecimal digits until 2016, 17 since. */
const ec2Id = (prefix: string) => new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`);
const keyArn = () =>
  text(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-)?[0-9a-f-]{32,36}$/,
    'write the full ARN of the key, not of an alias: "arn:aws:kms:eu-central-1:111122223333:key/…"',
  );

const vpc = object({
  vpcId: text(ec2Id('vpc'), 'write the id of the VPC, e.g. "vpc-0a1b2c3d"'),
  availabilityZones: list(
    text(/^[a-z]{2}(-[a-z0-9]+)+[a-z]$/, 'write the name of an availability zone, e.g. "eu-central-1a"'),
    'write the zones of the private subnets, e.g. ["eu-central-1a", "eu-central-1b"]',
  ).optional(),
  privateSubnetIds: list(
    text(ec2Id('subnet'), 'write the id of a subnet, e.g. "subnet-0a1b2c3d"'),
    'write the ids of the private subnets, e.g. ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]',
  ).optional(),
  secretsManagerEndpoint: flag().default(true),
});

const iam = object({
  user: text(/^[^\s"'\\/]{1,63}$/, 'write the name of the database user that has the role rds_iam'),
  resourceId: text(
    /^(db|cluster)-[A-Z0-9]+$/,
    'write the resource id that RDS shows for the instance or cluster, e.g. "db-ABCDEFGHIJKL01234"',
  ),
  databaseName: text(/^\S{1,63}$/, 'write the name of the database on the server: no secret says it here'),
});

const database = object({
  identifier: text(
    /^[a-zA-Z](?!.*--)(?!.*-$)[a-zA-Z0-9-]{0,62}$/,
    'write the identifier of the RDS instance or Aurora cluster, e.g. "codebase-production"',
  ),
  secretArn: text(
    /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+-[a-zA-Z0-9]{6}$/,
    'write the full ARN of the secret, with the six characters that Secrets Manager adds to its name',
  ).optional(),
  secretKeyArn: keyArn().optional(),
  iam: iam.optional(),
  host: text(
    /^(?!.*\.\.)[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$/,
    'write the host name of the proxy between the functions and the server, e.g. "proxy.shop.internal"',
  ).optional(),
  securityGroupId: text(ec2Id('sg'), 'write the id of the security group, e.g. "sg-0a1b2c3d"'),
  port: integer(1, 65535, 'port').default(5432),
});

const delivery = object({
  connectionArn: text(
    /^arn:aws[a-z-]*:code(star-)?connections:[a-z0-9-]+:\d{12}:connection\/[0-9a-f-]{36}$/,
    'write the ARN of a connection of CodeConnections to the place where the repository is',
  ),
  repository: text(/^[\w.-]+(\/[\w.-]+)+$/, 'write owner and name of the repository, e.g. "acme/backstop"'),
  branch: z
    .string({ error: 'write the name of a branch' })
    .min(1, { error: 'write the name of a branch' })
    .default('main'),
  approval: flag().default(true),
});

export const schema = object({
  vpc,
  databases: z
    .record(z.string(), database, {
      error: 'write an object: the name of each database, and its identifier, secretArn and securityGroupId',
    })
    .readonly(),
  defaultDatabase: z.string({ error: 'write the name of one of the databases' }),
  keepSnapshots: integer(1, MAX_KEPT_SNAPSHOTS, 'number of snapshots').default(5),
  finalizeAfterDays: integer(0, MAX_FINALIZE_DAYS, 'number of days').default(0),
  notificationEmail: text(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'write one e-mail address').optional(),
  alarms: flag().default(true),
  allowDrills: flag().default(false),
  caBundle: z.string({ error: 'write the path of a PEM file, from the root of the project' }).optional(),
  logRetentionDays: z
    .literal(RETENTION_DAYS, { error: `write one of ${RETENTION_DAYS.join(', ')}` })
    .default(RetentionDays.THREE_MONTHS),
  kmsKeyArn: keyArn().optional(),
  transactionSeconds: integer(1, LAMBDA_LIMIT_SECONDS, 'number of seconds').default(300),
  lockWaitSeconds: integer(0, LAMBDA_LIMIT_SECONDS, 'number of seconds').default(60),
  maxLockSeconds: z
    .number({ error: WRITE_LOCK_SECONDS })
    .positive({ error: WRITE_LOCK_SECONDS })
    .max(LAMBDA_LIMIT_SECONDS, { error: WRITE_LOCK_SECONDS })
    .default(5),
  drift: z.enum(DRIFT).default('warn'),
  snapshotTimeoutMinutes: integer(1, MAX_SNAPSHOT_MINUTES, 'number of minutes').default(120),
  delivery: delivery.optional(),
}).superRefine((settings, context) => {
  const wrong: Wrong = (message, ...path) => context.addIssue({ code: 'custom', message, path });
  checkSubnets(settings.vpc, wrong);
  checkNames(settings, wrong);
  for (const [name, database] of Object.entries(settings.databases)) {
    checkLogin(name, database, wrong);
    checkShared(name, database, settings.databases, wrong);
  }
  checkSeconds(settings, wrong);
  checkCertificates(settings.caBundle, wrong);
});

/** Reports a wrong setting: what to write instead, and the path of the setting. */
type Wrong = (message: string, ...path: string[]) => void;
type Database = z.output<typeof database>;

function checkSubnets({ availabilityZones, privateSubnetIds }: z.output<typeof vpc>, wrong: Wrong): void {
  if (!availabilityZones !== !privateSubnetIds) {
    const message = 'write both availabilityZones and privateSubnetIds, or neither: then they are looked up';
    wrong(message, 'vpc', availabilityZones ? 'privateSubnetIds' : 'availabilityZones');
  }
  if (!availabilityZones || !privateSubnetIds) return;
  if (privateSubnetIds.length > MAX_SUBNETS) {
    wrong(`write at most ${MAX_SUBNETS}: a function is in no more`, 'vpc', 'privateSubnetIds');
  }
  if (privateSubnetIds.length % availabilityZones.length === 0) return;
  const message = `write as many subnets for each of the ${availabilityZones.length} zones`;
  wrong(message, 'vpc', 'privateSubnetIds');
}

function checkNames(settings: { databases: object; defaultDatabase: string }, wrong: Wrong): void {
  const known = knownDatabases();
  const names = Object.keys(settings.databases);
  for (const name of names.filter((name) => !known.includes(name))) {
    wrong(`write one of the names in migrations/databases.json: ${known.join(', ')}`, 'databases', name);
  }
  if (names.length === 0) {
    wrong(`write at least one of ${known.join(', ')}`, 'databases');
  } else if (!names.includes(settings.defaultDatabase)) {
    wrong(`write one of the names under databases: ${names.join(', ')}`, 'defaultDatabase');
  }
}

function checkLogin(name: string, { secretArn, secretKeyArn, host, iam }: Database, wrong: Wrong): void {
  if ((secretArn === undefined) === (iam === undefined)) {
    const message = 'write either secretArn, or iam with user, resourceId and databaseName';
    wrong(message, 'databases', name);
  }
  if (secretArn === undefined && secretKeyArn !== undefined) {
    wrong('remove it: there is no secret that this key could encrypt', 'databases', name, 'secretKeyArn');
  }
  if (iam !== undefined && host !== undefined) {
    wrong('remove it: a login by IAM goes to the endpoint itself', 'databases', name, 'host');
  }
}

/** A secret is the login to one database: rotating it changes the password on one server. */
function checkShared(
  name: string,
  { secretArn, iam }: Database,
  databases: Readonly<Record<string, Database>>,
  wrong: Wrong,
): void {
  const find = (isShared: (other: Database) => boolean) =>
    Object.keys(databases).find((other) => isShared(databases[other] as Database)) ?? name;

  const owner = find((other) => secretArn !== undefined && other.secretArn === secretArn);
  if (owner !== name) {
    const message = `write the ARN of another secret: ${owner} uses this one`;
    wrong(message, 'databases', name, 'secretArn');
  }
  const neighbor = find((other) => iam !== undefined && isSame(iam, other.iam));
  if (neighbor !== name) {
    const message = `write another name: this is the database of ${neighbor}`;
    wrong(message, 'databases', name, 'iam', 'databaseName');
  }
}

function checkSeconds(settings: Parameters<typeof runSeconds>[0], wrong: Wrong): void {
  const excess = runSeconds(settings) - LAMBDA_LIMIT_SECONDS;
  if (excess <= 0) return;
  const most = settings.transactionSeconds - excess;
  const message = `write at most ${most}, or lower lockWaitSeconds by ${excess}: a Lambda function ends after ${LAMBDA_LIMIT_SECONDS} s`;
  wrong(message, 'transactionSeconds');
}

function checkCertificates(caBundle: string | undefined, wrong: Wrong): void {
  if (caBundle === undefined || isPem(resolve(ROOT, caBundle))) return;
  wrong('write the path of a PEM file with certificates, from the root of the project', 'caBundle');
}

function isSame(one: z.output<typeof iam>, other: z.output<typeof iam> | undefined): boolean {
  return one.resourceId === other?.resourceId && one.databaseName === other.databaseName;
}

function knownDatabases(): string[] {
  return Object.keys(JSON.parse(readFileSync(join(MIGRATIONS, 'databases.json'), 'utf8')));
}

function isPem(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').includes('-----BEGIN CERTIFICATE-----');
}
