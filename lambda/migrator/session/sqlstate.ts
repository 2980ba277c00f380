// What an error of the server means: SQLSTATE in, one of our endings out.
import { type AnyEnding, BackstopError, type ErrorText } from '../model/errors.ts';

/** The fields of a server's error message that we read (protocol: ErrorResponse). */
export interface ServerError extends Error {
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: string;
  readonly where?: string;
  /** The server's C function: `exec_stmt_raise` where a revision itself raised the error. */
  readonly routine?: string;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && /^[0-9A-Z]{5}$/.test((error as Partial<ServerError>).code ?? '');
}

/** A lock was not granted in time (55P03), or a deadlock was broken at our cost (40P01): begin again. */
function isLockFailure(error: unknown): boolean {
  return isServerError(error) && (error.code === '55P03' || error.code === '40P01');
}

/** The server cancelled the statement (57014): its time was up, or somebody asked for it. */
export function isCancelled(error: unknown): boolean {
  return isServerError(error) && error.code === '57014';
}

/** The connection ended, by the network or by us; the operating system's codes begin with E, the driver has a sentence. */
function isConnectionLoss(error: unknown): error is Error {
  if (!(error instanceof Error) || isServerError(error)) return false;
  return /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '') || /connection/i.test(error.message);
}

/** The SQLSTATEs with which a revision's own RAISE EXCEPTION refuses (E1 to E3, prerequisites). */
const REFUSALS: Readonly<Record<string, AnyEnding>> = {
  '23503': 'ForeignKeyBlocked',
  '23502': 'OrphanedChunks',
  '23514': 'PatternViolation',
  '0A000': 'ServerTooOld',
  '42704': 'ExtensionMissing',
};

/**
 * The ending for an error that stopped a step. The transaction is rolled back in every case.
 *
 * @param place where it happened, e.g. `step 4/8 of 002 (Adding project_id to code_chunks table)`
 */
export function stepError(error: unknown, place: string): BackstopError {
  if (error instanceof BackstopError) return error;
  const options = { cause: error };
  if (isConnectionLoss(error)) {
    return new BackstopError(
      'MigrationFailed',
      {
        message: `The connection was lost in ${place}`,
        detail: `${error.message}. COMMIT had not been sent: the server rolls back.`,
        hint: 'Look into the server log for its reason, then run again.',
      },
      options,
    );
  }
  if (!isServerError(error)) {
    return new BackstopError(
      'MigrationFailed',
      {
        message: `A fault of Backstop itself in ${place}`,
        detail: `${String(error)}. COMMIT had not been sent: the server rolls back.`,
        hint: 'Report it with the log of this run.',
      },
      options,
    );
  }
  const text: ErrorText = { message: error.message, detail: error.detail, hint: error.hint };
  const refusal = error.routine === 'exec_stmt_raise' ? REFUSALS[error.code] : undefined;
  if (refusal) return new BackstopError(refusal, text, options);
  if (isLockFailure(error)) return new BackstopError('DatabaseBusy', text, options);
  return new BackstopError(
    'MigrationFailed',
    {
      message: `${error.message} (SQLSTATE ${error.code}) in ${place}`,
      detail: error.detail ?? error.where?.split('\n')[0],
      hint: error.hint ?? 'All was rolled back. Correct the cause or the revision, then run again.',
    },
    options,
  );
}

/** E4: the transaction used up its time. */
export function timeoutError(boundMs: number, place: string, cause: unknown): BackstopError {
  return new BackstopError(
    'MigrationTimeout',
    {
      message: `Migration timeout exceeded (${Math.round(boundMs / 1000)} seconds)`,
      detail: `Stopped in ${place}; all was rolled back. Consider running on smaller dataset or optimizing index creation`,
      hint: 'Look for slow queries beside it in pg_stat_activity, then run this and start again: VACUUM ANALYZE;',
    },
    { cause },
  );
}
