// What a configuration must look like, with a sentence for each value on what to write instead of a wrong one.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { MIGRATIONS, ROOT } from './paths.ts';
import { LAMBDA_LIMIT_SECONDS, runSeconds } from './timeouts.ts';

// RDS allows 100 manual snapshots a region.
const MAX_KEPT_SNAPSHOTS = 99;
// Leaves an hour and a half of the execution's four to everything but the snapshot.
const MAX_SNAPSHOT_MINUTES = 150;
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

const vpc = object({
  vpcId: text(/^vpc-[0-9a-f]+$/, 'write the id of the VPC, e.g. "vpc-0a1b2c3d"'),
  availabilityZones: list(
    text(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'write the name of an availability zone, e.g. "eu-central-1a"'),
    'write the zones of the private subnets, e.g. ["eu-central-1a", "eu-central-1b"]',
  ),
  privateSubnetIds: list(
    text(/^subnet-[0-9a-f]+$/, 'write the id of a subnet, e.g. "subnet-0a1b2c3d"'),
    'write the ids of the private subnets, e.g. ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]',
  ),
  secretsManagerEndpoint: flag().default(true),
});

const database = object({
  identifier: text(
    /^[a-zA-Z](?!.*--)(?!.*-$)[a-zA-Z0-9-]{0,62}$/,
    'write the identifier of the RDS instance or Aurora cluster, e.g. "codebase-production"',
  ),
  secretArn: text(
    /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+-[a-zA-Z0-9]{6}$/,
    'write the full ARN of the secret, with the six characters that Secrets Manager adds to its name',
  ),
  securityGroupId: text(/^sg-[0-9a-f]+$/, 'write the id of the security group, e.g. "sg-0a1b2c3d"'),
  port: integer(1, 65535, 'port').default(5432),
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
  allowDrills: flag().default(false),
  caBundle: z.string({ error: 'write the path of a PEM file, from the root of the project' }).optional(),
  logRetentionDays: z
    .literal(RETENTION_DAYS, { error: `write one of ${RETENTION_DAYS.join(', ')}` })
    .default(RetentionDays.THREE_MONTHS),
  transactionSeconds: integer(1, LAMBDA_LIMIT_SECONDS, 'number of seconds').default(300),
  lockWaitSeconds: integer(0, LAMBDA_LIMIT_SECONDS, 'number of seconds').default(60),
  snapshotTimeoutMinutes: integer(1, MAX_SNAPSHOT_MINUTES, 'number of minutes').default(120),
}).superRefine((settings, context) => {
  const wrong = (message: string, ...path: string[]) => context.addIssue({ code: 'custom', message, path });
  const { availabilityZones, privateSubnetIds } = settings.vpc;
  if (privateSubnetIds.length % availabilityZones.length !== 0) {
    wrong(
      `write as many subnets for each of the ${availabilityZones.length} zones`,
      'vpc',
      'privateSubnetIds',
    );
  }

  const known = knownDatabases();
  const names = Object.keys(settings.databases);
  if (names.length === 0) wrong(`write at least one of ${known.join(', ')}`, 'databases');
  for (const name of names.filter((name) => !known.includes(name))) {
    wrong(`write one of the names in migrations/databases.json: ${known.join(', ')}`, 'databases', name);
  }
  const databases = Object.entries(settings.databases);
  for (const [name, { secretArn }] of databases) {
    const [owner] = databases.find(([, other]) => other.secretArn === secretArn) ?? [name];
    // A secret is the login to one database, and where it is rotated, it is rotated on one server.
    if (owner !== name) {
      wrong(
        `write the ARN of a secret of its own: this one is that of ${owner}`,
        'databases',
        name,
        'secretArn',
      );
    }
  }
  if (names.length > 0 && !names.includes(settings.defaultDatabase)) {
    wrong(`write one of the names under databases: ${names.join(', ')}`, 'defaultDatabase');
  }

  const excess = runSeconds(settings) - LAMBDA_LIMIT_SECONDS;
  if (excess > 0) {
    const most = settings.transactionSeconds - excess;
    wrong(
      `write at most ${most}, or lower lockWaitSeconds by ${excess}: a Lambda function ends after ${LAMBDA_LIMIT_SECONDS} s`,
      'transactionSeconds',
    );
  }

  const { caBundle } = settings;
  if (caBundle !== undefined && !isPem(resolve(ROOT, caBundle))) {
    wrong('write the path of a PEM file with certificates, from the root of the project', 'caBundle');
  }
});

function knownDatabases(): string[] {
  return Object.keys(JSON.parse(readFileSync(join(MIGRATIONS, 'databases.json'), 'utf8')));
}

function isPem(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').includes('-----BEGIN CERTIFICATE-----');
}
