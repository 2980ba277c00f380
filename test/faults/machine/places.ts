// The Tasks in which a fault can happen, and an input that leads to each.
import type { AnyEnding } from '../../../lambda/migrator/model/errors.ts';
import { refusals, type TwinOptions } from '../../machine/twin.ts';

export type Ends = AnyEnding | 'Succeeded';

export interface Place {
  readonly at: NonNullable<TwinOptions['at']>;
  readonly input: Readonly<Record<string, unknown>>;
  /** Variables that differ from the deployment. @default {} */
  readonly environment?: Readonly<Record<string, string>>;
  /** How the execution ends without a fault, or after a fault that a retry overcomes. */
  readonly undisturbed: Ends;
  /** How it ends if the function never answers. */
  readonly silent: Ends;
  /** How it ends if the function dies once before it answers. */
  readonly lostOnce: Ends;
  /** Errors that its function can throw. */
  readonly throws: readonly AnyEnding[];
  /** Those errors whose name the execution keeps; after all others it ends as {@link silent}. */
  readonly refuses: readonly AnyEnding[];
}

const CONNECTION: readonly AnyEnding[] = [
  'ConfigurationError',
  'SecretMalformed',
  'CredentialsRejected',
  'DatabaseNotFound',
  'DatabaseUnreachable',
  'SessionNotKept',
  'ReadOnlyServer',
  'WrongDatabase',
  'ServerTooOld',
  'ExtensionMissing',
  'PrivilegeMissing',
  'RevisionInvalid',
  'StrangersObject',
];
const PLAN: readonly AnyEnding[] = [
  ...CONNECTION,
  'UnknownRevision',
  'RevisionOutOfOrder',
  'InvalidInput',
  'MigrationFailed',
  'StrangersOverload',
];
const REFUSALS: readonly AnyEnding[] = [
  ...refusals,
  'MigrationRefused',
  'LockTooLong',
  'Drifted',
  'PlanChanged',
  'WouldLoseData',
];
const RUN: readonly AnyEnding[] = [...PLAN, ...REFUSALS, 'DatabaseBusy', 'MigrationTimeout'];
/** Examples for a state that handles all errors in the same way. */
const SOME: readonly AnyEnding[] = ['ConfigurationError', 'DatabaseUnreachable', 'MigrationFailed'];

const QUICK = { snapshot: false, finalize: false };
const DOWN = { action: 'downgrade', target: '005', snapshot: false };

/** By the names of the Tasks, in the order of an execution. */
export const PLACES = {
  'Resolve input': {
    at: '005',
    input: QUICK,
    undisturbed: 'Succeeded',
    silent: 'ConfigurationError',
    lostOnce: 'ConfigurationError',
    throws: ['InvalidInput', 'ConfigurationError', 'DatabaseUnreachable'],
    refuses: ['InvalidInput', 'ConfigurationError', 'DatabaseUnreachable'],
  },
  Preflight: {
    at: '005',
    input: QUICK,
    undisturbed: 'Succeeded',
    silent: 'DatabaseUnreachable',
    lostOnce: 'DatabaseUnreachable',
    throws: [...PLAN, ...REFUSALS, 'NotAtTarget'],
    refuses: [...PLAN, ...REFUSALS, 'NotAtTarget'],
  },
  'Take snapshot': {
    at: '005',
    input: { finalize: false },
    undisturbed: 'Succeeded',
    silent: 'SnapshotFailed',
    lostOnce: 'Succeeded',
    throws: ['SnapshotFailed', 'SnapshotQuotaExceeded', 'ConfigurationError'],
    refuses: ['SnapshotFailed', 'SnapshotQuotaExceeded', 'ConfigurationError'],
  },
  Migrate: {
    at: '005',
    input: QUICK,
    undisturbed: 'Succeeded',
    silent: 'MigrationFailed',
    lostOnce: 'MigrationFailed',
    throws: [...RUN, 'OutcomeUnknown'],
    refuses: RUN,
  },
  Reconcile: {
    at: '005',
    input: { ...QUICK, drill: 'migrate-lost' },
    undisturbed: 'Succeeded',
    silent: 'OutcomeUnknown',
    lostOnce: 'Succeeded',
    throws: [...SOME, 'DatabaseBusy'],
    refuses: [],
  },
  Validate: {
    at: '005',
    input: QUICK,
    undisturbed: 'Succeeded',
    silent: 'ValidationFailed',
    lostOnce: 'Succeeded',
    throws: SOME,
    refuses: [],
  },
  'Schedule finalize': {
    at: '005',
    input: { snapshot: false },
    environment: { BACKSTOP_FINALIZE_AFTER_DAYS: '14' },
    undisturbed: 'Succeeded',
    silent: 'FinalizeFailed',
    lostOnce: 'Succeeded',
    throws: ['FinalizeFailed'],
    refuses: [],
  },
  Finalize: {
    at: '005',
    input: { snapshot: false },
    undisturbed: 'Succeeded',
    silent: 'FinalizeFailed',
    lostOnce: 'Succeeded',
    throws: ['FinalizeFailed'],
    refuses: [],
  },
  Downgrade: {
    at: '005',
    input: { drill: 'validation-failure' },
    undisturbed: 'ValidationFailed',
    silent: 'DowngradeFailed',
    lostOnce: 'ValidationFailed',
    throws: ['DowngradeFailed'],
    refuses: ['DowngradeFailed'],
  },
  'Downgrade on request': {
    at: '002',
    input: DOWN,
    undisturbed: 'Succeeded',
    silent: 'DowngradeFailed',
    lostOnce: 'DowngradeFailed',
    throws: [...PLAN, 'DatabaseBusy', 'MigrationTimeout', 'OutcomeUnknown'],
    refuses: [...PLAN, 'DatabaseBusy', 'MigrationTimeout'],
  },
  'Validate downgrade': {
    at: '002',
    input: DOWN,
    undisturbed: 'Succeeded',
    silent: 'DowngradeFailed',
    lostOnce: 'Succeeded',
    throws: [...SOME, 'DowngradeFailed'],
    refuses: ['DowngradeFailed'],
  },
  // The execution has succeeded, whether or not its summary could be made.
  Summarize: {
    at: '005',
    input: QUICK,
    undisturbed: 'Succeeded',
    silent: 'Succeeded',
    lostOnce: 'Succeeded',
    throws: SOME,
    refuses: [],
  },
} as const satisfies Record<string, Place>;

export type PlaceName = keyof typeof PLACES;
