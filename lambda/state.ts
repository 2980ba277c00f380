// The state of an execution: the document that travels from function to function through the state machine.
//
// Every function receives the whole document and returns its own section, which the state machine puts in its
// place. No section ever holds a secret.
import type { AnyEnding, EndingName } from './migrator/model/errors.ts';
import type { DatabaseVerdict, Plan, RevisionId, RunReport } from './migrator/model/report.ts';

export const ACTIONS = ['upgrade', 'downgrade', 'finalize', 'status', 'plan'] as const;
export type Action = (typeof ACTIONS)[number];

/** Faults that can be provoked on purpose, so that the other branches can be seen. */
export const DRILLS = [
  'validation-failure',
  'downgrade-failure',
  'migrate-lost',
  'finalize-failure',
] as const;
export type Drill = (typeof DRILLS)[number];

export const DRIFT = ['warn', 'refuse'] as const;
export type Drift = (typeof DRIFT)[number];

/** The execution input, complete: the given fields, merged with the deployed defaults. */
export interface Request {
  readonly action: Action;
  /** `head`, `base`, a revision or a unique start of one, `+N` or `-N`. */
  readonly target: string;
  /** A key of migrations/databases.json. */
  readonly database: string;
  /** Whether a snapshot is taken before anything is changed. */
  readonly snapshot: boolean;
  /** Whether the retired tables are dropped once validation has passed. */
  readonly finalize: boolean;
  /** How many days later: 0 is in this execution, more is done by a schedule. As deployed. */
  readonly finalizeAfterDays: number;
  /** How long a table may be locked against readers, in seconds, as estimated beforehand. */
  readonly maxLock: number;
  /** Whether an upgrade may delete rows, or drop tables and columns that hold some. */
  readonly allowLoss: boolean;
  /** Whether a schema that has changed since the last run is only said, or refused. */
  readonly drift: Drift;
  /** Checksum of the plan that was approved: any other is refused. */
  readonly plan?: string | undefined;
  /** ARN of the execution that must have changed the database last: a schedule finalizes only its tables. */
  readonly appliedBy?: string | undefined;
  readonly drill?: Drill | undefined;
}

export interface Execution {
  readonly name: string;
  readonly arn: string;
  readonly stateMachineArn: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** The server that holds the database, as RDS describes it. */
export interface Instance {
  readonly kind: 'instance' | 'cluster';
  readonly identifier: string;
  readonly host: string;
  readonly port: number;
  /** The database that was named when the server was made; undefined if no database was named. */
  readonly databaseName?: string | undefined;
  readonly engineVersion: string;
}

/** The snapshot of an execution. If the execution takes no snapshot, it is {@link NO_SNAPSHOT}. */
export interface Snapshot {
  readonly id: string;
  readonly arn: string;
  /**
   * `waiting` until the instance can be snapshot; then the status in RDS: `creating`, `available`. `skipped` if the
   * execution takes no snapshot.
   */
  readonly status: string;
  readonly createdAt: string;
  /** How to restore the database, in a sentence that every ending quotes; or why there is nothing to restore. */
  readonly restore: string;
  /** Ids of older snapshots that were deleted, beyond `keepSnapshots`. */
  readonly deleted: readonly string[];
}

/** Recognized by its status, because a snapshot's id may be anything. */
export const NO_SNAPSHOT: Snapshot = {
  id: 'none',
  arn: '',
  status: 'skipped',
  createdAt: '',
  restore: 'There is no snapshot to restore: this execution was told not to take one.',
  deleted: [],
};

/** When the retired tables will be finalized, by an execution that a schedule starts. */
export interface ScheduledFinalize {
  /** Name of the schedule; a database has one at most. */
  readonly schedule: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The findings of Reconcile after the answer of Migrate was lost. */
export interface Reconciliation {
  readonly revision: RevisionId;
  readonly verdict: 'committed' | 'rolled back' | 'elsewhere';
  readonly message: string;
  /** The report of the migration, as the history has it; present where this execution committed it. */
  readonly migration?: RunReport | undefined;
}

/** The endings of an execution that has stepped back. */
export const STEPPED_BACK = [
  'ValidationFailed',
  'PartlyApplied',
  'DowngradeIncomplete',
  'DowngradeFailed',
] as const satisfies readonly EndingName[];

/** A validation, and the ending of the execution if this execution steps back, or the validation did not pass. */
export interface Validation extends DatabaseVerdict {
  readonly error: (typeof STEPPED_BACK)[number];
  readonly cause: string;
}

/** An execution in a few lines: the beginning of its output, and of the message about its end. */
export interface Summary {
  /** `Succeeded`, or the name of the error; TimedOut and Aborted if the execution was ended from outside. */
  readonly ending: AnyEnding | 'Succeeded' | 'TimedOut' | 'Aborted';
  /** A sentence a line: the events, the state of the database, the next steps. */
  readonly message: string;
  readonly action: Action | null;
  readonly database: string | null;
  readonly revisionBefore: RevisionId | null;
  /** Null if it is unknown: the database has to be asked. */
  readonly revisionAfter: RevisionId | null;
  /** Id of the snapshot that this execution took. */
  readonly snapshot: string | null;
  /** Ids of revisions whose retired tables still exist. */
  readonly finalizePending: readonly RevisionId[];
  /** When these will be finalized, ISO 8601; null if it is not scheduled. */
  readonly finalizeAt: string | null;
}

/** The document. Sections appear in the order of the states that write them. */
export interface ExecutionState {
  readonly request: Request;
  readonly execution: Execution;
  readonly instance: Instance;
  readonly plan?: Plan;
  readonly snapshot?: Snapshot;
  readonly migration?: RunReport;
  readonly reconciliation?: Reconciliation;
  readonly validation?: Validation;
  readonly finalization?: RunReport;
  readonly scheduledFinalize?: ScheduledFinalize;
  readonly downgrade?: RunReport;
  readonly downgradeValidation?: Validation;
  /** The last error that a state caught. */
  readonly failure?: { readonly Error: string; readonly Cause: string };
}

/** A section that some state adds to the document. */
export type Section = Exclude<keyof ExecutionState, 'request' | 'execution' | 'instance'>;

/** The document with these sections in it. */
export type StateWith<S extends Section> = ExecutionState & {
  readonly [K in S]-?: NonNullable<ExecutionState[K]>;
};

/** The snapshot that RDS has begun for this execution; undefined if it takes no snapshot, or RDS has not begun it. */
export function takenSnapshot({ snapshot }: Partial<ExecutionState>): Snapshot | undefined {
  return snapshot && snapshot.status !== 'skipped' && snapshot.arn !== '' ? snapshot : undefined;
}

/**
 * The migration that this execution itself committed; undefined if it found the work done, or did nothing.
 * An execution may automatically finalize or downgrade only its own migration.
 */
export function committedMigration({
  migration,
  reconciliation,
}: Partial<ExecutionState>): RunReport | undefined {
  const run = migration ?? reconciliation?.migration;
  return run?.outcome === 'upgraded' ? run : undefined;
}

/** Whether only some of several transactions of the migration were committed. */
export function isPartlyApplied({ failure }: Partial<ExecutionState>): boolean {
  return failure?.Error === ('PartlyApplied' satisfies EndingName);
}
