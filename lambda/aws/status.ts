// Statuses in RDS, as its documentation lists them: which permit a snapshot, which pass, and which need a person.

/** The storage is at work and the server is not: this may last for days, and RDS takes snapshots meanwhile. */
const READY = ['available', 'storage-optimization', 'storage-initialization'];

const RESTORE = 'Restore it from a backup, and name the restored instance or cluster in the configuration';
/** Statuses that an instance or cluster does not leave by itself, and the remedies. */
const BLOCKED: readonly (readonly [RegExp, string])[] = [
  [/^(stopped|stopping)$/, 'Start it'],
  [/^storage-full$/, 'Give it more storage'],
  [/^inaccessible-encryption-credentials-recoverable$/, 'Enable its KMS key and start it'],
  [
    /^incompatible-(network|option-group|parameters)$/,
    'Look at its events in RDS, and correct the cause that they name',
  ],
  [/^(deleting|delete-precheck)$/, 'Name another instance or cluster in the configuration, and deploy again'],
  [/^(failed|restore-error|cloning-failed|migration-failed|insufficient-capacity)$/, RESTORE],
  [/^(inaccessible|incompatible)/, RESTORE],
];

/** Whether RDS takes a snapshot of an instance or cluster in this status. */
export function isReady(status: string): boolean {
  return READY.includes(status);
}

/**
 * The remedy, as an instruction without a full stop, if the instance or cluster does not leave this status by itself.
 * Undefined for all other statuses, unknown ones too: waiting for them is bounded.
 */
export function remedyFor(status: string): string | undefined {
  return BLOCKED.find(([statuses]) => statuses.test(status))?.[1];
}

/** Whether a snapshot in this status will never be available. */
export function isLost(snapshotStatus: string): boolean {
  return /^(failed|error|delete|deleting|inaccessible|incompatible)/.test(snapshotStatus);
}
