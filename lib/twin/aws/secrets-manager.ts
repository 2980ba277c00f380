// The JSON 1.1 protocol of AWS Secrets Manager: GetSecretValue.
import { ACCOUNT, AwsFaultError, type LocalAccount, REGION } from './account.ts';

/** Performs one action and returns its answer. */
export function callSecretsManager(
  account: LocalAccount,
  action: string,
  { SecretId }: Readonly<Record<string, string>>,
): object {
  if (action !== 'GetSecretValue') {
    throw new AwsFaultError({
      code: 'UnknownOperationException',
      message: `The local twin of AWS has no ${action}.`,
    });
  }
  const name = nameOf(SecretId ?? '');
  const key = [...account.secrets.keys()].find((known) => nameOf(known) === name);
  if (key === undefined) {
    throw new AwsFaultError({
      code: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
    });
  }
  return {
    ARN: key.startsWith('arn:') ? key : `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-Local0`,
    Name: name,
    SecretString: account.secrets.get(key),
    VersionStages: ['AWSCURRENT'],
  };
}

/** An ARN ends with the secret's name, a hyphen and six characters that AWS adds. */
function nameOf(secretId: string): string {
  return /^arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.+)-\w{6}$/.exec(secretId)?.[1] ?? secretId;
}
