// Snapshots in RDS, of instances and of clusters alike: looked up, created, listed, deleted.
import {
  CreateDBClusterSnapshotCommand,
  CreateDBSnapshotCommand,
  type DBClusterSnapshot,
  type DBSnapshot,
  DeleteDBClusterSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBSnapshotsCommand,
  type Tag,
} from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';
import { type Description, rds } from './instance.ts';

/** A snapshot of an instance or of a cluster. */
export interface Found {
  readonly id: string;
  readonly arn: string;
  readonly status: string;
  readonly createdAt: string;
  readonly source: string;
  readonly tags: readonly Tag[];
}

function fromInstance(snapshot: DBSnapshot): Found {
  return {
    id: snapshot.DBSnapshotIdentifier ?? '',
    arn: snapshot.DBSnapshotArn ?? '',
    status: snapshot.Status ?? '',
    createdAt: snapshot.SnapshotCreateTime?.toISOString() ?? '',
    source: snapshot.DBInstanceIdentifier ?? '',
    tags: snapshot.TagList ?? [],
  };
}

function fromCluster(snapshot: DBClusterSnapshot): Found {
  return {
    id: snapshot.DBClusterSnapshotIdentifier ?? '',
    arn: snapshot.DBClusterSnapshotArn ?? '',
    status: snapshot.Status ?? '',
    createdAt: snapshot.SnapshotCreateTime?.toISOString() ?? '',
    source: snapshot.DBClusterIdentifier ?? '',
    tags: snapshot.TagList ?? [],
  };
}

/** The snapshot with that id; undefined if it does not exist. Throws SnapshotFailed. */
export async function findSnapshot({ kind }: Description, id: string): Promise<Found | undefined> {
  try {
    if (kind === 'instance') {
      const { DBSnapshots: [first] = [] } = await rds.send(
        new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }),
      );
      return first && fromInstance(first);
    }
    const answer = await rds.send(new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: id }));
    const [first] = answer.DBClusterSnapshots ?? [];
    return first && fromCluster(first);
  } catch (error) {
    if (/^DB(Cluster)?SnapshotNotFound/.test((error as Error).name)) return undefined;
    throw failed(error, `Snapshot ${id} could not be looked up`);
  }
}

/**
 * Begins a snapshot. Undefined if the instance is busy: ask again.
 *
 * @throws SnapshotFailed, SnapshotQuotaExceeded
 */
export async function createSnapshot(
  description: Description,
  id: string,
  tags: readonly Tag[],
): Promise<Found | undefined> {
  const Tags = [...tags];
  try {
    if (description.kind === 'instance') {
      const source = { DBInstanceIdentifier: description.instance.DBInstanceIdentifier };
      const answer = await rds.send(
        new CreateDBSnapshotCommand({ ...source, DBSnapshotIdentifier: id, Tags }),
      );
      return answer.DBSnapshot && { ...fromInstance(answer.DBSnapshot), tags: Tags };
    }
    const source = { DBClusterIdentifier: description.cluster.DBClusterIdentifier };
    const answer = await rds.send(
      new CreateDBClusterSnapshotCommand({ ...source, DBClusterSnapshotIdentifier: id, Tags }),
    );
    return answer.DBClusterSnapshot && { ...fromCluster(answer.DBClusterSnapshot), tags: Tags };
  } catch (error) {
    const { name } = error as Error;
    // Between our question and our request the instance became busy, or a retry of ours was faster: ask again.
    if (/^InvalidDB(Instance|Cluster)State/.test(name)) return undefined;
    if (/SnapshotAlreadyExists/.test(name)) return findSnapshot(description, id);
    throw failed(error, `Snapshot ${id} could not be created`);
  }
}

/** All manual snapshots of an instance or cluster. */
export async function listSnapshots({ kind }: Description, identifier: string): Promise<Found[]> {
  if (kind === 'instance') {
    const { DBSnapshots = [] } = await rds.send(
      new DescribeDBSnapshotsCommand({ DBInstanceIdentifier: identifier, SnapshotType: 'manual' }),
    );
    return DBSnapshots.map(fromInstance);
  }
  const { DBClusterSnapshots = [] } = await rds.send(
    new DescribeDBClusterSnapshotsCommand({ DBClusterIdentifier: identifier, SnapshotType: 'manual' }),
  );
  return DBClusterSnapshots.map(fromCluster);
}

export async function deleteSnapshot({ kind }: Description, id: string): Promise<void> {
  await (kind === 'instance'
    ? rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }))
    : rds.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: id })));
}

function failed(error: unknown, message: string): BackstopError {
  const { message: reason } = error as Error;
  // The code that RDS answered; it may be anything if the answer is malformed.
  const name = String((error as Error).name);
  const options = { cause: error };
  if (name.startsWith('SnapshotQuotaExceeded')) {
    return new BackstopError(
      'SnapshotQuotaExceeded',
      {
        message,
        detail: reason,
        hint: 'Delete manual snapshots that you no longer need, or ask AWS for a higher quota, then start a new execution.',
      },
      options,
    );
  }
  return new BackstopError(
    'SnapshotFailed',
    { message, detail: `${name}: ${reason}`, hint: 'Correct the cause, then start a new execution.' },
    options,
  );
}
