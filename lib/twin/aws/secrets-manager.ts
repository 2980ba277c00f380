// The JSON 1.1 protocol of AWS Secrets Manager: GetSecretValue and DescribeSecret.
import { ACCOUNT, AwsFaultError, type LocalAccount, REGION } from './account.ts';

/** Performs one action and returns its answer. */
export function callSecretsManager(
  account: LocalAccount,
  action: string,
  { SecretId }: Readonly<Record<string, string>>,
): object {
  if (action !== 'GetSecretValue' && action !== 'DescribeSecret') {
    throw new AwsFaultError({
      code: 'UnknownOperationException',
      message: `The local twin of AWS has no ${action}.`,
    });
  }
  const key = keyOf(account, SecretId);
  if (key === undefined) {
    throw new AwsFaultError({
      code: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
    });
  }
  const arn = secretArnOf(account, key);
  const { DeletedDate: deleted, ...described } = account.surroundings.secrets[arn] ?? {};
  if (action === 'DescribeSecret') {
    const time = deleted && { DeletedDate: deleted.getTime() / 1000 };
    return { ARN: arn, Name: nameOf(key), KmsKeyId: account.secretKeys.get(arn), ...described, ...time };
  }
  if (deleted) {
    throw new AwsFaultError({
      code: 'InvalidRequestException',
      message: "You can't perform this operation on the secret because it was marked for deletion.",
    });
  }
  return {
    ARN: arn,
    Name: nameOf(key),
    SecretString: account.secrets.get(key),
    VersionStages: ['AWSCURRENT'],
  };
}

/** An ARN ends with the secret's name, a hyphen and six characters that AWS adds. */
function nameOf(secretId: string): string {
  return /^arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.+)-\w{6}$/.exec(secretId)?.[1] ?? secretId;
}

/** The key of a secret in the account; undefined if there is no such secret. */
function keyOf({ secrets }: LocalAccount, secretId = ''): string | undefined {
  return [...secrets.keys()].find((known) => nameOf(known) === nameOf(secretId));
}

/** The ARN by which IAM judges: of the secret, or of a secret with that name. */
export function secretArnOf(account: LocalAccount, secretId: string): string {
  const id = keyOf(account, secretId) ?? secretId;
  return id.startsWith('arn:') ? id : `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}-Local0`;
}
