// The snapshot before a change: taken once, adopted on a retry only if it is ours, the oldest removed.
//
// The state machine calls ensureSnapshot again and again until it says `available`; every call is idempotent.
import type { Tag } from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';
import type { Execution, Snapshot } from '../state.ts';
import { type Description, describe } from './instance.ts';
import { DATABASE_TAG, EXECUTION_TAG, snapshotId } from './names.ts';
import { restoreSentence } from './restore.ts';
import { createSnapshot, deleteSnapshot, type Found, findSnapshot, listSnapshots } from './snapshot-store.ts';

export interface SnapshotRequest {
  /** Identifier of the instance or cluster. */
  readonly identifier: string;
  /** Name of the database, a key of migrations/databases.json. */
  readonly database: string;
  readonly execution: Execution;
  /** How many snapshots of this database to keep, the new one included. */
  readonly keep: number;
  /** From the start of the execution. */
  readonly timeoutSeconds: number;
}

/** RDS takes snapshots in these states; `storage-optimization` may last for days. */
const READY = ['available', 'storage-optimization'];
/** An instance does not leave these states by itself. */
const LOST = /^(deleting|failed|stopped|stopping|restore-error|storage-full|inaccessible|incompatible)/;

/**
 * Takes the snapshot of an execution if it is not there, and says how far it is. The status is `waiting`
 * while RDS cannot begin, then `creating`, and `available` when snapshot and instance both are.
 *
 * @throws SnapshotFailed if the snapshot cannot be taken, belongs to another owner, or took too long
 * @throws SnapshotQuotaExceeded
 */
export async function ensureSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  const description = await describe(request.identifier);
  const id = snapshotId(request.database, request.execution.name, description.kind);
  const instanceStatus = statusOf(description);
  if (LOST.test(instanceStatus)) {
    throw new BackstopError('SnapshotFailed', {
      message: `"${request.identifier}" is ${instanceStatus}: no snapshot can be taken`,
      hint: 'Bring it to "available", then start a new execution.',
    });
  }
  const existing = await findSnapshot(description, id);
  const found =
    existing ??
    (READY.includes(instanceStatus) ? await createSnapshot(description, id, tagsOf(request)) : undefined);
  if (found) requireOurs(found, id, request);
  const status =
    found?.status === 'available' && !READY.includes(instanceStatus)
      ? 'creating'
      : (found?.status ?? 'waiting');
  const snapshot: Snapshot = {
    id,
    arn: found?.arn ?? '',
    status,
    createdAt: found?.createdAt ?? '',
    restore: restoreSentence(description, found?.id),
    deleted: [],
  };
  if (status === 'available') return { ...snapshot, deleted: await deleteOldest(description, id, request) };
  const waitedSeconds = (Date.now() - Date.parse(request.execution.startedAt)) / 1000;
  if (waitedSeconds > request.timeoutSeconds) {
    throw new BackstopError('SnapshotFailed', {
      message: `Snapshot ${id} is not available after ${Math.round(waitedSeconds)} s`,
      detail: `The snapshot is ${status}, "${request.identifier}" is ${instanceStatus}.`,
      hint: 'Wait until RDS has finished, then start a new execution; or raise "snapshotTimeoutMinutes".',
    });
  }
  return snapshot;
}

function tagsOf({ database, execution }: SnapshotRequest): Tag[] {
  return [
    { Key: DATABASE_TAG, Value: database },
    { Key: EXECUTION_TAG, Value: execution.arn },
  ];
}

function requireOurs(found: Found, id: string, request: SnapshotRequest): void {
  const execution = found.tags.find(({ Key }) => Key === EXECUTION_TAG)?.Value;
  if (execution !== request.execution.arn || found.source !== request.identifier) {
    throw new BackstopError('SnapshotFailed', {
      message: `Snapshot ${id} exists already, and belongs to another execution`,
      detail: `It is of "${found.source}", tagged ${EXECUTION_TAG}=${execution ?? '(nothing)'}.`,
      hint: 'Start a new execution with another name.',
    });
  }
  if (found.status !== 'available' && found.status !== 'creating') {
    throw new BackstopError('SnapshotFailed', {
      message: `Snapshot ${id} is ${found.status}`,
      hint: `Look at the events of "${request.identifier}" in RDS, then start a new execution.`,
    });
  }
}

/** Deletes our oldest snapshots of this database beyond `keep`. A migration does not fail because an old one stays. */
async function deleteOldest(
  description: Description,
  id: string,
  request: SnapshotRequest,
): Promise<string[]> {
  const ours = (await listSnapshots(description, request.identifier).catch(() => []))
    .filter(({ status, tags }) => status === 'available' && hasTag(tags, DATABASE_TAG, request.database))
    .filter((snapshot) => snapshot.id !== id)
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const deleted: string[] = [];
  for (const old of ours.slice(request.keep - 1)) {
    await deleteSnapshot(description, old.id).then(
      () => deleted.push(old.id),
      () => {},
    );
  }
  return deleted;
}

function hasTag(tags: readonly Tag[], key: string, value: string): boolean {
  return tags.some(({ Key, Value }) => Key === key && Value === value);
}

function statusOf(description: Description): string {
  const status =
    description.kind === 'instance' ? description.instance.DBInstanceStatus : description.cluster.Status;
  return status ?? 'unknown';
}
