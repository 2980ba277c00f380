// The local twin of an AWS account: a real server, a local RDS and Secrets Manager, and the deployed state machine.
import { readFileSync } from 'node:fs';
import { upgrade } from '../../lambda/migrator/migrator.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import { REGION } from './aws/account.ts';
import { type AwsEndpoint, startAwsEndpoint } from './aws/endpoint.ts';
import type { Content } from './data/content.ts';
import type { DataProgress } from './data/generate.ts';
import { localDatabase } from './databases.ts';
import type { Deployment } from './deployment.ts';
import { type Execution, type ExecutionEvent, execute } from './execution.ts';
import { withClient } from './server/client.ts';
import type { Credentials, LocalServer, ServerAddress } from './server.ts';

/**
 * Creates a database one revision before its head, with data. Its owner is no superuser, as on RDS.
 *
 * @param name of the database on the server
 * @returns how that role connects
 */
export async function prepareDatabase(
  server: LocalServer,
  name: string,
  database: Database,
  content: Content,
  progress: DataProgress = () => {},
): Promise<ConnectionSettings & Credentials> {
  await server.createDatabase(name);
  const owner = await server.createRole(`${name}_owner`);
  await withClient(server, name, async (administrator) => {
    for (const extension of database.definition.extensions) {
      await administrator.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`);
    }
    await administrator.query(`ALTER DATABASE ${name} OWNER TO ${owner.user}`);
    await administrator.query(`ALTER SCHEMA public OWNER TO ${owner.user}`);
  });
  const settings = { ...addressOf(server, name), ...owner };
  await upgrade({ database, connect: connectorTo(settings) }, 'head-1');
  await withClient({ ...server, ...owner }, name, (client) => content.insert(client, progress));
  return settings;
}

/** How the administrator of a local server connects to one of its databases. */
export function addressOf(
  { host, port, user, password, tls }: ServerAddress,
  database: string,
): ConnectionSettings {
  if (tls === 'off') return { host, port, user, password, database, tls: { mode: 'off' } };
  const ca = tls.caFile === undefined ? undefined : readFileSync(tls.caFile, 'utf8');
  return { host, port, user, password, database, tls: { mode: 'verify-full', ca } };
}

export interface Twin {
  readonly endpoint: AwsEndpoint;
  /** Starts an execution and waits for its end. */
  execute(input: unknown, listener?: (event: ExecutionEvent) => void): Promise<Execution>;
  stop(): Promise<void>;
}

/**
 * Puts a server behind the local AWS, and the deployed state machine before it.
 *
 * @param databases how the owner of each database connects, by its name in migrations/databases.json; the instances
 *   and secrets of others are not there
 */
export async function startTwin(
  server: LocalServer,
  databases: Readonly<Record<string, ConnectionSettings>>,
  deployment: Deployment,
): Promise<Twin> {
  const endpoint = await startAwsEndpoint();
  for (const [name, { database, user, password }] of Object.entries(databases)) {
    const { identifier, secretArn } = localDatabase(name);
    endpoint.instances.set(identifier, { kind: 'instance', server, database, status: 'available' });
    // The shape of a secret that RDS manages: the rest of the connection must come from RDS.
    endpoint.secrets.set(secretArn, JSON.stringify({ username: user, password }));
  }
  for (const { role } of deployment.functions.values()) endpoint.roles.set(role.name, role);
  const environment = {
    AWS_REGION: REGION,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_RDS: endpoint.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint.url,
    AWS_ENDPOINT_URL_SCHEDULER: endpoint.url,
    ...(server.tls === 'off'
      ? // The file that the template names is only in Lambda's runtime, and is not needed without TLS.
        { BACKSTOP_TLS: 'off', NODE_EXTRA_CA_CERTS: '' }
      : { NODE_EXTRA_CA_CERTS: server.tls.caFile ?? process.env.NODE_EXTRA_CA_CERTS ?? '' }),
  };
  let started = 0;
  const start: Twin['execute'] = (input, listener = () => {}) =>
    execute({ name: executionName(++started), input, deployment, environment, listener });
  endpoint.surroundings.machine = async (input) => {
    const { status, error, cause, state } = await start(input);
    return { status, error, cause, output: state };
  };
  return { endpoint, execute: start, stop: () => endpoint.stop() };
}

/** Unique in this process; the names of several reports sort by time. */
function executionName(number: number): string {
  return `local-${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}-${number}`;
}
