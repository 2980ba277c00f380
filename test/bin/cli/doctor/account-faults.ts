// Faults of the account: ARNs, the CDK, limits and keys.
import type { AwsEndpoint, StoredSnapshot } from '../../../../lib/twin/aws/endpoint.ts';
import { bad, type Case, warned } from './case.ts';
import { KEY, VPC } from './healthy.ts';

const OTHER = '444455556666';
function fillSnapshots({ snapshots }: AwsEndpoint, count: number): void {
  for (let n = 0; n < count; n++) snapshots.set(String(n), { kind: 'instance' } as StoredSnapshot);
}

export const ACCOUNT_CASES: readonly Case[] = [
  bad(
    'account',
    'a connection in another account',
    `backstop.delivery.connectionArn is in account ${OTHER}, and the shell is in 111122223333`,
    'AWS_PROFILE',
    ({ configuration }) => {
      const connectionArn = `arn:aws:codeconnections:eu-central-1:${OTHER}:connection/01234567-89ab-cdef-0123-456789abcdef`;
      configuration.delivery = { connectionArn, repository: 'acme/backstop' };
    },
  ),
  bad(
    'account',
    'a connection in another region',
    'backstop.delivery.connectionArn is in us-east-1, and the shell is in eu-central-1',
    'AWS_REGION',
    ({ configuration }) => {
      const connectionArn =
        'arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef';
      configuration.delivery = { connectionArn, repository: 'acme/backstop' };
    },
  ),
  warned(
    'account',
    'a key of another account',
    `backstop.kmsKeyArn is in account ${OTHER}, and the shell is in 111122223333`,
    'shared by its policy',
    ({ aws, configuration }) => {
      configuration.kmsKeyArn = KEY.replace('111122223333', OTHER);
      const { keys } = aws.surroundings;
      Object.assign(keys, { [configuration.kmsKeyArn]: keys[KEY] });
    },
  ),
  bad(
    'CDK',
    'a region without the CDK',
    'The CDK is not set up for account 111122223333 in eu-central-1',
    'npx cdk bootstrap aws://111122223333/eu-central-1',
    ({ aws }) => {
      aws.surroundings.parameters = {};
    },
  ),
  bad(
    'CDK',
    'an old bootstrap',
    "The CDK's bootstrap has version 5, and 6 is needed",
    'npx cdk bootstrap',
    ({ aws }) => {
      aws.surroundings.parameters['/cdk-bootstrap/hnb659fds/version'] = '5';
    },
  ),
  bad(
    'CDK',
    'a bootstrap that cannot look subnets up',
    "The CDK's bootstrap has version 7, and 8 is needed",
    'npx cdk bootstrap',
    ({ aws, configuration }) => {
      configuration.vpc = { vpcId: VPC };
      aws.surroundings.parameters['/cdk-bootstrap/hnb659fds/version'] = '7';
    },
  ),
  bad(
    'Lambda',
    'a small concurrency',
    'Lambda may run 5 functions at once, and 10 are needed',
    'Service Quotas',
    ({ aws }) => {
      aws.surroundings.lambda.AccountLimit = {
        UnreservedConcurrentExecutions: 5,
        TotalCodeSize: 80_530_636_800,
      };
    },
  ),
  bad(
    'Lambda',
    'a full code storage',
    'Lambda has room for 50 MB of code, and 100 MB are needed',
    'Delete old versions',
    ({ aws }) => {
      aws.surroundings.lambda.AccountUsage = { TotalCodeSize: 80_530_636_800 - 50 * 1024 ** 2 };
    },
  ),
  bad(
    'snapshots',
    'a used up quota of snapshots',
    '100 of 100 manual instance snapshots of the account are used',
    'Delete snapshots',
    ({ aws }) => fillSnapshots(aws, 100),
  ),
  warned(
    'snapshots',
    'a quota that keepSnapshots may exceed',
    '95 of 100 manual instance snapshots of the account are used, and Backstop keeps up to 6',
    'keepSnapshots',
    ({ aws }) => fillSnapshots(aws, 95),
  ),
  bad(
    'keys',
    'a disabled key',
    `The key ${KEY} is in state Disabled`,
    `aws kms enable-key --key-id ${KEY}`,
    ({ aws }) => {
      Object.assign(aws.surroundings.keys[KEY] ?? {}, { KeyState: 'Disabled' });
    },
  ),
  bad(
    'keys',
    'a key that signs',
    `The key ${KEY} is of the kind RSA_2048 for SIGN_VERIFY`,
    'symmetric',
    ({ aws }) => {
      Object.assign(aws.surroundings.keys[KEY] ?? {}, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    },
  ),
  bad('keys', 'a key that does not exist', `There is no key ${KEY}`, 'Correct its ARN', ({ aws }) => {
    delete aws.surroundings.keys[KEY];
  }),
];
