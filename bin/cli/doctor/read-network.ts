// The configured VPC and the subnets of the functions, as EC2 describes them.
import {
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type Route,
  type RouteTable,
  type Subnet,
} from '@aws-sdk/client-ec2';
import type { Settings } from '../../../lib/config.ts';

export interface SubnetDescription {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly owner: string;
  /** Its IPv4 addresses, e.g. `10.0.1.0/24`. */
  readonly cidr: string;
  readonly freeAddresses: number;
  /** The target of its route to the internet: a gateway that gives private addresses no way, another one, or nothing. */
  readonly wayOut: 'internet gateway' | 'other' | 'none';
}

export interface NetworkDescription {
  /** Whether the VPC exists; without it there are no subnets either. */
  readonly exists: boolean;
  readonly dnsSupport: boolean;
  /** The configured subnets that exist, in any order. Without configured ones, the subnets that the deployment will choose. */
  readonly subnets: readonly SubnetDescription[];
}

/** Rejects with the error of the SDK. */
export async function readNetwork(
  ec2: EC2Client,
  { vpcId, privateSubnetIds }: Settings['vpc'],
): Promise<NetworkDescription> {
  const inVpc = { Filters: [{ Name: 'vpc-id', Values: [vpcId] }] };
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand(inVpc));
  if (Vpcs.length === 0) return { exists: false, dnsSupport: false, subnets: [] };
  const named = privateSubnetIds && { Filters: [{ Name: 'subnet-id', Values: [...privateSubnetIds] }] };
  const [dns, { Subnets = [] }, { RouteTables = [] }] = await Promise.all([
    ec2.send(new DescribeVpcAttributeCommand({ VpcId: vpcId, Attribute: 'enableDnsSupport' })),
    ec2.send(new DescribeSubnetsCommand(named ?? inVpc)),
    ec2.send(new DescribeRouteTablesCommand(inVpc)),
  ]);
  const subnets = Subnets.map((subnet) => describeSubnet(subnet, RouteTables));
  return {
    exists: true,
    dnsSupport: dns.EnableDnsSupport?.Value === true,
    subnets: named ? subnets : chosen(subnets),
  };
}

/** As the CDK looks them up: the private subnets with a way out, or else those without. */
function chosen(subnets: readonly SubnetDescription[]): SubnetDescription[] {
  const withWay = subnets.filter(({ wayOut }) => wayOut === 'other');
  return withWay.length > 0 ? withWay : subnets.filter(({ wayOut }) => wayOut === 'none');
}

function describeSubnet(subnet: Subnet, tables: readonly RouteTable[]): SubnetDescription {
  const associated = (isIts: (association: { SubnetId?: string; Main?: boolean }) => boolean) =>
    tables.find(({ Associations = [] }) => Associations.some((each) => isIts(each as { SubnetId?: string })));
  // A subnet without its own table has the main one of the VPC.
  const table =
    associated(({ SubnetId }) => SubnetId === subnet.SubnetId) ?? associated(({ Main }) => Main === true);
  return {
    id: subnet.SubnetId ?? '',
    vpcId: subnet.VpcId ?? '',
    zone: subnet.AvailabilityZone ?? '',
    owner: subnet.OwnerId ?? '',
    cidr: subnet.CidrBlock ?? '',
    freeAddresses: subnet.AvailableIpAddressCount ?? 0,
    wayOut: wayOutOf(table?.Routes ?? []),
  };
}

function wayOutOf(routes: readonly Route[]): SubnetDescription['wayOut'] {
  const route = routes.find(
    ({ DestinationCidrBlock, State }) => DestinationCidrBlock === '0.0.0.0/0' && State !== 'blackhole',
  );
  if (route === undefined) return 'none';
  return route.GatewayId?.startsWith('igw-') ? 'internet gateway' : 'other';
}
