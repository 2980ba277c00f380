// Everything that the checks share: the configuration, the clients of AWS, and answers that several checks use.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { type Description, describe } from '../../../lambda/aws/instance.ts';
import type { Settings } from '../../../lib/config.ts';
import { type NetworkDescription, readNetwork } from './read-network.ts';

export type DatabaseSettings = Settings['databases'][string];

/** The clients, which share one region and one set of credentials: those of the shell. */
export function makeClients() {
  const sts = new STSClient({});
  const { region, credentials } = sts.config;
  const shared = { region, credentials };
  return {
    sts,
    cloudFormation: new CloudFormationClient(shared),
    ec2: new EC2Client(shared),
    kms: new KMSClient(shared),
    lambda: new LambdaClient(shared),
    rds: new RDSClient(shared),
    secrets: new SecretsManagerClient(shared),
    machines: new SFNClient(shared),
    topics: new SNSClient(shared),
    ssm: new SSMClient(shared),
  };
}

export type Clients = ReturnType<typeof makeClients>;

/** The account that the credentials of the shell are for. */
export interface Caller {
  readonly account: string;
  readonly region: string;
  /** The ARN of the user or role. */
  readonly arn: string;
}

export interface Environment {
  readonly clients: Clients;
  readonly caller: Caller;
  readonly settings: Settings;
  /** Whether a database logs in with a secret, which the functions read. */
  readonly readsSecrets: boolean;
  /** Asked once; rejects with the error of the SDK. */
  network(): Promise<NetworkDescription>;
  /** Asked once for each identifier; throws what {@link describe} throws. */
  server(identifier: string): Promise<Description>;
}

export function makeEnvironment(clients: Clients, caller: Caller, settings: Settings): Environment {
  const network = remembered((_: 'once') => readNetwork(clients.ec2, settings.vpc));
  return {
    clients,
    caller,
    settings,
    readsSecrets: Object.values(settings.databases).some(({ secretArn }) => secretArn !== undefined),
    network: () => network('once'),
    server: remembered(describe),
  };
}

function remembered<Key, Value>(read: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const answers = new Map<Key, Promise<Value>>();
  return (key) => {
    const answer = answers.get(key) ?? read(key);
    answers.set(key, answer);
    return answer;
  };
}
