// Faults of the network, and of the way to Secrets Manager.
import type { AwsEndpoint } from '../../../../lib/twin/aws/endpoint.ts';
import { bad, type Case, type Given, warned } from './case.ts';
import { ENDPOINT_GROUP, GROUP, SUBNET_A, SUBNET_B, VPC } from './healthy.ts';

const OTHER = '444455556666';
const WAY = 'way to Secrets Manager';
type Network = AwsEndpoint['surroundings']['network'];
const firstSubnet = ({ surroundings }: AwsEndpoint) =>
  surroundings.network.Subnets[0] as Network['Subnets'][number];

/** An endpoint with private names, whose security group has this rule. */
export function addEndpoint(
  { aws }: Given,
  rule: NonNullable<Network['SecurityGroups'][number]['IpPermissions']>[number],
): void {
  const { VpcEndpoints, SecurityGroups } = aws.surroundings.network;
  VpcEndpoints.push({
    VpcEndpointId: 'vpce-1',
    VpcId: VPC,
    VpcEndpointType: 'Interface',
    ServiceName: 'com.amazonaws.eu-central-1.secretsmanager',
    State: 'Available',
    PrivateDnsEnabled: true,
    Groups: [{ GroupId: ENDPOINT_GROUP }],
  });
  SecurityGroups.push({ GroupId: ENDPOINT_GROUP, IpPermissions: [rule] });
}

function useOther({ configuration }: Given): void {
  configuration.vpc.secretsManagerEndpoint = false;
}

export const HTTPS = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443 };

export const NETWORK_CASES: readonly Case[] = [
  bad(
    'network',
    'a VPC that does not exist',
    `${VPC} does not exist in account 111122223333, eu-central-1`,
    'backstop.vpc.vpcId',
    ({ aws }) => {
      aws.surroundings.network.Vpcs = [];
    },
  ),
  bad(
    'network',
    'a VPC without DNS',
    `${VPC} answers no DNS query, so that the functions find no server`,
    '--enable-dns-support',
    ({ aws }) => {
      aws.surroundings.dnsSupport = false;
    },
  ),
  bad(
    'network',
    'a subnet that does not exist',
    `${SUBNET_B} does not exist in this account and region`,
    'privateSubnetIds',
    ({ aws }) => {
      aws.surroundings.network.Subnets.pop();
    },
  ),
  bad(
    'network',
    'a subnet of another VPC',
    `${SUBNET_A} is in vpc-1, not in ${VPC}`,
    'privateSubnetIds',
    ({ aws }) => {
      firstSubnet(aws).VpcId = 'vpc-1';
    },
  ),
  bad(
    'network',
    'a full subnet',
    `${SUBNET_A} has too few free addresses: 1, and 2 are needed`,
    'larger subnet',
    ({ aws }) => {
      firstSubnet(aws).AvailableIpAddressCount = 1;
    },
  ),
  warned('network', 'a public subnet', `${SUBNET_A} is public`, 'private subnets', ({ aws }) => {
    aws.surroundings.network.RouteTables.push({
      VpcId: VPC,
      Associations: [{ SubnetId: SUBNET_A }],
      Routes: [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1' }],
    });
  }),
  bad(
    'network',
    'a subnet that another account shares',
    `${SUBNET_A} belongs to account ${OTHER}: this account cannot make an endpoint in it`,
    '"secretsManagerEndpoint": false',
    ({ aws }) => {
      firstSubnet(aws).OwnerId = OTHER;
    },
  ),
  bad(
    'network',
    'a VPC without private subnets',
    `${VPC} has no private subnet that the deployment could look up`,
    'Add private subnets',
    ({ aws, configuration }) => {
      configuration.vpc = { vpcId: VPC };
      aws.surroundings.network.Subnets = [];
    },
  ),
  bad(
    WAY,
    'a zone without the service',
    'AWS offers no endpoint for Secrets Manager in eu-central-1b',
    'other zones',
    ({ aws }) => {
      aws.surroundings.network.ServiceDetails[0]?.AvailabilityZones?.pop();
    },
  ),
  warned(
    WAY,
    'as many endpoints as usual',
    `${VPC} has 50 interface endpoints, the usual quota`,
    'Service Quotas',
    ({ aws }) => {
      const { VpcEndpoints } = aws.surroundings.network;
      for (let n = 0; n < 50; n++) VpcEndpoints.push({ VpcId: VPC, VpcEndpointType: 'Interface' });
    },
  ),
  warned(
    WAY,
    'an endpoint that could be shared',
    'vpce-1 gives the whole VPC a way to Secrets Manager already',
    '"secretsManagerEndpoint": false',
    (given) => addEndpoint(given, { ...HTTPS, IpRanges: [{ CidrIp: '10.0.0.0/16' }] }),
  ),
  bad(
    WAY,
    'a security group that is open to one subnet',
    `vpce-1 does not let ${SUBNET_B} in`,
    `--group-id ${ENDPOINT_GROUP} --protocol tcp --port 443 --cidr 10.0.2.0/24`,
    (given) => {
      useOther(given);
      addEndpoint(given, { ...HTTPS, IpRanges: [{ CidrIp: '10.0.1.0/24' }] });
    },
  ),
  warned(
    WAY,
    'a security group that admits other groups',
    'vpce-1 lets only some security groups in',
    'After the deployment',
    (given) => {
      useOther(given);
      addEndpoint(given, { ...HTTPS, UserIdGroupPairs: [{ GroupId: GROUP }] });
    },
  ),
  bad(
    WAY,
    'a subnet without a gateway',
    `${SUBNET_B} has no way to Secrets Manager: neither an endpoint with private names, nor a NAT or transit gateway`,
    '"secretsManagerEndpoint": true',
    (given) => {
      useOther(given);
      given.aws.surroundings.network.RouteTables.push({
        VpcId: VPC,
        Associations: [{ SubnetId: SUBNET_A }],
        Routes: [{ DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' }],
      });
    },
  ),
];
