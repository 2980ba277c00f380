// Whether the shell has an account and a region, the configuration is for them, and the CDK is set up there.
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Settings } from '../../../lib/config.ts';
import type { Caller, Clients, Environment } from './environment.ts';
import { bad, type Finding, good, goodUnless, isAnswered, unlessMissing, warning } from './finding.ts';

/** The account and region of the shell, or why there is no use in asking further. */
export async function identify({ sts }: Clients): Promise<Caller | Finding> {
  const region = await sts.config.region().catch(() => undefined);
  if (!region) {
    return bad(
      'The shell names no region of AWS',
      'Run: export AWS_REGION=eu-central-1, or choose a profile that has a region with AWS_PROFILE.',
    );
  }
  try {
    const { Account: account = '', Arn: arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
    return { account, region, arn };
  } catch (error) {
    const { name, message } = error as Error;
    const why = isAnswered(error)
      ? `AWS refuses the credentials of the shell: ${message}`
      : `${name}: ${message}`;
    return bad(why, 'Log in, for example with aws sso login, or choose a profile with AWS_PROFILE.');
  }
}

/** Whether the ARNs of the configuration are of the account and region of the shell. */
export async function checkAccount({ caller, settings }: Environment): Promise<Finding[]> {
  const { account, region, arn } = caller;
  const faults = arnsOf(settings).flatMap(([key, value]): Finding[] => {
    const [, , service = '', otherRegion = '', otherAccount = ''] = value.split(':');
    if (otherRegion !== region) {
      return [bad(`backstop.${key} is in ${otherRegion}, and the shell is in ${region}`, CHOOSE)];
    }
    if (otherAccount === account) return [];
    const message = `backstop.${key} is in account ${otherAccount}, and the shell is in ${account}`;
    // The policy of a key may let other accounts in.
    return [
      service === 'kms'
        ? warning(message, `${CHOOSE} A key may be shared by its policy.`)
        : bad(message, CHOOSE),
    ];
  });
  return [good(`Account ${account} in ${region}, as ${arn}`), ...faults];
}

const CHOOSE =
  'Correct it, or choose the account and region of the configuration with AWS_PROFILE and AWS_REGION.';

function arnsOf({ databases, kmsKeyArn, delivery }: Settings): [key: string, arn: string][] {
  const all: [string, string | undefined][] = [
    ...Object.entries(databases).flatMap(
      ([name, { secretArn, secretKeyArn }]): [string, string | undefined][] => [
        [`databases.${name}.secretArn`, secretArn],
        [`databases.${name}.secretKeyArn`, secretKeyArn],
      ],
    ),
    ['kmsKeyArn', kmsKeyArn],
    ['delivery.connectionArn', delivery?.connectionArn],
  ];
  return all.filter((each): each is [string, string] => each[1] !== undefined);
}

const PARAMETER = '/cdk-bootstrap/hnb659fds/version';
/** A stack needs this version of the bootstrap stack; looking subnets up needs a role that came later. */
export const LEAST_VERSION = { named: 6, lookedUp: 8 };

/** Whether the CDK is set up in the account and region. */
export async function checkBootstrap({ clients, caller, settings }: Environment): Promise<Finding[]> {
  const { account, region } = caller;
  const hint = `Run: npx cdk bootstrap aws://${account}/${region}`;
  const answer = await unlessMissing(
    clients.ssm.send(new GetParameterCommand({ Name: PARAMETER })),
    /^ParameterNotFound$/,
  );
  if (answer === undefined) return [bad(`The CDK is not set up for account ${account} in ${region}`, hint)];
  const version = Number(answer.Parameter?.Value);
  const least = settings.vpc.privateSubnetIds ? LEAST_VERSION.named : LEAST_VERSION.lookedUp;
  return goodUnless(
    version >= least ? [] : [bad(`The CDK's bootstrap has version ${version}, and ${least} is needed`, hint)],
    `The CDK is set up, version ${version}`,
  );
}
