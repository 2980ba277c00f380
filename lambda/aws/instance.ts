// Looks up the database server in RDS, and finds out whether it is an instance or a cluster.
import {
  type DBCluster,
  type DBInstance,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
} from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';
import type { Instance } from '../state.ts';
import { codeOf, rds, unanswered } from './rds.ts';

/** RDS's description of the server, with its kind. */
export type Description =
  | { readonly kind: 'instance'; readonly instance: DBInstance }
  | { readonly kind: 'cluster'; readonly cluster: DBCluster };

/**
 * Looks up an identifier as an instance, then as a cluster. For a member of a cluster it returns the cluster:
 * RDS takes snapshots of clusters only.
 *
 * @throws ConfigurationError if RDS has neither, or if the function may not ask
 * @throws DatabaseUnreachable if RDS does not answer
 */
export async function describe(identifier: string): Promise<Description> {
  const instance = await findInstance(identifier);
  if (instance && !instance.DBClusterIdentifier) return { kind: 'instance', instance };
  const cluster = instance?.DBClusterIdentifier
    ? await findCluster(instance.DBClusterIdentifier, identifier)
    : await findCluster(identifier);
  if (cluster) return { kind: 'cluster', cluster };
  throw new BackstopError('ConfigurationError', {
    message: `RDS knows no instance and no cluster "${identifier}"`,
    hint: 'Correct "identifier" in the configuration of this database and deploy again.',
  });
}

/**
 * The part of a description that travels in the state.
 *
 * @throws ConfigurationError for another engine, a read replica, or a server without an endpoint
 */
export function toInstance(identifier: string, description: Description): Instance {
  const engine = description.kind === 'instance' ? description.instance.Engine : description.cluster.Engine;
  if (engine !== 'postgres' && engine !== 'aurora-postgresql') {
    throw new BackstopError('ConfigurationError', {
      message: `"${identifier}" runs ${engine}, not PostgreSQL`,
      hint: 'Name an instance or cluster of engine postgres or aurora-postgresql.',
    });
  }
  const source = sourceOf(description);
  if (source !== undefined) {
    throw new BackstopError('ConfigurationError', {
      message: `"${identifier}" is a read replica of ${source}: a migration cannot run there`,
      hint: `Deploy for ${source}: name it as "identifier" in the configuration of this database.`,
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

/** The server that a read replica copies from, in words; undefined for any other server. */
function sourceOf(description: Description): string | undefined {
  if (description.kind === 'instance') {
    const { ReadReplicaSourceDBInstanceIdentifier, ReadReplicaSourceDBClusterIdentifier } =
      description.instance;
    return inWords(ReadReplicaSourceDBInstanceIdentifier || ReadReplicaSourceDBClusterIdentifier);
  }
  const { ReplicationSourceIdentifier, GlobalClusterIdentifier, DBClusterMembers = [] } = description.cluster;
  const isSecondary = GlobalClusterIdentifier && !DBClusterMembers.some((member) => member.IsClusterWriter);
  return (
    inWords(ReplicationSourceIdentifier) ??
    (isSecondary ? `the primary cluster of the global database "${GlobalClusterIdentifier}"` : undefined)
  );
}

/** @param source an identifier in this region, or an ARN in any */
function inWords(source: string | undefined): string | undefined {
  if (!source) return undefined;
  const [, , , region, , , name] = source.split(':');
  return name === undefined ? `"${source}"` : `"${name}" in ${region}`;
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

/** @param member the configured instance, if the cluster was found by a member of it */
async function findCluster(identifier: string, member?: string): Promise<DBCluster | undefined> {
  try {
    const answer = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }));
    return answer.DBClusters?.[0];
  } catch (error) {
    if (member === undefined || !codeOf(error).startsWith('AccessDenied'))
      return unlessNotFound(error, 'DBClusterNotFound');
    // Permissions name the configured identifier alone.
    throw new BackstopError(
      'ConfigurationError',
      {
        message: `"${member}" is a member of the cluster "${identifier}"`,
        detail: `${codeOf(error)}: ${(error as Error).message}`,
        hint: `Name the cluster "${identifier}" instead in the configuration of this database, and deploy again.`,
      },
      { cause: error },
    );
  }
}

function unlessNotFound(error: unknown, name: string): undefined {
  const code = codeOf(error);
  if (code.startsWith(name)) return undefined;
  throw (
    unanswered(error) ??
    new BackstopError(
      'ConfigurationError',
      {
        message: 'RDS could not be asked about the database',
        detail: `${code}: ${(error as Error).message}`,
        hint: 'Check the permissions of the function and the identifier in the configuration.',
      },
      { cause: error },
    )
  );
}
