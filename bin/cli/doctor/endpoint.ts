// Whether the functions will reach Secrets Manager from their subnets.

import { BlockList, isIPv4 } from 'node:net';
import {
  DescribeSecurityGroupsCommand,
  DescribeVpcEndpointServicesCommand,
  DescribeVpcEndpointsCommand,
  type IpPermission,
  type VpcEndpoint,
} from '@aws-sdk/client-ec2';
import type { Environment } from './environment.ts';
import { bad, type Finding, good, goodUnless, warning } from './finding.ts';
import type { SubnetDescription } from './read-network.ts';

/** EC2's default quota for a VPC, which AWS raises on request. */
const USUAL_MOST_ENDPOINTS = 50;

export async function checkEndpoint(environment: Environment): Promise<Finding[]> {
  const { clients, settings } = environment;
  const { vpcId, secretsManagerEndpoint } = settings.vpc;
  if (!environment.readsSecrets) return [good('Not needed: every database logs in by IAM')];
  const inVpc = { Filters: [{ Name: 'vpc-id', Values: [vpcId] }] };
  const { VpcEndpoints = [] } = await clients.ec2.send(new DescribeVpcEndpointsCommand(inVpc));
  const { subnets } = await environment.network();
  // The check of the network says why.
  if (subnets.length === 0) return [];
  const shared = VpcEndpoints.find(
    ({ ServiceName, PrivateDnsEnabled, State }) =>
      ServiceName?.endsWith('.secretsmanager') && PrivateDnsEnabled && State?.toLowerCase() === 'available',
  );
  if (secretsManagerEndpoint) return checkNewEndpoint(environment, subnets, VpcEndpoints, shared);
  return shared ? checkAdmission(environment, subnets, shared) : checkWayOut(subnets);
}

/** The stack will make an endpoint. */
async function checkNewEndpoint(
  { clients, caller, settings }: Environment,
  subnets: readonly SubnetDescription[],
  all: readonly VpcEndpoint[],
  shared: VpcEndpoint | undefined,
): Promise<Finding[]> {
  const { ServiceDetails = [] } = await clients.ec2.send(
    new DescribeVpcEndpointServicesCommand({
      Filters: [
        {
          Name: 'service-name',
          // In China it has the second name.
          Values: ['', 'cn.'].map((prefix) => `${prefix}com.amazonaws.${caller.region}.secretsmanager`),
        },
      ],
    }),
  );
  const offered = ServiceDetails.flatMap(({ AvailabilityZones = [] }) => AvailabilityZones);
  const zones = [...new Set(subnets.map(({ zone }) => zone))];
  const faults = zones
    .filter((zone) => !offered.includes(zone))
    .map((zone) =>
      bad(
        `AWS offers no endpoint for Secrets Manager in ${zone}`,
        'Name subnets in other zones, or write "secretsManagerEndpoint": false and give them a way to Secrets Manager.',
      ),
    );
  const count = all.filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface').length;
  if (count >= USUAL_MOST_ENDPOINTS) {
    const hint = 'Ask Service Quotas for more interface endpoints for each VPC, unless you have done that.';
    faults.push(warning(`${settings.vpc.vpcId} has ${count} interface endpoints, the usual quota`, hint));
  }
  if (shared) {
    const message = `${shared.VpcEndpointId} gives the whole VPC a way to Secrets Manager already`;
    faults.push(
      warning(message, 'Write "secretsManagerEndpoint": false, and you do not pay for a second one.'),
    );
  }
  return goodUnless(faults, `The stack can make its endpoint for Secrets Manager in ${zones.join(', ')}`);
}

/** The functions will use an endpoint with private names: it takes over the service's name, so that no other way is left. */
async function checkAdmission(
  { clients }: Environment,
  subnets: readonly SubnetDescription[],
  { VpcEndpointId, Groups = [] }: VpcEndpoint,
): Promise<Finding[]> {
  const ids = Groups.flatMap(({ GroupId }) => GroupId ?? []);
  const { SecurityGroups = [] } = await clients.ec2.send(
    new DescribeSecurityGroupsCommand({ Filters: [{ Name: 'group-id', Values: ids }] }),
  );
  const rules = SecurityGroups.flatMap(({ IpPermissions = [] }) => IpPermissions).filter(isForHttps);
  const refused = subnets.filter(({ cidr }) => !rules.some((rule) => admits(rule, cidr)));
  if (refused.length > 0 && rules.some(({ UserIdGroupPairs = [] }) => UserIdGroupPairs.length > 0)) {
    return [
      warning(
        `${VpcEndpointId} lets only some security groups in`,
        'After the deployment, let the security group of the functions in, too.',
      ),
    ];
  }
  return goodUnless(
    refused.map(({ id, cidr }) =>
      bad(
        `${VpcEndpointId} does not let ${id} in`,
        `Run: aws ec2 authorize-security-group-ingress --group-id ${ids[0]} --protocol tcp --port 443 --cidr ${cidr}`,
      ),
    ),
    `The functions reach Secrets Manager through ${VpcEndpointId}`,
  );
}

function isForHttps({ IpProtocol, FromPort = 0, ToPort = 65_535 }: IpPermission): boolean {
  return IpProtocol === '-1' || (IpProtocol === 'tcp' && FromPort <= 443 && 443 <= ToPort);
}

/** Whether a rule lets every address of the subnet in. */
function admits({ IpRanges = [] }: IpPermission, cidr: string): boolean {
  const [address = '', length = ''] = cidr.split('/');
  return IpRanges.some(({ CidrIp = '' }) => {
    const [from = '', prefix = ''] = CidrIp.split('/');
    if (!isIPv4(from) || Number(prefix) > Number(length)) return false;
    const range = new BlockList();
    range.addSubnet(from, Number(prefix));
    return range.check(address);
  });
}

/** The functions will use a NAT or transit gateway. */
function checkWayOut(subnets: readonly SubnetDescription[]): Finding[] {
  return goodUnless(
    subnets
      .filter(({ wayOut }) => wayOut !== 'other')
      .map(({ id }) =>
        bad(
          `${id} has no way to Secrets Manager: neither an endpoint with private names, nor a NAT or transit gateway`,
          'Write "secretsManagerEndpoint": true, or add one of them.',
        ),
      ),
    'The functions reach Secrets Manager through the gateway of their subnets',
  );
}
