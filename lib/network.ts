// The network of the functions that connect to the database, and the addresses that they may reach.
import { Annotations, Fn } from 'aws-cdk-lib';
import {
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';

/** A security group has 60 rules in each direction: one leads to each database's group, and one to Secrets Manager. */
const MOST_DOORS = 50;

/** The place of subnets that are not looked up, or not yet. */
export const PLACEHOLDERS = {
  availabilityZones: ['eu-central-1a'],
  privateSubnetIds: ['subnet-0123456789abcdef0'],
};

interface VpcAttributes {
  readonly vpcId: string;
  readonly availabilityZones: readonly string[];
  readonly privateSubnetIds: readonly string[];
}

/** The imported VPC, and security groups for all functions in it: out to the databases and to Secrets Manager only. */
export class Network extends Construct {
  readonly vpc: IVpc;
  /** The private subnets. */
  readonly subnets: readonly ISubnet[];
  readonly securityGroups: ISecurityGroup[];
  /** For the functions in it: the way to Secrets Manager, if it is not the usual way. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, { vpc, databases }: Settings) {
    super(scope, id);
    this.vpc = this.#importVpc(vpc);
    const { privateSubnets, isolatedSubnets } = this.vpc;
    this.subnets = privateSubnets.length > 0 ? privateSubnets : isolatedSubnets;
    this.securityGroups = this.#reachDatabases(databases);
    // With IAM database authentication the function signs its login itself.
    const hasSecret = Object.values(databases).some(({ secretArn }) => secretArn !== undefined);
    this.environment = hasSecret ? this.#reachSecretsManager(vpc.secretsManagerEndpoint) : {};
  }

  /** Looked up in the account, unless the configuration names its subnets. */
  #importVpc({ vpcId, availabilityZones, privateSubnetIds }: Settings['vpc']): IVpc {
    if (availabilityZones && privateSubnetIds)
      return this.#describeVpc({ vpcId, availabilityZones, privateSubnetIds });
    const found = Vpc.fromLookup(this, 'Lookup', { vpcId });
    // Before the CDK has asked the account it gives another VPC, with ids that CloudFormation's schemas do not allow.
    return found.vpcId === vpcId ? found : this.#describeVpc({ vpcId, ...PLACEHOLDERS });
  }

  #describeVpc({ vpcId, availabilityZones, privateSubnetIds }: VpcAttributes): IVpc {
    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId,
      availabilityZones: [...availabilityZones],
      privateSubnetIds: [...privateSubnetIds],
    });
    Annotations.of(vpc).acknowledgeWarning(
      '@aws-cdk/aws-ec2:noSubnetRouteTableId',
      'No route is added here.',
    );
    return vpc;
  }

  /** Opens each database's security group to the functions, once for each group and port. */
  #reachDatabases(databases: Settings['databases']): ISecurityGroup[] {
    const doors = [
      ...new Map(
        Object.values(databases).map(({ securityGroupId, port }) => [
          `${securityGroupId}-${port}`,
          { securityGroupId, port },
        ]),
      ),
    ];
    const groups = Array.from({ length: Math.ceil(doors.length / MOST_DOORS) }, (_, n) =>
      this.#createSecurityGroup(n === 0 ? '' : String(n + 1)),
    );
    for (const [n, [name, { securityGroupId, port }]] of doors.entries()) {
      SecurityGroup.fromSecurityGroupId(this, name, securityGroupId).connections.allowFrom(
        groups[Math.floor(n / MOST_DOORS)] as ISecurityGroup,
        Port.tcp(port),
        'Backstop',
      );
    }
    return groups;
  }

  #createSecurityGroup(suffix: string): SecurityGroup {
    return new SecurityGroup(this, `SecurityGroup${suffix}`, {
      vpc: this.vpc,
      description: 'The functions of Backstop that speak to the database',
      allowAllOutbound: false,
    });
  }

  /** Without an endpoint of this stack, the way leads through the VPC's own endpoint or NAT: any address on 443. */
  #reachSecretsManager(wanted: boolean): Readonly<Record<string, string>> {
    const [group] = this.securityGroups as [ISecurityGroup];
    if (!wanted) {
      group.connections.allowTo(Peer.anyIpv4(), Port.HTTPS, 'Secrets Manager');
      return {};
    }
    const endpoint = new InterfaceVpcEndpoint(this, 'SecretsManager', {
      vpc: this.vpc,
      service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      subnets: { subnets: this.#oneSubnetAZone() },
      open: false,
      // With private names it would answer for the whole VPC, and it admits only these functions.
      privateDnsEnabled: false,
    });
    endpoint.connections.allowDefaultPortFrom(group, 'Backstop');
    return { AWS_ENDPOINT_URL_SECRETS_MANAGER: `https://${ownName(endpoint)}` };
  }

  /** EC2 takes no second subnet of a zone for an endpoint. */
  #oneSubnetAZone(): ISubnet[] {
    const zones = this.subnets.map(({ availabilityZone }) => availabilityZone);
    return this.subnets.filter((_, n) => zones.indexOf(zones[n] as string) === n);
  }
}

/** The regional name of an endpoint: the first entry, behind the id of its hosted zone. */
function ownName({ vpcEndpointDnsEntries }: InterfaceVpcEndpoint): string {
  return Fn.select(1, Fn.split(':', Fn.select(0, vpcEndpointDnsEntries)));
}
