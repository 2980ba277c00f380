// The network of the functions that connect to the database, and the addresses that they may reach.
import { Annotations } from 'aws-cdk-lib';
import {
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';

/** The imported VPC, and one security group for all functions in it: out to the databases and to Secrets Manager only. */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;

  constructor(scope: Construct, id: string, { vpc, databases }: Settings) {
    super(scope, id);
    this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: vpc.vpcId,
      availabilityZones: [...vpc.availabilityZones],
      privateSubnetIds: [...vpc.privateSubnetIds],
    });
    Annotations.of(this.vpc).acknowledgeWarning(
      '@aws-cdk/aws-ec2:noSubnetRouteTableId',
      'No route is added here.',
    );

    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: this.vpc,
      description: 'The functions of Backstop that speak to the database',
      allowAllOutbound: false,
    });
    this.#reachDatabases(databases);
    // With IAM database authentication the function signs its login itself.
    const hasSecret = Object.values(databases).some(({ secretArn }) => secretArn !== undefined);
    if (hasSecret) this.#reachSecretsManager(vpc.secretsManagerEndpoint);
  }

  /** Opens each database's security group to the functions, once for each group and port. */
  #reachDatabases(databases: Settings['databases']): void {
    const doors = new Map(
      Object.values(databases).map(({ securityGroupId, port }) => [
        `${securityGroupId}-${port}`,
        { securityGroupId, port },
      ]),
    );
    for (const [name, { securityGroupId, port }] of doors) {
      SecurityGroup.fromSecurityGroupId(this, name, securityGroupId).connections.allowFrom(
        this.securityGroup,
        Port.tcp(port),
        'Backstop',
      );
    }
  }

  /** Without an endpoint of this stack, the way leads through the VPC's own endpoint or NAT: any address on 443. */
  #reachSecretsManager(endpoint: boolean): void {
    if (!endpoint) {
      this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'Secrets Manager');
      return;
    }
    new InterfaceVpcEndpoint(this, 'SecretsManager', {
      vpc: this.vpc,
      service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      subnets: { subnets: this.vpc.privateSubnets },
      open: false,
    }).connections.allowDefaultPortFrom(this.securityGroup, 'Backstop');
  }
}
