// The state of an execution: what travels from function to function through the state machine.
//
// Every function receives the whole document and returns its own section, which the state machine puts in its
// place. No section ever holds a secret.
import type { Plan, RevisionId, RunReport, ValidationReport } from './migrator/report.ts';

export const ACTIONS = ['upgrade', 'downgrade', 'finalize', 'status'] as const;
export type Action = (typeof ACTIONS)[number];

/** Faults that can be provoked on purpose, so that the other branches can be seen. */
export const DRILLS = [
  'validation-failure',
  'downgrade-failure',
  'migrate-lost',
  'finalize-failure',
] as const;
export type Drill = (typeof DRILLS)[number];

/** The execution input, complete: what was given, merged with the deployed defaults. */
export interface Request {
  readonly action: Action;
  /** `head`, `base`, a revision or a unique start of one, `+N` or `-N`. */
  readonly target: string;
  /** A key of migrations/databases.json. */
  readonly database: string;
  /** Whether a snapshot is taken before anything is changed. */
  readonly snapshot: boolean;
  /** Whether what the upgrade retires is dropped once validation has passed. */
  readonly finalize: boolean;
  readonly drill?: Drill | undefined;
}

export interface Execution {
  readonly name: string;
  readonly arn: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** The server that holds the database, as RDS describes it. */
export interface Instance {
  readonly kind: 'instance' | 'cluster';
  readonly identifier: string;
  readonly host: string;
  readonly port: number;
  /** The database that was named when the server was made; undefined where none was. */
  readonly databaseName?: string | undefined;
  readonly engineVersion: string;
}

export interface Snapshot {
  readonly id: string;
  readonly arn: string;
  /** `waiting` until the instance can be snapshot; then RDS's own words: `creating`, `available`. */
  readonly status: string;
  readonly createdAt: string;
  /** The command that brings the database back from this snapshot, as a new instance. */
  readonly restoreCommand: string;
  /** Ids of older snapshots that were deleted, beyond `keepSnapshots`. */
  readonly deleted: readonly string[];
}

/** What Reconcile found when the answer of Migrate was lost. */
export interface Reconciliation {
  readonly revision: RevisionId;
  readonly verdict: 'committed' | 'rolled back' | 'elsewhere';
  readonly message: string;
  /** The report of the migration, as the history has it; present where this execution committed it. */
  readonly migration?: RunReport | undefined;
}

/** A validation, and the sentence with which the execution ends if it did not pass. */
export interface Validation extends ValidationReport {
  readonly cause: string;
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
  readonly downgrade?: RunReport;
  readonly downgradeValidation?: Validation;
  /** The last error that a state caught. */
  readonly failure?: { readonly Error: string; readonly Cause: string };
}

/**
 * The migration that this execution itself committed; undefined where it found the work done, or did none.
 * Only what an execution has done may it finalize unasked or take back.
 */
export function committedMigration({
  migration,
  reconciliation,
}: Partial<ExecutionState>): RunReport | undefined {
  const run = migration ?? reconciliation?.migration;
  return run?.outcome === 'upgraded' ? run : undefined;
}
