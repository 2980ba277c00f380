// Faults of the servers in RDS.
import { alter, bad, type Case, warned } from './case.ts';
import { GROUP, VPC } from './healthy.ts';

const SERVER = 'server of codebase_mcp';
const CLUSTER = 'server of socrates_auth';
export const SERVER_CASES: readonly Case[] = [
  bad(
    CLUSTER,
    'a server that does not exist',
    'RDS knows no instance and no cluster "socrates"',
    'Correct "identifier"',
    ({ aws }) => {
      aws.instances.delete('socrates');
    },
  ),
  bad(
    CLUSTER,
    'a read replica',
    '"socrates" is a read replica of "primary": a migration cannot run there',
    'Deploy for "primary"',
    (given) => alter(given, 'socrates', {}, { replicaOf: 'primary' }),
  ),
  bad(CLUSTER, 'another engine', '"socrates" runs mysql, not PostgreSQL', 'engine postgres', (given) =>
    alter(given, 'socrates', { Engine: 'mysql' }),
  ),
  bad(
    CLUSTER,
    'a member of a cluster',
    'socrates-instance-1 is a member of the cluster socrates',
    '"identifier": "socrates"',
    ({ configuration }) => {
      configuration.databases.socrates_auth.identifier = 'socrates-instance-1';
    },
  ),
  bad(SERVER, 'a server that is too old', 'codebase-mcp runs PostgreSQL 13.9', 'PostgreSQL 14', (given) =>
    alter(given, 'codebase-mcp', { EngineVersion: '13.9' }),
  ),
  warned(
    SERVER,
    'a server that is newer than the tests',
    'codebase-mcp runs PostgreSQL 19.1',
    'rehearse',
    (given) => alter(given, 'codebase-mcp', { EngineVersion: '19.1' }),
  ),
  bad(SERVER, 'a stopped server', 'RDS says that codebase-mcp is "stopped"', 'Start it', (given) =>
    alter(given, 'codebase-mcp', {}, { status: 'stopped' }),
  ),
  bad(SERVER, 'a full storage', 'RDS says that codebase-mcp is "storage-full"', 'more storage', (given) =>
    alter(given, 'codebase-mcp', {}, { status: 'storage-full' }),
  ),
  warned(SERVER, 'a server that is busy', 'RDS says that codebase-mcp is "modifying"', 'Wait', (given) =>
    alter(given, 'codebase-mcp', {}, { status: 'modifying' }),
  ),
  bad(SERVER, 'a server in another VPC', `codebase-mcp is in vpc-1, not in ${VPC}`, 'backstop.vpc', (given) =>
    alter(given, 'codebase-mcp', { DBSubnetGroup: { VpcId: 'vpc-1' } }),
  ),
  bad(CLUSTER, 'a cluster in another VPC', `socrates is in vpc-1, not in ${VPC}`, 'backstop.vpc', (given) =>
    alter(given, 'socrates', {}, { memberElements: { DBSubnetGroup: { VpcId: 'vpc-1' } } }),
  ),
  bad(
    SERVER,
    'a security group that is not attached',
    'codebase-mcp does not have the security group sg-1123456789abcdef0',
    GROUP,
    ({ configuration }) => {
      configuration.databases.codebase_mcp.securityGroupId = 'sg-1123456789abcdef0';
    },
  ),
  bad(
    CLUSTER,
    'another port',
    'socrates listens on port 5433, and the functions may reach port 5432',
    '"port": 5433',
    (given) => alter(given, 'socrates', { Port: 5433 }),
  ),
  bad(
    CLUSTER,
    'a login by IAM that is switched off',
    'socrates has no IAM database authentication',
    'Switch it on',
    (given) => alter(given, 'socrates', { IAMDatabaseAuthenticationEnabled: false }),
  ),
  bad(
    CLUSTER,
    'another resource id',
    'socrates has the resource id cluster-SOCRATES, not cluster-OTHER',
    '"resourceId": "cluster-SOCRATES"',
    ({ configuration }) => {
      Object.assign(configuration.databases.socrates_auth.iam ?? {}, { resourceId: 'cluster-OTHER' });
    },
  ),
  warned(
    SERVER,
    'a certificate that expires soon',
    'The certificate of codebase-mcp is valid until 2020-01-01',
    '--ca-certificate-identifier rds-ca-rsa2048-g1',
    (given) => alter(given, 'codebase-mcp', { CertificateDetails: { ValidTill: '2020-01-01T00:00:00Z' } }),
  ),
];
