// The databases of the local stack: all of migrations/databases.json, each with its own instance and secret.
import { readDefinitions } from '../../lambda/migrator/revisions/databases.ts';
import type { BackstopProps, DatabaseProps } from '../config.ts';
import { MIGRATIONS } from '../paths.ts';
import { ACCOUNT, REGION } from './aws/account.ts';

/** The database that a run is for unless it names another, and the only one whose size can be chosen. */
export const CODEBASE_MCP = 'codebase_mcp';

/** The `databases` in the configuration of the local stack. */
export function localDatabases(): BackstopProps['databases'] {
  return Object.fromEntries(readDefinitions(MIGRATIONS).map(({ name }) => [name, localDatabase(name)]));
}

/** @param name a key of migrations/databases.json */
export function localDatabase(name: string): DatabaseProps & { readonly secretArn: string } {
  const identifier = name.replaceAll('_', '-');
  return {
    identifier,
    secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${identifier}-AbCdEf`,
    securityGroupId: 'sg-0123456789abcdef0',
  };
}
