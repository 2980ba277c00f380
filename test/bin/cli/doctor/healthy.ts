// An account in which everything fits a configuration with every setting that doctor checks.
import type { BackstopProps, DatabaseProps, VpcProps } from '../../../../lib/config.ts';
import type { AwsEndpoint } from '../../../../lib/twin/aws/endpoint.ts';

/** Types without `readonly`, so that a test may break one value. */
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Database = Mutable<DatabaseProps> & { iam?: Mutable<NonNullable<DatabaseProps['iam']>> };

export interface Configuration extends Mutable<Omit<BackstopProps, 'vpc' | 'databases' | 'delivery'>> {
  vpc: Mutable<VpcProps>;
  databases: { codebase_mcp: Database; socrates_auth: Database; socrates_specs?: Database };
  delivery?: Mutable<NonNullable<BackstopProps['delivery']>>;
}

const ACCOUNT = '111122223333';
const arn = (service: string, rest: string) => `arn:aws:${service}:eu-central-1:${ACCOUNT}:${rest}`;
export const VPC = 'vpc-0123456789abcdef0';
export const SUBNET_A = 'subnet-0123456789abcdef0';
export const SUBNET_B = 'subnet-0123456789abcdef1';
export const GROUP = 'sg-0123456789abcdef0';
export const ENDPOINT_GROUP = 'sg-0123456789abcdef1';
export const SECRET = arn('secretsmanager', 'secret:codebase-mcp-AbCdEf');
export const KEY = arn('kms', 'key/01234567-89ab-cdef-0123-456789abcdef');
export const SECRET_KEY = arn('kms', 'key/11234567-89ab-cdef-0123-456789abcdef');
const MACHINE = arn('states', 'stateMachine:Backstop');
export const TOPIC = arn('sns', 'Backstop-Topic');
/** The password of the database, which doctor never prints. */
export const PASSWORD = 'sesame-sesame';
export const HOST = 'codebase-mcp.abcdefghijkl.eu-central-1.rds.amazonaws.com';

export function healthyConfiguration(): Configuration {
  return {
    vpc: {
      vpcId: VPC,
      availabilityZones: ['eu-central-1a', 'eu-central-1b'],
      privateSubnetIds: [SUBNET_A, SUBNET_B],
    },
    databases: {
      codebase_mcp: {
        identifier: 'codebase-mcp',
        secretArn: SECRET,
        secretKeyArn: SECRET_KEY,
        securityGroupId: GROUP,
      },
      socrates_auth: {
        identifier: 'socrates',
        iam: { user: 'backstop', resourceId: 'cluster-SOCRATES', databaseName: 'socrates_auth' },
        securityGroupId: GROUP,
      },
    },
    defaultDatabase: 'codebase_mcp',
    kmsKeyArn: KEY,
  };
}

/** Replaces the content of the account. The stack is deployed, and its state machine ends every plan in green. */
export function makeHealthy(aws: AwsEndpoint): void {
  aws.snapshots.clear();
  aws.statuses.clear();
  aws.snapshotQuota = 100;
  aws.secrets.clear();
  aws.secrets.set(
    SECRET,
    JSON.stringify({ username: 'backstop', password: PASSWORD, host: HOST, port: 5432 }),
  );
  aws.secretKeys.set(SECRET, SECRET_KEY);
  aws.instances.clear();
  aws.instances.set('codebase-mcp', {
    kind: 'instance',
    database: 'codebase_mcp',
    status: 'available',
    elements: { ...instance(), DbiResourceId: 'db-CODEBASE' },
  });
  aws.instances.set('socrates', {
    kind: 'cluster',
    database: 'socrates_auth',
    status: 'available',
    elements: {
      EngineVersion: '16.4',
      Endpoint: 'socrates.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
      Port: 5432,
      VpcSecurityGroups: groups(),
      DbClusterResourceId: 'cluster-SOCRATES',
      IAMDatabaseAuthenticationEnabled: true,
    },
    memberElements: instance(),
  });
  const symmetric = () =>
    ({ KeyState: 'Enabled', KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' }) as const;
  aws.surroundings = {
    caller: { account: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Platform/me` },
    network: network(),
    dnsSupport: true,
    parameters: { '/cdk-bootstrap/hnb659fds/version': '30' },
    keys: { [KEY]: symmetric(), [SECRET_KEY]: symmetric() },
    secrets: { [SECRET]: { RotationEnabled: true } },
    lambda: {
      AccountLimit: { UnreservedConcurrentExecutions: 1000, TotalCodeSize: 80_530_636_800 },
      AccountUsage: { TotalCodeSize: 0 },
    },
    stacks: {
      Backstop: { status: 'UPDATE_COMPLETE', outputs: { StateMachineArn: MACHINE, TopicArn: TOPIC } },
    },
    subscriptions: { [TOPIC]: [`${TOPIC}:01234567`] },
    machine: async () => ({ status: 'SUCCEEDED', output: { summary: { message: 'At 005, 002 to run.' } } }),
  };
}

function groups() {
  return { VpcSecurityGroupMembership: [{ VpcSecurityGroupId: GROUP, Status: 'active' }] };
}

function instance() {
  return {
    EngineVersion: '16.4',
    Endpoint: { Address: HOST, Port: 5432 },
    DBSubnetGroup: { VpcId: VPC },
    VpcSecurityGroups: groups(),
    CACertificateIdentifier: 'rds-ca-rsa2048-g1',
    CertificateDetails: { CAIdentifier: 'rds-ca-rsa2048-g1', ValidTill: '2061-05-22T00:00:00Z' },
  };
}

function network(): AwsEndpoint['surroundings']['network'] {
  const subnet = (SubnetId: string, AvailabilityZone: string, CidrBlock: string) => ({
    SubnetId,
    AvailabilityZone,
    CidrBlock,
    VpcId: VPC,
    OwnerId: ACCOUNT,
    AvailableIpAddressCount: 250,
  });
  return {
    Vpcs: [{ VpcId: VPC }],
    Subnets: [
      subnet(SUBNET_A, 'eu-central-1a', '10.0.1.0/24'),
      subnet(SUBNET_B, 'eu-central-1b', '10.0.2.0/24'),
    ],
    RouteTables: [
      {
        VpcId: VPC,
        Associations: [{ Main: true }],
        Routes: [{ DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local' }],
      },
    ],
    VpcEndpoints: [],
    SecurityGroups: [],
    ServiceDetails: [
      {
        ServiceName: 'com.amazonaws.eu-central-1.secretsmanager',
        AvailabilityZones: ['eu-central-1a', 'eu-central-1b'],
      },
    ],
  };
}
