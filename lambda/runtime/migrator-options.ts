// From the state of an execution to what the engine needs: the revisions, a way to connect, bounds, a listener.
import { readFileSync } from 'node:fs';
import { iamToken } from '../aws/iam-login.ts';
import { readCredentials } from '../aws/secret.ts';
import { bundledReader } from '../migrator/grammar/bundled.ts';
import { type Bounds, DEFAULT_BOUNDS } from '../migrator/model/bounds.ts';
import { BackstopError } from '../migrator/model/errors.ts';
import { readDatabase } from '../migrator/revisions/databases.ts';
import { type Connect, connectorTo } from '../migrator/session/connection.ts';
import type { MigratorOptions } from '../migrator/session/session.ts';
import type { ConnectionSettings } from '../migrator/session/settings.ts';
import type { ExecutionState, Instance } from '../state.ts';
import { databaseEnvironment, inTask, readEnvironment } from './environment.ts';
import type { Tools } from './handler.ts';
import { logEvents } from './logger.ts';
import { patiently } from './patience.ts';

/** Kept back from the function's own time, so that it can still roll back and tell why, in ms. */
const MARGIN_MS = 15_000;

/** Throws what {@link readDatabase} throws, and ConfigurationError. */
export function migratorOptions(
  state: ExecutionState,
  { logger, remainingMs }: Tools,
): MigratorOptions & { readonly bounds: Bounds } {
  const environment = readEnvironment(databaseEnvironment);
  const migrations = inTask(environment.BACKSTOP_MIGRATIONS);
  const lockWaitMs = environment.BACKSTOP_LOCK_WAIT_SECONDS * 1000;
  const transactionMs = environment.BACKSTOP_TRANSACTION_SECONDS * 1000;
  return {
    database: readDatabase(migrations, state.request.database, bundledReader(migrations)),
    connect: patiently(connectAsConfigured(state.instance, state.request.database, environment), {
      forMs: Math.min(environment.BACKSTOP_CONNECT_SECONDS * 1000, remainingMs() - MARGIN_MS),
      tell: ({ summary }, pauseMs) => logger.warn(`${summary}; tried again in ${pauseMs / 1000} s`),
    }),
    listener: logEvents(logger),
    bounds: {
      ...DEFAULT_BOUNDS,
      lockWaitMs,
      transactionMs,
      runMs: remainingMs() - MARGIN_MS,
      maxLockMs: state.request.maxLock * 1000,
    },
    execution: state.execution.arn,
  };
}

type Environment = ReturnType<typeof readEnvironment<typeof databaseEnvironment>>;

/**
 * Connects with the values that the secret has at each attempt: it may be rotated at any time.
 *
 * @throws ConfigurationError if the deployment has no login for the database
 */
function connectAsConfigured(instance: Instance, database: string, environment: Environment): Connect {
  const login = environment.BACKSTOP_DATABASES[database];
  if (login === undefined) {
    throw new BackstopError('ConfigurationError', {
      message: `No login is configured for database "${database}"`,
      hint: `Add "secretArn" or "iam" to the configuration of ${database} and deploy again.`,
    });
  }
  return async (applicationName) => {
    const credentials =
      'secretArn' in login ? await withSecret(instance, login) : await withIam(instance, login);
    const settings = { ...credentials, tls: tlsSettings(environment), server: 'primary' } as const;
    return connectorTo(settings)(applicationName);
  };
}

type Address = Omit<ConnectionSettings, 'tls'>;

/** The missing values of the secret come from RDS: a secret that RDS manages holds only user name and password. */
async function withSecret(
  instance: Instance,
  { secretArn, host }: { readonly secretArn: string; readonly host?: string | undefined },
): Promise<Address> {
  const credentials = await readCredentials(secretArn);
  requireSameServer([instance.host, ...(host === undefined ? [] : [host])], secretArn, credentials.host);
  const database = credentials.dbname ?? instance.databaseName;
  if (database === undefined) {
    throw new BackstopError('ConfigurationError', {
      message: `Neither the secret nor RDS says which database of ${instance.identifier} to connect to`,
      hint: 'Add "dbname" to the secret.',
    });
  }
  return {
    host: host ?? instance.host,
    port: credentials.port ?? instance.port,
    database,
    user: credentials.username,
    password: credentials.password,
  };
}

/** The snapshot is taken of the instance or cluster: a secret that leads elsewhere would migrate a database without one. */
function requireSameServer(allowed: readonly string[], arn: string, host: string | undefined): void {
  if (host === undefined || allowed.some((each) => each.toLowerCase() === host.toLowerCase())) return;
  throw new BackstopError('ConfigurationError', {
    message: `The secret ${arn} names another host than the server that the snapshot is taken of`,
    detail: `It may name ${allowed.join(' or ')}.`,
    hint: 'Write the endpoint into the secret, of a cluster its writer endpoint, or take "host" out. To go through a proxy that keeps sessions, write its name as "host" into the configuration of the database.',
  });
}

/** The endpoint comes from RDS: the token is signed for its name. */
async function withIam(
  { host, port }: Instance,
  { iamUser: user, databaseName: database }: { readonly iamUser: string; readonly databaseName: string },
): Promise<Address> {
  return { host, port, database, user, password: await iamToken(host, port, user) };
}

function tlsSettings(environment: Environment): ConnectionSettings['tls'] {
  if (environment.BACKSTOP_TLS === 'off') return { mode: 'off' };
  return { mode: 'verify-full', ca: readCa(environment) };
}

function readCa({ BACKSTOP_CA_FILE: file }: Environment): string | undefined {
  return file === undefined ? undefined : readFileSync(inTask(file), 'utf8');
}
