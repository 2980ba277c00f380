// The local Secrets Manager, asked by the real SDK.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { REGION } from '../../../lib/twin/aws/account.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../../../lib/twin/aws/endpoint.ts';

const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app/database-AbC123';

let aws: AwsEndpoint;
let secrets: SecretsManagerClient;
const read = (SecretId: string) => secrets.send(new GetSecretValueCommand({ SecretId }));

beforeAll(async () => {
  aws = await startAwsEndpoint();
  secrets = new SecretsManagerClient({
    endpoint: aws.url,
    region: REGION,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  secrets.destroy();
  await aws.stop();
});

test.each([
  ['its ARN', ARN, ARN],
  ['its name, kept by ARN', ARN, 'app/database'],
  ['its ARN, kept by name', 'app/database', ARN],
])('a secret is read by %s', async (_how, kept, asked) => {
  aws.secrets.clear();
  aws.secrets.set(kept, '{"username":"me"}');
  expect(await read(asked)).toMatchObject({ Name: 'app/database', SecretString: '{"username":"me"}' });
});

test('a rotated secret is read again', async () => {
  aws.secrets.set('rotating', 'old');
  await read('rotating');
  aws.secrets.set('rotating', 'new');
  expect((await read('rotating')).SecretString).toBe('new');
});

test('a secret that does not exist is not found', async () => {
  await expect(read('none')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('access can be denied', async () => {
  aws.onRequest = () => ({
    code: 'AccessDeniedException',
    message: 'not authorized to perform GetSecretValue',
  });
  await expect(read('rotating')).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: 'not authorized to perform GetSecretValue',
  });
});
