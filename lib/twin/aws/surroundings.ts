// The part of the local AWS account that only `npx backstop doctor` asks about: the caller, network, keys, limits and stacks.
import type { RouteTable, SecurityGroup, ServiceDetail, Subnet, Vpc, VpcEndpoint } from '@aws-sdk/client-ec2';
import type { KeyMetadata } from '@aws-sdk/client-kms';
import type { GetAccountSettingsResponse } from '@aws-sdk/client-lambda';
import type { DescribeSecretResponse } from '@aws-sdk/client-secrets-manager';

/** The end of an execution, as Step Functions describes it. */
export interface Ending {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  readonly output?: unknown;
}

/** May be changed at any time, as in AWS the world changes under a client. */
export interface Surroundings {
  /** The account and the ARN that STS says of every caller. */
  caller: { account: string; arn: string };
  /** The records of EC2 by their kind, with the names of the SDK. */
  network: {
    Vpcs: Vpc[];
    Subnets: Subnet[];
    RouteTables: RouteTable[];
    VpcEndpoints: VpcEndpoint[];
    SecurityGroups: SecurityGroup[];
    ServiceDetails: ServiceDetail[];
  };
  /** Whether every VPC answers for DNS names. */
  dnsSupport: boolean;
  /** Parameters of Systems Manager, by name. */
  parameters: Record<string, string>;
  /** Keys of KMS, by ARN. */
  keys: Record<string, Partial<KeyMetadata>>;
  /** Descriptions of secrets beside their key, by ARN. */
  secrets: Record<string, Pick<DescribeSecretResponse, 'DeletedDate' | 'RotationEnabled'>>;
  /** Limits of Lambda, and how much of them is used. */
  lambda: Pick<GetAccountSettingsResponse, 'AccountLimit' | 'AccountUsage'>;
  /** Stacks of CloudFormation by name: the status, and the outputs. */
  stacks: Record<string, { status: string; outputs: Record<string, string> }>;
  /** ARNs of the subscriptions of each topic, or `PendingConfirmation`, by the ARN of the topic. */
  subscriptions: Record<string, string[]>;
  /** Runs an execution of the one state machine. Undefined if there is no state machine. */
  machine: ((input: unknown) => Promise<Ending>) | undefined;
}

/** A new account: nothing is in it. */
export function emptySurroundings(account: string): Surroundings {
  return {
    caller: { account, arn: `arn:aws:sts::${account}:assumed-role/Administrator/local` },
    network: {
      Vpcs: [],
      Subnets: [],
      RouteTables: [],
      VpcEndpoints: [],
      SecurityGroups: [],
      ServiceDetails: [],
    },
    dnsSupport: true,
    parameters: {},
    keys: {},
    secrets: {},
    lambda: {
      AccountLimit: { ConcurrentExecutions: 1000, TotalCodeSize: 80_530_636_800 },
      AccountUsage: { TotalCodeSize: 0 },
    },
    stacks: {},
    subscriptions: {},
    machine: undefined,
  };
}
