// The meaning of a server's error: SQLSTATE in, one of our endings out.
import pg from 'pg';
import { BackstopError, cutLines, type ErrorText } from '../model/errors.ts';
import type { Location } from '../model/location.ts';
import { locate, locateInDo, locateStatement, type Pieces, textOf } from '../revisions/origin.ts';
import type { Refusals } from '../revisions/refusals.ts';
import { ConnectionLost } from './client.ts';
import { describeFunction, type ServerMessage, type Speaker, speakerOf, wordsOf } from './server-words.ts';

/** A server's error as the driver throws it. */
export interface ServerError extends Error, Omit<ServerMessage, 'code' | 'message'> {
  readonly code: string;
  /** In characters from 1, in the text that was sent. */
  readonly position?: string;
  /** In characters from 1, in `internalQuery`, which a function of the server ran. */
  readonly internalPosition?: string;
  readonly internalQuery?: string;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof pg.DatabaseError && error.code !== undefined;
}

/** A lock was not granted in time (55P03), or a deadlock was broken at our cost (40P01): begin again. */
function isLockFailure(error: unknown): boolean {
  return isServerError(error) && (error.code === '55P03' || error.code === '40P01');
}

/** The server cancelled the statement (57014): its time was up, or another session cancelled it. */
export function isCancelled(error: unknown): boolean {
  return isServerError(error) && error.code === '57014';
}

/** The user lacks a privilege (42501). */
export function isDenied(error: unknown): boolean {
  return isServerError(error) && error.code === '42501';
}

/** The connection ended, by the network or by us; the operating system's codes begin with E. */
function isConnectionLoss(error: unknown): error is Error {
  if (error instanceof ConnectionLost) return true;
  return error instanceof Error && /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '');
}

/** The SQL that was sent when the error came. */
export interface Sent {
  readonly pieces?: Pieces | undefined;
  /** How many statements of it were completed before; default: none. */
  readonly completed?: number | undefined;
  /** The endings that the revision declares for its own exceptions. */
  readonly refuses?: Refusals | undefined;
  /** The functions that the run makes, in quotes: they speak for the revision. */
  readonly functions?: readonly string[] | undefined;
}

/**
 * The ending for an error that stopped a step. The transaction is rolled back in every case.
 *
 * @param place where it happened, e.g. `step 2/3 of 002 (Adding a column)`
 */
export function stepError(error: unknown, place: string, sent: Sent = {}): BackstopError {
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
  return serverError(error, place, sent);
}

/** SQLSTATE → the remedy, where a revision's header has it. */
const HINTS: Readonly<Record<string, string>> = {
  // A new enum value is used in the transaction that adds it.
  '55P04':
    'Add the enum value in a revision before this one, and write "-- Transaction: own" in the header of its upgrade.sql: its transaction is then committed before the value is used.',
};

const CORRECT = 'Everything was rolled back. Correct the cause or the revision, then run again.';
const DENIED =
  'Everything was rolled back. Grant the user this privilege, or, if only an owner may do it, membership in the owner: GRANT owner TO user; then run again.';

function serverError(error: ServerError, place: string, sent: Sent): BackstopError {
  const options = { cause: error };
  const { code, message, detail, hint } = error;
  const speaker = speakerOf(error, sent.functions);
  const isLock = isLockFailure(error);
  if (speaker === 'revision') {
    const declared = isLock ? 'DatabaseBusy' : sent.refuses?.get(code);
    // The words of a declared refusal are the revision's own, and complete.
    if (declared) return new BackstopError(declared, cutLines({ message, detail, hint }), options);
    return new BackstopError('MigrationRefused', refusalOf(error, place, sent), options);
  }
  if (speaker !== 'server') {
    const name = isLock ? 'DatabaseBusy' : 'MigrationRefused';
    return new BackstopError(name, raisedElsewhere(error, speaker, place, sent), options);
  }
  const location = locationOf(error, sent);
  const words = wordsOf(error, textOf(sent.pieces ?? []), location?.column !== undefined);
  if (isLock) return new BackstopError('DatabaseBusy', cutLines(words), options);
  return new BackstopError(
    'MigrationFailed',
    cutLines({
      message: `${words.message} (SQLSTATE ${code}) in ${place}`,
      detail: words.detail,
      hint: HINTS[code] ?? words.hint ?? (isDenied(error) ? DENIED : CORRECT),
      location,
    }),
    options,
  );
}

/** An exception that the revision itself has raised on purpose, in its own words. */
function refusalOf(error: ServerError, place: string, sent: Sent): ErrorText {
  const { message, detail, hint } = error;
  return cutLines({
    message,
    detail: detail ?? `Raised in ${place}; everything was rolled back.`,
    hint: hint ?? 'Do what the message says, then run again.',
    location: locationOf(error, sent),
  });
}

/** An exception of a function, a trigger's for example: its words may hold rows, or imitate those of Backstop. */
function raisedElsewhere(
  error: ServerError,
  speaker: Exclude<Speaker, string>,
  place: string,
  sent: Sent,
): ErrorText {
  return cutLines({
    message: `${describeFunction(speaker)} raised an exception (SQLSTATE ${error.code}) in ${place}`,
    detail: "Its words are not printed, because they may hold values of rows: they are in the server's log.",
    hint: 'Everything was rolled back. Do what the function asks for, or correct it or the revision; then run again.',
    location: locationOf(error, sent),
  });
}

/** Where in the revision it is wrong. */
function locationOf(error: ServerError, { pieces = [], completed = 0 }: Sent): Location | undefined {
  // The last one is the query; those before it are gathered for it.
  const source = pieces.findLast((piece) => typeof piece !== 'string');
  if (!source) return undefined;
  try {
    if (error.position) return locate(pieces, Number(error.position));
    const line = lineInDo(error.where);
    const inside = line === undefined ? undefined : { line, completed };
    const { internalQuery: query, internalPosition: position } = error;
    const found =
      inside && locateInDo(source, { ...inside, query, position: position ? Number(position) : undefined });
    return found ?? locateStatement(source, completed);
  } catch {
    // The error itself must be reported.
    return undefined;
  }
}

/**
 * The line in the body of the DO statement that was running. The words around the name and the number are in the server's
 * language; the name comes first in all of them. It decides only which line is shown.
 */
function lineInDo(where = ''): number | undefined {
  const line = /inline_code_block\D*(\d+)/.exec(where.slice(where.lastIndexOf('inline_code_block')))?.[1];
  return line === undefined ? undefined : Number(line);
}

/** The transaction used up its time. */
export function timeoutError(boundMs: number, place: string, cause: unknown): BackstopError {
  return new BackstopError(
    'MigrationTimeout',
    {
      message: `The transaction took longer than the ${Math.round(boundMs / 1000)} s that it may`,
      detail: `Stopped in ${place}; everything was rolled back.`,
      hint: 'Look for slow queries beside it in pg_stat_activity, then run this and start again: VACUUM ANALYZE;',
    },
    { cause },
  );
}
