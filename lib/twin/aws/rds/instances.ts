// Instances and clusters, as RDS describes them.
import type { LocalAccount, LocalInstance } from '../account.ts';
import { tagList } from './tags.ts';
import { arn, engineOf, engineVersion, lower, membersOf, notFound, type Parameters } from './words.ts';

interface Described {
  readonly identifier: string;
  readonly instance: LocalInstance;
  /** The cluster that it is a member of. */
  readonly cluster?: string;
}

export function describeInstances(
  account: LocalAccount,
  { DBInstanceIdentifier: wanted }: Parameters,
): object {
  const all = [...account.instances].flatMap(([identifier, instance]): Described[] =>
    instance.kind === 'instance'
      ? [{ identifier, instance }]
      : membersOf(identifier, instance).map((member) => ({
          identifier: member,
          instance,
          cluster: identifier,
        })),
  );
  const found = all.filter(({ identifier }) => !wanted || identifier === lower(wanted));
  if (wanted && found.length === 0) throw notFound('instance', wanted);
  return {
    DBInstances: {
      DBInstance: found.map(({ identifier, instance, cluster }) => ({
        ...instanceElement(account, identifier, instance, cluster),
        DBInstanceStatus: shownStatus(account, identifier, instance),
      })),
    },
  };
}

export function describeClusters(account: LocalAccount, { DBClusterIdentifier: wanted }: Parameters): object {
  const found = [...account.instances].filter(
    ([identifier, { kind }]) => kind === 'cluster' && (!wanted || identifier === lower(wanted)),
  );
  if (wanted && found.length === 0) throw notFound('cluster', wanted);
  return {
    DBClusters: {
      DBCluster: found.map(([identifier, cluster]) => ({
        DBClusterIdentifier: identifier,
        DBClusterArn: arn('cluster', identifier),
        Status: shownStatus(account, identifier, cluster),
        Engine: engineOf(cluster),
        EngineVersion: engineVersion(cluster),
        DatabaseName: cluster.database,
        MasterUsername: cluster.server?.user,
        Endpoint: cluster.server?.host,
        Port: cluster.server?.port,
        DBClusterMembers: {
          DBClusterMember: membersOf(identifier, cluster).map((member, index) => ({
            DBInstanceIdentifier: member,
            IsClusterWriter: index === 0 && !cluster.secondaryIn,
          })),
        },
        ReplicationSourceIdentifier: cluster.replicaOf,
        GlobalClusterIdentifier: cluster.secondaryIn,
        ...(cluster.isMultiAz && { DBClusterInstanceClass: 'db.m6gd.large', StorageType: 'io1', Iops: 1000 }),
        TagList: tagList(account, arn('cluster', identifier)),
        ...cluster.elements,
      })),
    },
  };
}

export function instanceElement(
  account: LocalAccount,
  identifier: string,
  instance: LocalInstance,
  cluster?: string,
) {
  const { server } = instance;
  return {
    DBInstanceIdentifier: identifier,
    DBInstanceArn: arn('db', identifier),
    DBInstanceStatus: instance.status,
    Engine: engineOf(instance),
    EngineVersion: engineVersion(instance),
    DBName: instance.database,
    MasterUsername: server?.user,
    Endpoint: server && { Address: server.host, Port: server.port },
    DBClusterIdentifier: cluster,
    ReadReplicaSourceDBInstanceIdentifier: cluster === undefined ? instance.replicaOf : undefined,
    TagList: tagList(account, arn('db', identifier)),
    ...(cluster === undefined ? instance.elements : instance.memberElements),
  };
}

/** The status as it was `lag.status` requests ago. */
function shownStatus({ lag, statuses }: LocalAccount, identifier: string, { status }: LocalInstance): string {
  const all = [...(statuses.get(identifier) ?? []), status];
  statuses.set(identifier, all);
  return all.at(-1 - lag.status) ?? status;
}
