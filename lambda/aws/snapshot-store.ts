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
  paginateDescribeDBClusterSnapshots,
  paginateDescribeDBSnapshots,
  type Tag,
} from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';
import type { Description } from './instance.ts';
import { codeOf, rds, unanswered } from './rds.ts';

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

/** The snapshot with that id; undefined if RDS does not show it. Throws SnapshotFailed, DatabaseUnreachable. */
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
    if (/^DB(Cluster)?SnapshotNotFound/.test(codeOf(error))) return undefined;
    throw failed(error, `Snapshot ${id} could not be looked up`);
  }
}

/**
 * Begins a snapshot. Undefined if the instance is busy, or has begun it and does not show it yet: ask again.
 *
 * @throws SnapshotFailed, SnapshotQuotaExceeded, DatabaseUnreachable
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
    const code = codeOf(error);
    // Between our question and our request the instance became busy, or a retry of ours was faster: ask again.
    if (/^InvalidDB(Instance|Cluster)State/.test(code)) return undefined;
    if (/SnapshotAlreadyExists/.test(code)) return findSnapshot(description, id);
    throw failed(error, `Snapshot ${id} could not be created`);
  }
}

/** All manual snapshots of an instance or cluster, from every page of RDS's answer. */
export async function listSnapshots({ kind }: Description, identifier: string): Promise<Found[]> {
  const found: Found[] = [];
  const filter = { SnapshotType: 'manual' };
  if (kind === 'instance') {
    const pages = paginateDescribeDBSnapshots(
      { client: rds },
      { ...filter, DBInstanceIdentifier: identifier },
    );
    for await (const { DBSnapshots = [] } of pages) found.push(...DBSnapshots.map(fromInstance));
  } else {
    const pages = paginateDescribeDBClusterSnapshots(
      { client: rds },
      { ...filter, DBClusterIdentifier: identifier },
    );
    for await (const { DBClusterSnapshots = [] } of pages) found.push(...DBClusterSnapshots.map(fromCluster));
  }
  return found;
}

export async function deleteSnapshot({ kind }: Description, id: string): Promise<void> {
  await (kind === 'instance'
    ? rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }))
    : rds.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: id })));
}

function failed(error: unknown, message: string): BackstopError {
  const silence = unanswered(error);
  if (silence) return silence;
  const { message: reason } = error as Error;
  const code = codeOf(error);
  const options = { cause: error };
  if (code.startsWith('SnapshotQuotaExceeded')) {
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
    { message, detail: `${code}: ${reason}`, hint: 'Correct the cause, then start a new execution.' },
    options,
  );
}
