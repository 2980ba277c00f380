// Instances and clusters, as RDS describes them.
import type { LocalAccount, LocalInstance } from '../account.ts';
import { tagList } from './tags.ts';
import { arn, engineVersion, lower, MEMBER_SUFFIX, notFound, type Parameters, WORDS } from './words.ts';

export function describeInstances(
  account: LocalAccount,
  { DBInstanceIdentifier: wanted }: Parameters,
): object {
  const all = [...account.instances].map(([identifier, instance]) =>
    instance.kind === 'instance'
      ? instanceElement(account, identifier, instance)
      : instanceElement(account, identifier + MEMBER_SUFFIX, instance, identifier),
  );
  const found = all.filter(({ DBInstanceIdentifier }) => !wanted || DBInstanceIdentifier === lower(wanted));
  if (wanted && found.length === 0) throw notFound('instance', wanted);
  return { DBInstances: { DBInstance: found } };
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
        Status: cluster.status,
        Engine: WORDS.cluster.engine,
        EngineVersion: engineVersion(cluster),
        DatabaseName: cluster.database,
        MasterUsername: cluster.server?.user,
        Endpoint: cluster.server?.host,
        Port: cluster.server?.port,
        DBClusterMembers: {
          DBClusterMember: [{ DBInstanceIdentifier: identifier + MEMBER_SUFFIX, IsClusterWriter: true }],
        },
        TagList: tagList(account, arn('cluster', identifier)),
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
    Engine: WORDS[instance.kind].engine,
    EngineVersion: engineVersion(instance),
    DBName: instance.database,
    MasterUsername: server?.user,
    Endpoint: server && { Address: server.host, Port: server.port },
    DBClusterIdentifier: cluster,
    TagList: tagList(account, arn('db', identifier)),
  };
}
