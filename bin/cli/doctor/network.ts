// Whether the configured VPC and subnets exist, and the functions can run in them.
import type { Environment } from './environment.ts';
import { bad, type Finding, goodUnless, warning } from './finding.ts';
import type { SubnetDescription } from './read-network.ts';

/** A network interface of the functions, and another of the endpoint. */
const LEAST_FREE_ADDRESSES = 2;
/** A quota of Lambda. */
const MOST_SUBNETS = 16;

export async function checkNetwork(environment: Environment): Promise<Finding[]> {
  const { caller, settings } = environment;
  const { vpcId, privateSubnetIds, availabilityZones = [] } = settings.vpc;
  const { exists, dnsSupport, subnets } = await environment.network();
  if (!exists) {
    return [
      bad(
        `${vpcId} does not exist in account ${caller.account}, ${caller.region}`,
        'Correct backstop.vpc.vpcId, or choose the account and region of the VPC.',
      ),
    ];
  }
  const ids = privateSubnetIds ?? subnets.map(({ id }) => id);
  const faults = ids.flatMap((id, index) => {
    const subnet = subnets.find((each) => each.id === id);
    const zone = availabilityZones[index % availabilityZones.length];
    return subnet
      ? subnetFaults(subnet, zone, environment)
      : [bad(`${id} does not exist in this account and region`, 'Correct backstop.vpc.privateSubnetIds.')];
  });
  if (!dnsSupport) {
    const hint = `Run: aws ec2 modify-vpc-attribute --vpc-id ${vpcId} --enable-dns-support`;
    faults.push(bad(`${vpcId} answers no DNS query, so that the functions find no server`, hint));
  }
  if (ids.length === 0) {
    const hint = `Add private subnets to ${vpcId}, or name another VPC.`;
    faults.push(bad(`${vpcId} has no private subnet that the deployment could look up`, hint));
  }
  if (ids.length > MOST_SUBNETS) {
    const hint = 'Name fewer: backstop.vpc.availabilityZones and privateSubnetIds.';
    faults.push(
      bad(`A function is in at most ${MOST_SUBNETS} subnets, and the deployment finds ${ids.length}`, hint),
    );
  }
  const zones = [...new Set(subnets.map(({ zone }) => zone))].sort();
  return goodUnless(faults, `${vpcId}, with ${ids.join(', ')} in ${zones.join(', ')}`);
}

function subnetFaults(
  { id, vpcId, zone, owner, freeAddresses, wayOut }: SubnetDescription,
  configuredZone: string | undefined,
  { settings, caller, readsSecrets }: Environment,
): Finding[] {
  const faults: Finding[] = [];
  if (vpcId !== settings.vpc.vpcId) {
    const hint = 'Correct backstop.vpc.privateSubnetIds, or vpcId.';
    faults.push(bad(`${id} is in ${vpcId}, not in ${settings.vpc.vpcId}`, hint));
  }
  if (configuredZone !== undefined && configuredZone !== zone) {
    const hint =
      'Write first one subnet for each zone, in the order of backstop.vpc.availabilityZones, then the second of each.';
    faults.push(bad(`${id} is in ${zone}, and its place in the configuration is ${configuredZone}`, hint));
  }
  if (freeAddresses < LEAST_FREE_ADDRESSES) {
    const hint = 'Free some, or name a larger subnet.';
    faults.push(
      bad(`${id} has too few free addresses: ${freeAddresses}, and ${LEAST_FREE_ADDRESSES} are needed`, hint),
    );
  }
  if (wayOut === 'internet gateway') {
    const hint = 'Name private subnets: a function has no public address, so that the gateway is of no use.';
    faults.push(warning(`${id} is public`, hint));
  }
  if (owner !== caller.account && readsSecrets && settings.vpc.secretsManagerEndpoint) {
    const hint = `Write "secretsManagerEndpoint": false, and let account ${owner} make an endpoint with private names.`;
    faults.push(bad(`${id} belongs to account ${owner}: this account cannot make an endpoint in it`, hint));
  }
  return faults;
}
