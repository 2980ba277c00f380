// Faults of a secret.
import { alter, bad, type Case, warned, writeSecret } from './case.ts';
import { GROUP, HOST, KEY, PASSWORD, SECRET, SECRET_KEY } from './healthy.ts';

const CHECK = 'secret of codebase_mcp';
export const SECRET_CASES: readonly Case[] = [
  bad(
    CHECK,
    'a secret that does not exist',
    'There is no secret codebase-mcp-AbCdEf',
    'secretArn',
    ({ aws }) => {
      aws.secrets.clear();
    },
  ),
  bad(
    CHECK,
    'a secret that will be deleted',
    'The secret codebase-mcp-AbCdEf is scheduled for deletion',
    `restore-secret --secret-id ${SECRET}`,
    ({ aws }) => {
      aws.surroundings.secrets[SECRET] = { DeletedDate: new Date() };
    },
  ),
  bad(
    CHECK,
    'a key of the secret that is not configured',
    `The secret codebase-mcp-AbCdEf is encrypted with ${SECRET_KEY}, which the configuration does not name`,
    `"secretKeyArn": "${SECRET_KEY}"`,
    ({ configuration }) => {
      delete configuration.databases.codebase_mcp.secretKeyArn;
    },
  ),
  bad(
    CHECK,
    'another key of the secret',
    `The secret codebase-mcp-AbCdEf is encrypted with ${SECRET_KEY}, not with ${KEY}`,
    `"secretKeyArn": "${SECRET_KEY}"`,
    ({ configuration }) => {
      configuration.databases.codebase_mcp.secretKeyArn = KEY;
    },
  ),
  warned(
    CHECK,
    'a key of AWS instead of the configured one',
    `The secret codebase-mcp-AbCdEf is encrypted with a key of AWS, not with ${SECRET_KEY}`,
    'Remove backstop.databases.codebase_mcp.secretKeyArn',
    ({ aws }) => {
      aws.secretKeys.clear();
    },
  ),
  bad(
    CHECK,
    'a secret without a password',
    `The secret ${SECRET} has no usable "password"`,
    '{"username"',
    ({ aws }) => {
      aws.secrets.set(SECRET, JSON.stringify({ username: PASSWORD }));
    },
  ),
  bad(
    CHECK,
    'a secret that is not JSON',
    `The secret ${SECRET} is not a JSON object`,
    '{"username"',
    ({ aws }) => {
      aws.secrets.set(SECRET, `{"password": "${PASSWORD}"`);
    },
  ),
  bad(
    CHECK,
    'a secret of another host',
    'The secret codebase-mcp-AbCdEf names another host than codebase-mcp',
    HOST,
    (given) => writeSecret(given, { host: 'other.example.com' }),
  ),
  bad(
    CHECK,
    'a secret with another port',
    'The secret codebase-mcp-AbCdEf names port 6432, and the functions may reach port 5432',
    '"port": 6432',
    (given) => writeSecret(given, { port: 6432 }),
  ),
  bad(
    CHECK,
    'a shared server whose secret names no database',
    'Neither the secret codebase-mcp-AbCdEf nor RDS says which database of codebase-mcp is meant',
    '"dbname"',
    (given) => {
      alter(given, 'codebase-mcp', { IAMDatabaseAuthenticationEnabled: true });
      given.configuration.databases.socrates_specs = {
        identifier: 'codebase-mcp',
        iam: { user: 'backstop', resourceId: 'db-CODEBASE', databaseName: 'specs' },
        securityGroupId: GROUP,
      };
    },
  ),
];
