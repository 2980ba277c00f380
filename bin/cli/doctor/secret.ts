// Whether the secret of a database can be read, and leads to this database. Its values are never printed.
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { toInstance } from '../../../lambda/aws/instance.ts';
import { type Credentials, readCredentials } from '../../../lambda/aws/secret.ts';
import { isEnding } from '../../../lambda/migrator/model/errors.ts';
import type { Instance } from '../../../lambda/state.ts';
import type { DatabaseSettings, Environment } from './environment.ts';
import { bad, type Finding, goodUnless, notChecked, unlessMissing, warning } from './finding.ts';

/** @param key of the database in the configuration */
export async function checkSecret(
  environment: Environment,
  key: string,
  database: DatabaseSettings & { readonly secretArn: string },
): Promise<Finding[]> {
  const { secretArn, secretKeyArn } = database;
  const name = secretArn.split(':')[6] ?? secretArn;
  const place = `backstop.databases.${key}`;
  const described = await unlessMissing(
    environment.clients.secrets.send(new DescribeSecretCommand({ SecretId: secretArn })),
    /^ResourceNotFoundException$/,
  );
  if (described === undefined) {
    return [bad(`There is no secret ${name}`, `Correct ${place}.secretArn: it is the full ARN.`)];
  }
  if (described.DeletedDate) {
    const hint = `Run: aws secretsmanager restore-secret --secret-id ${secretArn}`;
    return [bad(`The secret ${name} is scheduled for deletion`, hint)];
  }
  const faults = [
    ...(await keyFaults(environment, name, place, described.KmsKeyId, secretKeyArn)),
    ...(await contentFaults(environment, name, place, database)),
  ];
  const rotation = described.RotationEnabled ? 'is rotated' : 'is not rotated';
  return goodUnless(faults, `${name} has a user name and a password, which ${rotation}`);
}

/** The functions may use the configured key alone, or else the key of AWS that every reader may use. */
async function keyFaults(
  { clients }: Environment,
  name: string,
  place: string,
  key: string | undefined,
  configured: string | undefined,
): Promise<Finding[]> {
  const isOfAws = key === undefined || key.endsWith('alias/aws/secretsmanager');
  if (isOfAws && configured === undefined) return [];
  if (isOfAws) {
    const hint = `Remove ${place}.secretKeyArn.`;
    return [warning(`The secret ${name} is encrypted with a key of AWS, not with ${configured}`, hint)];
  }
  if (key === configured) return [];
  // A secret may name its key by an alias or without the account.
  const { KeyMetadata: { Arn: arn = '' } = {} } = await clients.kms.send(
    new DescribeKeyCommand({ KeyId: key }),
  );
  if (arn === configured) return [];
  const instead =
    configured === undefined ? 'which the configuration does not name' : `not with ${configured}`;
  return [
    bad(
      `The secret ${name} is encrypted with ${arn}, ${instead}`,
      `Write "secretKeyArn": "${arn}" at ${place}.`,
    ),
  ];
}

async function contentFaults(
  environment: Environment,
  name: string,
  place: string,
  database: DatabaseSettings & { readonly secretArn: string },
): Promise<Finding[]> {
  let credentials: Credentials;
  try {
    credentials = await readCredentials(database.secretArn);
  } catch (error) {
    if (isEnding(error, 'SecretMalformed')) return [bad(error.summary, error.hint ?? '')];
    return [notChecked(error)];
  }
  const { host, port, dbname } = credentials;
  const faults: Finding[] = [];
  const server = await serverOf(environment, database.identifier);
  const hosts = [server?.host, database.host].filter((each) => each !== undefined);
  if (server && host !== undefined && !hosts.some((each) => each.toLowerCase() === host.toLowerCase())) {
    const hint = `Write ${hosts.join(' or ')} into the secret, or take "host" out of it.`;
    faults.push(bad(`The secret ${name} names another host than ${database.identifier}`, hint));
  }
  if (port !== undefined && port !== database.port) {
    const message = `The secret ${name} names port ${port}, and the functions may reach port ${database.port}`;
    faults.push(bad(message, `Correct "port" in the secret, or write "port": ${port} at ${place}.`));
  }
  const sharing = Object.values(environment.settings.databases).filter(
    ({ identifier }) => identifier.toLowerCase() === database.identifier.toLowerCase(),
  );
  if (dbname === undefined && (sharing.length > 1 || (server && !server.databaseName))) {
    const message = `Neither the secret ${name} nor RDS says which database of ${database.identifier} is meant`;
    faults.push(bad(message, 'Write "dbname" into the secret.'));
  }
  return faults;
}

/** Undefined if the server is not there or could not be asked about: the check of the database says so. */
async function serverOf({ server }: Environment, identifier: string): Promise<Instance | undefined> {
  try {
    return toInstance(identifier, await server(identifier));
  } catch {
    return undefined;
  }
}
