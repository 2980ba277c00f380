// The snapshot before a change: taken once, adopted on a retry only if it is ours, the oldest removed.
//
// The state machine calls ensureSnapshot again and again until it says `available`; every call is idempotent.
import type { Tag } from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';
import type { Execution, Instance, Snapshot } from '../state.ts';
import { type Description, describe } from './instance.ts';
import { DATABASE_TAG, EXECUTION_TAG, snapshotId } from './names.ts';
import { unanswered } from './rds.ts';
import { NOTHING_TO_RESTORE, restoreSentence } from './restore.ts';
import { createSnapshot, deleteSnapshot, type Found, findSnapshot, listSnapshots } from './snapshot-store.ts';
import { isLost, isReady, remedyFor } from './status.ts';

export interface SnapshotRequest {
  readonly instance: Pick<Instance, 'kind' | 'identifier'>;
  /** Name of the database, a key of migrations/databases.json. */
  readonly database: string;
  readonly execution: Execution;
  /** The answer to the last request of this execution; undefined if this is the first. */
  readonly previous: Snapshot | undefined;
  /** How many snapshots of this database to keep, the new one included. */
  readonly keep: number;
  /** From the start of the execution. */
  readonly timeoutSeconds: number;
}

export interface Progress {
  readonly snapshot: Snapshot;
  /** How far the snapshot is, in a sentence without a full stop. */
  readonly says: string;
}

/**
 * Takes the snapshot of an execution if it is not there, and says how far it is. The status is `waiting` while RDS
 * cannot begin, then `creating`, and `available` when snapshot and instance both are. If RDS does not answer, it is as
 * before.
 *
 * @throws SnapshotFailed if the snapshot cannot be taken, belongs to another owner, or took too long
 * @throws SnapshotQuotaExceeded, ConfigurationError
 */
export async function ensureSnapshot(request: SnapshotRequest): Promise<Progress> {
  const progress = await askRds(request).catch((error: unknown): Progress => {
    if (!(error instanceof BackstopError) || error.name !== 'DatabaseUnreachable') throw error;
    return { snapshot: asBefore(request), says: error.summary };
  });
  const { snapshot, says } = progress;
  if (snapshot.status === 'available') return progress;
  const waitedSeconds = (Date.now() - Date.parse(request.execution.startedAt)) / 1000;
  if (waitedSeconds > request.timeoutSeconds) {
    throw new BackstopError('SnapshotFailed', {
      message: `Snapshot ${snapshot.id} is not available after ${Math.round(waitedSeconds)} s`,
      detail: `${says}.`,
      hint: 'Wait until RDS has finished, then start a new execution; or raise "snapshotTimeoutMinutes".',
    });
  }
  return progress;
}

async function askRds(request: SnapshotRequest): Promise<Progress> {
  const { identifier } = request.instance;
  const description = await describe(identifier);
  const instanceStatus = statusOf(description);
  const remedy = remedyFor(instanceStatus);
  if (remedy !== undefined) {
    throw new BackstopError('SnapshotFailed', {
      message: `"${identifier}" is ${instanceStatus}: no snapshot can be taken`,
      hint: `${remedy}, then start a new execution.`,
    });
  }
  const id = snapshotId(request.database, request.execution.name, description.kind);
  const isInstanceReady = isReady(instanceStatus);
  const found =
    (await findSnapshot(description, id)) ??
    (isInstanceReady ? await createSnapshot(description, id, tagsOf(request)) : undefined);
  if (!found) {
    const says = `RDS shows no snapshot ${id} yet, "${identifier}" is ${instanceStatus}`;
    return { snapshot: asBefore(request), says };
  }
  requireOurs(found, id, request);
  const isDone = found.status === 'available' && isInstanceReady;
  const snapshot: Snapshot = {
    id,
    arn: found.arn,
    status: isDone ? 'available' : 'creating',
    createdAt: found.createdAt,
    restore: restoreSentence(description, id),
    deleted: isDone ? await deleteOldest(description, found, request) : [],
  };
  const busy = isInstanceReady ? '' : `, "${identifier}" is ${instanceStatus}`;
  return { snapshot, says: `Snapshot ${id} is ${found.status}${busy}` };
}

/** For a moment, RDS may not show a snapshot that it has begun. */
function asBefore({ previous, database, execution, instance }: SnapshotRequest): Snapshot {
  return (
    previous ?? {
      id: snapshotId(database, execution.name, instance.kind),
      arn: '',
      status: 'waiting',
      createdAt: '',
      restore: NOTHING_TO_RESTORE,
      deleted: [],
    }
  );
}

function tagsOf({ database, execution }: SnapshotRequest): Tag[] {
  return [
    { Key: DATABASE_TAG, Value: database },
    { Key: EXECUTION_TAG, Value: execution.arn },
  ];
}

function requireOurs(found: Found, id: string, request: SnapshotRequest): void {
  const { execution, instance } = request;
  if (!isOfExecution(found, execution) || found.source.toLowerCase() !== instance.identifier.toLowerCase()) {
    throw new BackstopError('SnapshotFailed', {
      message: `Snapshot ${id} exists already, and belongs to another execution`,
      detail: `It is of "${found.source}", tagged ${EXECUTION_TAG}=${tagValue(found.tags, EXECUTION_TAG) ?? '(nothing)'}.`,
      hint: 'Start a new execution with another name.',
    });
  }
  if (isLost(found.status)) {
    throw new BackstopError('SnapshotFailed', {
      message: `Snapshot ${id} is ${found.status}`,
      hint: `Look at the events of "${instance.identifier}" in RDS, then start a new execution.`,
    });
  }
}

/** RDS may leave out the tags. Then the id says whose it is, unless the snapshot is older than the execution. */
function isOfExecution({ tags, createdAt }: Found, { arn, startedAt }: Execution): boolean {
  if (tags.length > 0) return tagValue(tags, EXECUTION_TAG) === arn;
  return !(Date.parse(createdAt) < Date.parse(startedAt));
}

/**
 * Deletes our oldest snapshots of this database beyond `keep`, and none younger than this one: another execution may rely on
 * it. A migration does not fail because an old snapshot stays.
 */
async function deleteOldest(
  description: Description,
  { id, createdAt }: Found,
  request: SnapshotRequest,
): Promise<string[]> {
  const ours = (await listSnapshots(description, request.instance.identifier).catch(() => []))
    .filter(({ status, tags }) => status === 'available' && tagValue(tags, DATABASE_TAG) === request.database)
    .filter((snapshot) => snapshot.id !== id)
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const deleted: string[] = [];
  const older = ours.slice(request.keep - 1).filter((other) => other.createdAt < createdAt);
  for (const old of older) {
    try {
      await deleteSnapshot(description, old.id);
      deleted.push(old.id);
    } catch (error) {
      // The time of the function is for one request without an answer, not for many.
      if (unanswered(error)) break;
    }
  }
  return deleted;
}

function tagValue(tags: readonly Tag[], key: string): string | undefined {
  return tags.find(({ Key }) => Key === key)?.Value;
}

function statusOf(description: Description): string {
  const status =
    description.kind === 'instance' ? description.instance.DBInstanceStatus : description.cluster.Status;
  return status ?? 'unknown';
}
