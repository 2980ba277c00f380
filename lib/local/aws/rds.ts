// Amazon RDS as its Query protocol speaks: the actions that Backstop uses, with RDS's own rules, on real servers.
import type { LocalServer } from '../server/index.ts';
import {
  ACCOUNT,
  AwsFaultError,
  type LocalAccount,
  type LocalInstance,
  REGION,
  type StoredSnapshot,
} from './account.ts';

type Kind = LocalInstance['kind'];
type Parameters = Readonly<Record<string, string>>;

/** What differs between an instance and an Aurora cluster is only words. */
const WORDS = {
  instance: {
    element: 'DBInstance',
    arn: 'db',
    engine: 'postgres',
    notFound: 'DBInstanceNotFound',
    badState: 'InvalidDBInstanceState',
    snapshot: {
      element: 'DBSnapshot',
      arn: 'snapshot',
      maxLength: 255,
      notFound: 'DBSnapshotNotFound',
      exists: 'DBSnapshotAlreadyExists',
      badState: 'InvalidDBSnapshotState',
    },
  },
  cluster: {
    element: 'DBCluster',
    arn: 'cluster',
    engine: 'aurora-postgresql',
    notFound: 'DBClusterNotFoundFault',
    badState: 'InvalidDBClusterStateFault',
    snapshot: {
      element: 'DBClusterSnapshot',
      arn: 'cluster-snapshot',
      maxLength: 63,
      notFound: 'DBClusterSnapshotNotFoundFault',
      exists: 'DBClusterSnapshotAlreadyExistsFault',
      badState: 'InvalidDBClusterSnapshotStateFault',
    },
  },
} as const;

const MEMBER_SUFFIX = '-instance-1';

/**
 * Performs one action and returns the content of its result element.
 * @param restored where the servers that a restore starts are noted, for whoever has to stop them.
 */
export function callRds(
  account: LocalAccount,
  restored: Promise<LocalServer>[],
  action: string,
  parameters: Parameters,
): object {
  switch (action) {
    case 'DescribeDBInstances':
      return describeInstances(account, parameters);
    case 'DescribeDBClusters':
      return describeClusters(account, parameters);
    case 'CreateDBSnapshot':
      return createSnapshot(account, 'instance', parameters);
    case 'CreateDBClusterSnapshot':
      return createSnapshot(account, 'cluster', parameters);
    case 'DescribeDBSnapshots':
      return describeSnapshots(account, 'instance', parameters);
    case 'DescribeDBClusterSnapshots':
      return describeSnapshots(account, 'cluster', parameters);
    case 'DeleteDBSnapshot':
      return deleteSnapshot(account, 'instance', parameters);
    case 'DeleteDBClusterSnapshot':
      return deleteSnapshot(account, 'cluster', parameters);
    case 'RestoreDBInstanceFromDBSnapshot':
      return restoreInstance(account, restored, parameters);
    case 'AddTagsToResource':
      return addTags(account, parameters);
    case 'ListTagsForResource':
      return { TagList: tagList(account, existingResource(account, parameters)) };
    default:
      throw fault('InvalidAction', `The local twin of AWS has no ${action}.`);
  }
}

// --- instances and clusters

function describeInstances(account: LocalAccount, { DBInstanceIdentifier: wanted }: Parameters): object {
  const all = [...account.instances].map(([identifier, instance]) =>
    instance.kind === 'instance'
      ? instanceElement(account, identifier, instance)
      : instanceElement(account, identifier + MEMBER_SUFFIX, instance, identifier),
  );
  const found = all.filter(({ DBInstanceIdentifier }) => !wanted || DBInstanceIdentifier === lower(wanted));
  if (wanted && found.length === 0) throw notFound('instance', wanted);
  return { DBInstances: { DBInstance: found } };
}

function describeClusters(account: LocalAccount, { DBClusterIdentifier: wanted }: Parameters): object {
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

function instanceElement(
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

// --- snapshots

/** Answers at once, as RDS does; the backup goes on behind, and the snapshot's status tells how far it is. */
function createSnapshot(account: LocalAccount, kind: Kind, parameters: Parameters): object {
  const { element, badState, engine, snapshot: words } = WORDS[kind];
  const source = lower(parameters[`${element}Identifier`]);
  const identifier = validIdentifier(parameters, `${words.element}Identifier`, words.maxLength);
  const tags = parseTags(parameters);

  if (kind === 'instance' && account.instances.get(source.replace(MEMBER_SUFFIX, ''))?.kind === 'cluster') {
    throw fault(
      'InvalidParameterValue',
      'The specified instance is a member of a cluster and a snapshot cannot be created directly. Please use the CreateDBClusterSnapshot API instead.',
    );
  }
  const instance = account.instances.get(source);
  if (instance?.kind !== kind) throw notFound(kind, source);
  const snapshotArn = arn(words.arn, identifier);
  if (account.snapshots.has(snapshotArn)) {
    throw fault(
      words.exists,
      `Cannot create the snapshot because a snapshot with the identifier ${identifier} already exists.`,
    );
  }
  const { server, database } = instance;
  if (!server || !['available', 'storage-optimization'].includes(instance.status)) {
    throw fault(badState, `${element} ${source} is not in the available state: it is ${instance.status}.`);
  }
  if (
    [...account.snapshots.values()].filter((other) => other.kind === kind).length >= account.snapshotQuota
  ) {
    throw fault(
      'SnapshotQuotaExceeded',
      `Cannot create more than ${account.snapshotQuota} manual snapshots.`,
    );
  }

  const snapshot: StoredSnapshot = {
    kind,
    identifier,
    source,
    database,
    engine,
    engineVersion: engineVersion(instance),
    createdAt: new Date(),
    status: 'creating',
    percentProgress: 0,
  };
  account.snapshots.set(snapshotArn, snapshot);
  account.tags.set(snapshotArn, tags);
  const statusBefore = instance.status;
  instance.status = 'backing-up';
  server
    .takeSnapshot(database, (done, total) => {
      // 100 is for the end of the backup, not of the copying.
      snapshot.percentProgress = Math.min(99, Math.floor((100 * done) / Math.max(total, 1)));
    })
    .then((backup) => {
      snapshot.backup = backup;
      snapshot.percentProgress = 100;
      snapshot.status = 'available';
    })
    .catch(() => {
      snapshot.status = 'failed';
    })
    .finally(() => {
      if (instance.status === 'backing-up') instance.status = statusBefore;
    });
  return { [words.element]: snapshotElement(account, snapshot) };
}

function describeSnapshots(account: LocalAccount, kind: Kind, parameters: Parameters): object {
  const { element, snapshot: words } = WORDS[kind];
  const wanted = parameters[`${words.element}Identifier`];
  const source = parameters[`${element}Identifier`];
  const found = [...account.snapshots.values()].filter(
    (snapshot) =>
      snapshot.kind === kind &&
      (!wanted || snapshot.identifier === lower(wanted)) &&
      (!source || snapshot.source === lower(source)) &&
      (parameters.SnapshotType ?? 'manual') === 'manual',
  );
  if (wanted && found.length === 0) throw snapshotNotFound(kind, wanted);
  return {
    [`${words.element}s`]: { [words.element]: found.map((snapshot) => snapshotElement(account, snapshot)) },
  };
}

function deleteSnapshot(account: LocalAccount, kind: Kind, parameters: Parameters): object {
  const { snapshot: words } = WORDS[kind];
  const snapshot = existingSnapshot(account, kind, parameters);
  if (snapshot.status === 'creating') {
    throw fault(words.badState, `Snapshot ${snapshot.identifier} is being created and cannot be deleted.`);
  }
  const element = snapshotElement(account, snapshot);
  const snapshotArn = arn(words.arn, snapshot.identifier);
  account.snapshots.delete(snapshotArn);
  account.tags.delete(snapshotArn);
  // RDS answers before the storage is free; what cannot be removed goes with the server.
  snapshot.backup?.delete().catch(() => {});
  return { [words.element]: { ...element, Status: 'deleted' } };
}

function snapshotElement(account: LocalAccount, snapshot: StoredSnapshot) {
  const { element, snapshot: words } = WORDS[snapshot.kind];
  const snapshotArn = arn(words.arn, snapshot.identifier);
  return {
    [`${words.element}Identifier`]: snapshot.identifier,
    [`${words.element}Arn`]: snapshotArn,
    [`${element}Identifier`]: snapshot.source,
    SnapshotCreateTime: snapshot.createdAt.toISOString(),
    SnapshotType: 'manual',
    Engine: snapshot.engine,
    EngineVersion: snapshot.engineVersion,
    Status: snapshot.status,
    PercentProgress: snapshot.percentProgress,
    TagList: tagList(account, snapshotArn),
  };
}

/** Answers at once; the instance is `creating`, without an endpoint, until its server has started. */
function restoreInstance(
  account: LocalAccount,
  restored: Promise<LocalServer>[],
  parameters: Parameters,
): object {
  const identifier = validIdentifier(parameters, 'DBInstanceIdentifier', 63);
  const tags = parseTags(parameters);
  const { backup, database } = existingSnapshot(account, 'instance', parameters);
  if (!backup) throw fault('InvalidDBSnapshotState', 'The snapshot is not available.');
  if (account.instances.has(identifier)) {
    throw fault('DBInstanceAlreadyExists', `DB instance ${identifier} already exists.`);
  }
  const creating: LocalInstance = { kind: 'instance', database, status: 'creating' };
  account.instances.set(identifier, creating);
  account.tags.set(arn('db', identifier), tags);
  const restoring = backup.restore();
  restored.push(restoring);
  restoring.then(
    (server) =>
      account.instances.set(identifier, {
        kind: 'instance',
        server,
        database: server.database,
        status: 'available',
      }),
    () => {
      creating.status = 'failed';
    },
  );
  return { DBInstance: instanceElement(account, identifier, creating) };
}

// --- tags

function addTags(account: LocalAccount, parameters: Parameters): object {
  const resource = existingResource(account, parameters);
  account.tags.set(resource, new Map([...(account.tags.get(resource) ?? []), ...parseTags(parameters)]));
  return {};
}

/** Reads `Tags.Tag.1.Key`, `Tags.Tag.1.Value`, `Tags.Tag.2.Key` …, within RDS's rules for tags. */
function parseTags(parameters: Parameters): Map<string, string> {
  const tags = new Map<string, string>();
  for (let n = 1; parameters[`Tags.Tag.${n}.Key`] !== undefined; n++) {
    const key = parameters[`Tags.Tag.${n}.Key`] ?? '';
    const value = parameters[`Tags.Tag.${n}.Value`] ?? '';
    const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
    if (!allowed.test(key + value) || key.length > 128 || value.length > 256 || /^(aws|rds):/.test(key)) {
      throw fault(
        'InvalidParameterValue',
        `The tag ${key}=${value} has a key or value that RDS does not allow.`,
      );
    }
    tags.set(key, value);
  }
  if (tags.size > 50) throw fault('InvalidParameterValue', 'A resource has at most 50 tags.');
  return tags;
}

function tagList(account: LocalAccount, resource: string): object {
  return { Tag: [...(account.tags.get(resource) ?? [])].map(([Key, Value]) => ({ Key, Value })) };
}

function existingResource(account: LocalAccount, { ResourceName: resource = '' }: Parameters): string {
  const [, , , , , type = '', identifier = ''] = resource.split(':');
  for (const [kind, words] of Object.entries(WORDS) as [Kind, (typeof WORDS)[Kind]][]) {
    if (type === words.snapshot.arn && !account.snapshots.has(resource))
      throw snapshotNotFound(kind, identifier);
    if (type === words.arn && !account.instances.has(identifier)) throw notFound(kind, identifier);
  }
  return resource;
}

// --- identifiers and faults

function validIdentifier(parameters: Parameters, name: string, maxLength: number): string {
  const identifier = parameters[name] ?? '';
  if (!/^[a-z](-?[a-z0-9])*$/i.test(identifier) || identifier.length > maxLength) {
    throw fault(
      'InvalidParameterValue',
      `The parameter ${name} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; must not end with a hyphen or contain two consecutive hyphens; and have at most ${maxLength} characters.`,
    );
  }
  return lower(identifier);
}

function existingSnapshot(account: LocalAccount, kind: Kind, parameters: Parameters): StoredSnapshot {
  const { snapshot: words } = WORDS[kind];
  const identifier = lower(parameters[`${words.element}Identifier`]);
  const snapshot = account.snapshots.get(arn(words.arn, identifier));
  if (!snapshot) throw snapshotNotFound(kind, identifier);
  return snapshot;
}

/** RDS keeps identifiers in lower case. */
function lower(identifier = ''): string {
  return identifier.toLowerCase();
}

function arn(type: string, identifier: string): string {
  return `arn:aws:rds:${REGION}:${ACCOUNT}:${type}:${identifier}`;
}

function engineVersion({ server }: LocalInstance): string {
  return server ? String(server.majorVersion) : '';
}

function notFound(kind: Kind, identifier: string): AwsFaultError {
  return fault(WORDS[kind].notFound, `${WORDS[kind].element} ${identifier} not found.`, 404);
}

function snapshotNotFound(kind: Kind, identifier: string): AwsFaultError {
  const { element, notFound: code } = WORDS[kind].snapshot;
  return fault(code, `${element} ${identifier} not found.`, 404);
}

function fault(code: string, message: string, httpStatus = 400): AwsFaultError {
  return new AwsFaultError({ code, message, httpStatus });
}
