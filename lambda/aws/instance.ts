// Looks up the database server in RDS, and finds out whether it is an instance or an Aurora cluster.
import {
  type DBCluster,
  type DBInstance,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';
import type { Instance } from '../state.ts';

export const rds = new RDSClient({});

/** RDS's description of the server, with its kind. */
export type Description =
  | { readonly kind: 'instance'; readonly instance: DBInstance }
  | { readonly kind: 'cluster'; readonly cluster: DBCluster };

/**
 * Looks up an identifier as an instance, then as a cluster. For a member of a cluster it returns the cluster:
 * RDS takes snapshots of clusters only.
 *
 * @throws ConfigurationError if RDS has neither, or if the function may not ask
 */
export async function describe(identifier: string): Promise<Description> {
  const instance = await findInstance(identifier);
  if (instance && !instance.DBClusterIdentifier) return { kind: 'instance', instance };
  const cluster = await findCluster(instance?.DBClusterIdentifier ?? identifier);
  if (cluster) return { kind: 'cluster', cluster };
  throw new BackstopError('ConfigurationError', {
    message: `RDS knows no instance and no cluster "${identifier}"`,
    hint: 'Correct "identifier" in the configuration of this database and deploy again.',
  });
}

/** The part of a description that travels in the state. Throws ConfigurationError for another engine. */
export function toInstance(identifier: string, description: Description): Instance {
  const engine = description.kind === 'instance' ? description.instance.Engine : description.cluster.Engine;
  if (engine !== 'postgres' && engine !== 'aurora-postgresql') {
    throw new BackstopError('ConfigurationError', {
      message: `"${identifier}" runs ${engine}, not PostgreSQL`,
      hint: 'Name an instance or cluster of engine postgres or aurora-postgresql.',
    });
  }
  const { host, port, databaseName, engineVersion, name } = fields(description);
  if (!host || !port) {
    throw new BackstopError('ConfigurationError', {
      message: `"${identifier}" has no endpoint yet`,
      hint: 'Wait until RDS says that it is available, then start again.',
    });
  }
  return {
    kind: description.kind,
    identifier: name || identifier,
    host,
    port,
    databaseName,
    engineVersion: engineVersion ?? '',
  };
}

function fields(description: Description) {
  if (description.kind === 'instance') {
    const { Endpoint, DBName, EngineVersion, DBInstanceIdentifier } = description.instance;
    return {
      host: Endpoint?.Address,
      port: Endpoint?.Port,
      databaseName: DBName,
      engineVersion: EngineVersion,
      name: DBInstanceIdentifier,
    };
  }
  const { Endpoint, Port, DatabaseName, EngineVersion, DBClusterIdentifier } = description.cluster;
  return {
    host: Endpoint,
    port: Port,
    databaseName: DatabaseName,
    engineVersion: EngineVersion,
    name: DBClusterIdentifier,
  };
}

async function findInstance(identifier: string): Promise<DBInstance | undefined> {
  try {
    const answer = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }));
    return answer.DBInstances?.[0];
  } catch (error) {
    return unlessNotFound(error, 'DBInstanceNotFound');
  }
}

async function findCluster(identifier: string): Promise<DBCluster | undefined> {
  try {
    const answer = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }));
    return answer.DBClusters?.[0];
  } catch (error) {
    return unlessNotFound(error, 'DBClusterNotFound');
  }
}

function unlessNotFound(error: unknown, name: string): undefined {
  const { message } = error as Error;
  // The code that RDS answered; it may be anything if the answer is malformed.
  const actual = String((error as Error).name);
  if (actual.startsWith(name)) return undefined;
  throw new BackstopError(
    'ConfigurationError',
    {
      message: 'RDS could not be asked about the database',
      detail: `${actual}: ${message}`,
      hint: 'Check the permissions of the function and the identifier in the configuration.',
    },
    { cause: error },
  );
}
