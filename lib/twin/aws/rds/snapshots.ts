// Snapshots in RDS: taken in the background, described, deleted, restored, by RDS's own rules.
import type { LocalServer } from '../../server.ts';
import type { LocalAccount, LocalInstance, StoredSnapshot } from '../account.ts';
import { instanceElement } from './instances.ts';
import { parseTags, tagList } from './tags.ts';
import {
  arn,
  engineOf,
  engineVersion,
  fault,
  type Kind,
  lower,
  membersOf,
  notFound,
  type Parameters,
  snapshotNotFound,
  validIdentifier,
  WORDS,
} from './words.ts';

/** The server is at work in these statuses, and only its storage may be busy. */
const READY = ['available', 'storage-optimization', 'storage-initialization'];

/** At most this many records are in an answer, with a marker for the next one. */
const LARGEST_PAGE = 100;

/** The manual snapshots of the account, and how many there may be. */
export function describeQuotas(account: LocalAccount): object {
  const quota = (name: string, kind: Kind) => ({
    AccountQuotaName: name,
    Used: countSnapshots(account, kind),
    Max: account.snapshotQuota,
  });
  return {
    AccountQuotas: {
      AccountQuota: [quota('ManualSnapshots', 'instance'), quota('ManualClusterSnapshots', 'cluster')],
    },
  };
}

function countSnapshots({ snapshots }: LocalAccount, kind: Kind): number {
  return [...snapshots.values()].filter((snapshot) => snapshot.kind === kind).length;
}

/** Answers at once, as RDS does; the backup goes on behind, and the snapshot's status tells how far it is. */
export function createSnapshot(account: LocalAccount, kind: Kind, parameters: Parameters): object {
  const { element, badState, snapshot: words } = WORDS[kind];
  const source = lower(parameters[`${element}Identifier`]);
  const identifier = validIdentifier(parameters, `${words.element}Identifier`, words.maxLength);
  const tags = parseTags(parameters);

  if (
    kind === 'instance' &&
    [...account.instances].some(
      ([name, other]) => other.kind === 'cluster' && membersOf(name, other).includes(source),
    )
  ) {
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
  if (!server || !READY.includes(instance.status)) {
    throw fault(badState, `${element} ${source} is not in the available state: it is ${instance.status}.`);
  }
  if (countSnapshots(account, kind) >= account.snapshotQuota) {
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
    engine: engineOf(instance),
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

export function describeSnapshots(account: LocalAccount, kind: Kind, parameters: Parameters): object {
  const { element, snapshot: words } = WORDS[kind];
  const wanted = parameters[`${words.element}Identifier`];
  const source = parameters[`${element}Identifier`];
  const { MaxRecords: size = LARGEST_PAGE, Marker: marker = 0, SnapshotType: type = 'manual' } = parameters;
  if (!(Number(size) >= 20 && Number(size) <= LARGEST_PAGE)) {
    throw fault('InvalidParameterValue', `Invalid value ${size} for MaxRecords. Must be between 20 and 100`);
  }
  const found = [...account.snapshots.values()].filter(
    (snapshot) =>
      snapshot.kind === kind &&
      (!wanted || snapshot.identifier === lower(wanted)) &&
      (!source || snapshot.source === lower(source)) &&
      type === 'manual' &&
      countRequest(snapshot) > account.lag.newSnapshot,
  );
  if (wanted && found.length === 0) throw snapshotNotFound(kind, wanted);
  const end = Number(marker) + Number(size);
  const page = found.slice(Number(marker), end);
  return {
    ...(end < found.length && { Marker: String(end) }),
    [`${words.element}s`]: { [words.element]: page.map((snapshot) => snapshotElement(account, snapshot)) },
  };
}

/** Returns how many requests have looked for the snapshot, this one included. */
function countRequest(snapshot: StoredSnapshot): number {
  snapshot.requests = (snapshot.requests ?? 0) + 1;
  return snapshot.requests;
}

export function deleteSnapshot(account: LocalAccount, kind: Kind, parameters: Parameters): object {
  const { snapshot: words } = WORDS[kind];
  const snapshot = existingSnapshot(account, kind, parameters);
  if (snapshot.status === 'creating') {
    throw fault(words.badState, `Snapshot ${snapshot.identifier} is being created and cannot be deleted.`);
  }
  const element = snapshotElement(account, snapshot);
  const snapshotArn = arn(words.arn, snapshot.identifier);
  account.snapshots.delete(snapshotArn);
  account.tags.delete(snapshotArn);
  // RDS answers before the storage is free; if removing fails here, stopping the server removes it.
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
    ...((snapshot.requests ?? 1) > account.lag.tags && { TagList: tagList(account, snapshotArn) }),
  };
}

function existingSnapshot(account: LocalAccount, kind: Kind, parameters: Parameters): StoredSnapshot {
  const { snapshot: words } = WORDS[kind];
  const identifier = lower(parameters[`${words.element}Identifier`]);
  const snapshot = account.snapshots.get(arn(words.arn, identifier));
  if (!snapshot) throw snapshotNotFound(kind, identifier);
  return snapshot;
}

/** Answers at once; the instance is `creating`, without an endpoint, until its server has started. */
export function restoreInstance(
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
