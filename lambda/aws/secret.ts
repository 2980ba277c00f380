// Credentials from Secrets Manager, read again for each connection; they never leave this process.
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { BackstopError } from '../migrator/model/errors.ts';

/**
 * The two shapes of a database secret: a full connection, as RDS rotation and most people write it, or user
 * name and password only, as a secret that RDS manages itself.
 */
const secretShape = z.object({
  username: z.string().min(1),
  password: z.string().min(1),
  host: z.string().min(1).optional(),
  port: z.coerce.number().int().positive().max(65_535).optional(),
  dbname: z.string().min(1).optional(),
});

export type Credentials = z.output<typeof secretShape>;

const client = new SecretsManagerClient({});

/**
 * @throws ConfigurationError if the secret cannot be read
 * @throws SecretMalformed if the secret lacks a value that a connection needs; the message never repeats the content
 */
export async function readCredentials(arn: string): Promise<Credentials> {
  const { SecretString: text } = await client
    .send(new GetSecretValueCommand({ SecretId: arn }))
    .catch((cause: Error) => {
      throw unreadable(arn, cause);
    });
  const parsed = secretShape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.');
  throw new BackstopError('SecretMalformed', {
    message: field ? `The secret ${arn} has no usable "${field}"` : `The secret ${arn} is not a JSON object`,
    hint: 'Write it as {"username": "…", "password": "…"}, optionally with "host", "port" and "dbname".',
  });
}

/** Without its cause, which would be logged: it quotes the answer, which may contain the password. */
function unreadable(arn: string, cause: Error): BackstopError {
  // The SDK takes name and message as a broken answer has them, of any type.
  const isText = [cause.name, cause.message].every((word: unknown) => typeof word === 'string');
  const isMisunderstood =
    !isText || ('$response' in cause && !(cause instanceof SecretsManagerServiceException));
  return new BackstopError('ConfigurationError', {
    message: `The secret ${arn} could not be read`,
    detail: isMisunderstood ? 'The answer is not one of Secrets Manager.' : `${cause.name}: ${cause.message}`,
    hint: 'Check "secretArn" in the configuration, and that the functions reach Secrets Manager from their subnets.',
  });
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
