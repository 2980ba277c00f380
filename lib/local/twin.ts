// The local twin of an AWS account: a real server, a local RDS and Secrets Manager, and the deployed state machine.
import { readFileSync } from 'node:fs';
import { readDatabase } from '../../lambda/migrator/databases.ts';
import { upgrade } from '../../lambda/migrator/migrator.ts';
import { type ConnectionSettings, connectorTo } from '../../lambda/migrator/session.ts';
import { MIGRATIONS } from '../paths.ts';
import { ACCOUNT, REGION } from './aws/account.ts';
import { type AwsEndpoint, startAwsEndpoint } from './aws/endpoint.ts';
import { type DataProgress, generateData } from './data/generate.ts';
import type { DataSize } from './data/tables.ts';
import type { Deployment } from './deployment.ts';
import { type Execution, type ExecutionEvent, execute } from './execution.ts';
import { withClient } from './server/client.ts';
import type { LocalServer, ServerAddress } from './server/index.ts';

/** Identifier of the RDS instance, and ARN of the secret, that stand for the server. */
export const INSTANCE = 'codebase-mcp';
export const SECRET_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:codebase-mcp-AbCdEf`;

/** The database of the flagship migration, in migrations/databases.json and on the server. */
const DATABASE = 'codebase_mcp';
/** Where the migration begins. */
const START_REVISION = '005';

/**
 * Makes a database at revision 005 with data, owned by a role that is no superuser: RDS gives nobody one.
 *
 * @returns how that role connects
 */
export async function prepareDatabase(
  server: LocalServer,
  name: string,
  size: DataSize,
  progress?: DataProgress,
): Promise<ConnectionSettings> {
  await server.createDatabase(name);
  const owner = await server.createRole(`${name}_owner`);
  await withClient(server, name, async (administrator) => {
    await administrator.query('CREATE EXTENSION IF NOT EXISTS vector');
    await administrator.query(`ALTER DATABASE ${name} OWNER TO ${owner.user}`);
    await administrator.query(`ALTER SCHEMA public OWNER TO ${owner.user}`);
  });
  const settings = { ...addressOf(server, name), ...owner };
  await upgrade(
    { database: readDatabase(MIGRATIONS, DATABASE), connect: connectorTo(settings) },
    START_REVISION,
  );
  await withClient({ ...server, ...owner }, name, (client) => generateData(client, size, progress));
  return settings;
}

/** How the administrator of a local server connects to one of its databases. */
export function addressOf(
  { host, port, user, password, tls }: ServerAddress,
  database: string,
): ConnectionSettings {
  const mode =
    tls === 'off'
      ? ({ mode: 'off' } as const)
      : { mode: 'verify-full' as const, ca: readFileSync(tls.caFile, 'utf8') };
  return { host, port, user, password, database, tls: mode };
}

export interface Twin {
  readonly endpoint: AwsEndpoint;
  /** Starts an execution and waits for its end. */
  execute(input: unknown, listener?: (event: ExecutionEvent) => void): Promise<Execution>;
  stop(): Promise<void>;
}

/** Puts a server behind the local AWS, and the deployed state machine before it. */
export async function startTwin(
  server: LocalServer,
  settings: ConnectionSettings,
  deployment: Deployment,
): Promise<Twin> {
  const endpoint = await startAwsEndpoint();
  endpoint.instances.set(INSTANCE, {
    kind: 'instance',
    server,
    database: settings.database,
    status: 'available',
  });
  // The shape of a secret that RDS manages: the rest of the connection must come from RDS.
  endpoint.secrets.set(SECRET_ARN, JSON.stringify({ username: settings.user, password: settings.password }));
  const environment = {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_RDS: endpoint.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint.url,
    ...(server.tls === 'off'
      ? // The file that the template names is only in Lambda's runtime; without TLS nobody misses it.
        { BACKSTOP_TLS: 'off', NODE_EXTRA_CA_CERTS: '' }
      : { NODE_EXTRA_CA_CERTS: server.tls.caFile }),
  };
  let started = 0;
  return {
    endpoint,
    execute: (input, listener = () => {}) =>
      execute({ name: executionName(++started), input, deployment, environment, listener }),
    stop: () => endpoint.stop(),
  };
}

/** Unique in this process, and in the order of time for whoever reads several reports. */
function executionName(number: number): string {
  return `local-${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}-${number}`;
}
