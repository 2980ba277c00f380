// Whether RDS has the configured server, in the configured network, with the configured login.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type DBInstance, DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { type Description, toInstance } from '../../../lambda/aws/instance.ts';
import { isReady, remedyFor } from '../../../lambda/aws/status.ts';
import { isEnding } from '../../../lambda/migrator/model/errors.ts';
import type { Instance } from '../../../lambda/state.ts';
import { ROOT } from '../../../lib/paths.ts';
import type { DatabaseSettings, Environment } from './environment.ts';
import { bad, type Finding, goodUnless, warning } from './finding.ts';

/** Major versions of PostgreSQL: the engine refuses older ones, and the tests run on no newer ones. */
const VERSIONS = { oldest: 14, newest: 18 };
const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** @param key of the database in the configuration */
export async function checkDatabase(
  environment: Environment,
  key: string,
  database: DatabaseSettings,
): Promise<Finding[]> {
  const { identifier } = database;
  const found = await findServer(environment, identifier);
  if ('outcome' in found) return [found];
  const { description, server } = found;
  const traits = traitsOf(description);
  const faults = [
    ...versionFaults(server),
    ...statusFaults(identifier, traits.status),
    ...memberFaults(identifier, server),
    ...iamFaults(identifier, traits, database.iam),
  ];
  // A proxy is in the network instead, and has its own certificate.
  if (database.host === undefined) {
    const instance = await instanceOf(environment, description);
    faults.push(
      ...networkFaults(environment, key, database, { ...traits, vpcId: instance?.DBSubnetGroup?.VpcId }),
      ...portFaults(server, key, database),
      ...certificateFaults(environment, instance),
    );
  }
  const { kind, host, port, engineVersion } = server;
  return goodUnless(faults, `${kind} ${identifier}, PostgreSQL ${engineVersion}, at ${host}:${port}`);
}

/** The server, or the sentence with which an execution would refuse it. Throws if RDS does not answer. */
async function findServer(
  environment: Environment,
  identifier: string,
): Promise<Finding | { readonly description: Description; readonly server: Instance }> {
  try {
    const description = await environment.server(identifier);
    return { description, server: toInstance(identifier, description) };
  } catch (error) {
    // With a cause, the error says that RDS could not be asked.
    if (!isEnding(error, 'ConfigurationError') || error.cause !== undefined) throw error;
    return bad(error.summary, error.hint ?? '');
  }
}

function traitsOf(description: Description) {
  if (description.kind === 'instance') {
    const { DBInstanceStatus, VpcSecurityGroups, IAMDatabaseAuthenticationEnabled, DbiResourceId } =
      description.instance;
    return {
      status: DBInstanceStatus ?? '',
      groups: VpcSecurityGroups ?? [],
      allowsIam: IAMDatabaseAuthenticationEnabled === true,
      resourceId: DbiResourceId,
    };
  }
  const { Status, VpcSecurityGroups, IAMDatabaseAuthenticationEnabled, DbClusterResourceId } =
    description.cluster;
  return {
    status: Status ?? '',
    groups: VpcSecurityGroups ?? [],
    allowsIam: IAMDatabaseAuthenticationEnabled === true,
    resourceId: DbClusterResourceId,
  };
}

type Traits = ReturnType<typeof traitsOf>;

/** The instance, or the writer of the cluster: only instances say their VPC and their certificate. */
async function instanceOf(
  { clients }: Environment,
  description: Description,
): Promise<DBInstance | undefined> {
  if (description.kind === 'instance') return description.instance;
  const { DBClusterMembers = [] } = description.cluster;
  const writer = DBClusterMembers.find(({ IsClusterWriter }) => IsClusterWriter)?.DBInstanceIdentifier;
  const { DBInstances = [] } = await clients.rds.send(
    new DescribeDBInstancesCommand({ DBInstanceIdentifier: writer }),
  );
  return DBInstances[0];
}

function versionFaults({ identifier, engineVersion }: Instance): Finding[] {
  const major = Number.parseInt(engineVersion, 10);
  const message = `${identifier} runs PostgreSQL ${engineVersion}`;
  if (major < VERSIONS.oldest) return [bad(message, `Upgrade it to PostgreSQL ${VERSIONS.oldest} or later.`)];
  if (major <= VERSIONS.newest) return [];
  return [
    warning(message, `Backstop is tested up to PostgreSQL ${VERSIONS.newest}: rehearse on a copy first.`),
  ];
}

function statusFaults(identifier: string, status: string): Finding[] {
  if (isReady(status)) return [];
  const remedy = remedyFor(status);
  const message = `RDS says that ${identifier} is "${status}"`;
  return [
    remedy === undefined ? warning(message, 'Wait until it is available.') : bad(message, `${remedy}.`),
  ];
}

function memberFaults(identifier: string, server: Instance): Finding[] {
  if (server.identifier.toLowerCase() === identifier.toLowerCase()) return [];
  const hint = `Name the cluster instead: "identifier": "${server.identifier}".`;
  return [bad(`${identifier} is a member of the cluster ${server.identifier}`, hint)];
}

function iamFaults(
  identifier: string,
  { allowsIam, resourceId }: Traits,
  iam: DatabaseSettings['iam'],
): Finding[] {
  if (iam === undefined) return [];
  const faults: Finding[] = [];
  if (!allowsIam) {
    faults.push(bad(`${identifier} has no IAM database authentication`, 'Switch it on in RDS.'));
  }
  if (iam.resourceId !== resourceId) {
    const message = `${identifier} has the resource id ${resourceId}, not ${iam.resourceId}`;
    faults.push(bad(message, `Write "resourceId": "${resourceId}".`));
  }
  return faults;
}

function networkFaults(
  { settings }: Environment,
  key: string,
  { identifier, securityGroupId }: DatabaseSettings,
  { groups, vpcId }: Pick<Traits, 'groups'> & { readonly vpcId: string | undefined },
): Finding[] {
  const faults: Finding[] = [];
  if (vpcId !== settings.vpc.vpcId) {
    const message = `${identifier} is in ${vpcId}, not in ${settings.vpc.vpcId}`;
    faults.push(bad(message, 'Correct backstop.vpc: the functions run in the VPC of the databases.'));
  }
  const attached = groups.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId);
  if (!attached.includes(securityGroupId)) {
    const message = `${identifier} does not have the security group ${securityGroupId}`;
    faults.push(
      bad(
        message,
        `Write an attached group at backstop.databases.${key}.securityGroupId: ${attached.join(' or ')}.`,
      ),
    );
  }
  return faults;
}

function portFaults({ identifier, port }: Instance, key: string, database: DatabaseSettings): Finding[] {
  if (port === database.port) return [];
  const message = `${identifier} listens on port ${port}, and the functions may reach port ${database.port}`;
  return [bad(message, `Write "port": ${port} at backstop.databases.${key}.`)];
}

function certificateFaults(
  { caller, settings }: Environment,
  { DBInstanceIdentifier: id, CACertificateIdentifier: authority, CertificateDetails }: DBInstance = {},
): Finding[] {
  const faults: Finding[] = [];
  const { caBundle } = settings;
  // The runtime has every authority of RDS.
  if (authority && caBundle !== undefined && !holdsAuthority(caBundle, authority, caller.region)) {
    faults.push(
      bad(
        `The certificate of ${id} comes from ${authority}, and ${caBundle} does not hold it`,
        'Download global-bundle.pem of RDS again, or remove backstop.caBundle.',
      ),
    );
  }
  const ends = CertificateDetails?.ValidTill;
  if (ends && ends.getTime() < Date.now() + SOON_DAYS * DAY_MS) {
    faults.push(
      warning(
        `The certificate of ${id} is valid until ${ends.toISOString().slice(0, 10)}`,
        `Renew it, which may restart the server: aws rds modify-db-instance --db-instance-identifier ${id} --ca-certificate-identifier ${authority}`,
      ),
    );
  }
  return faults;
}

/** The subject of rds-ca-rsa2048-g1 is `Amazon RDS eu-central-1 Root CA RSA2048 G1`. */
function holdsAuthority(file: string, authority: string, region: string): boolean {
  const certificates = readFileSync(resolve(ROOT, file), 'utf8').match(
    /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g,
  );
  const wanted = [region, ...authority.replace('rds-ca-', '').split('-')];
  return (certificates ?? []).map(readCertificate).some(({ subject, validTo }) => {
    const words = subject.toLowerCase().split(/[\s=]+/);
    return wanted.every((word) => words.includes(word)) && Date.parse(validTo) > Date.now();
  });
}

/** A malformed certificate is of no authority. */
function readCertificate(pem: string): Pick<X509Certificate, 'subject' | 'validTo'> {
  try {
    return new X509Certificate(pem);
  } catch {
    return { subject: '', validTo: '' };
  }
}
