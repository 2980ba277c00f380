// Every way in which a run can fail, with the promise of each ending about the database.
//
// The names are public: the state machine matches them, an execution ends with one of them, and the exit message of
// the command line starts with the same sentence. A revision may declare more of them in its header (`-- Refuses:`).
import { cut } from './bounded.ts';
import { describeLocation, type Location } from './location.ts';
import { printable } from './printable.ts';

/** The state of the database when an execution has ended with an error. */
export type DatabaseState =
  /** The failed step has changed nothing itself. */
  | 'unchanged'
  /** The upgrade of this execution, if committed, was downgraded. The ending says how the schema compares with the one before, and names the losses. */
  | 'downgraded'
  /** The run was committed and is valid; something after it is still to do. */
  | 'at target'
  /** A person has to look: the error says how far it got, and how to restore. */
  | 'needs a person';

/** The promise of an ending, as data: the source of `docs/endings.md` and of the state machine's descriptions. */
export interface EndingPromise {
  readonly database: DatabaseState;
  readonly meaning: string;
}

/**
 * Name of an ending → its promise. An execution's `Error` is one of these keys, or a name that a revision declares.
 */
export const ENDINGS = {
  InvalidInput: { database: 'unchanged', meaning: 'The execution input names an unknown field or value.' },
  ConfigurationError: {
    database: 'unchanged',
    meaning: 'The deployed configuration does not fit the account.',
  },
  SecretMalformed: { database: 'unchanged', meaning: 'The secret is not JSON with username and password.' },
  CredentialsRejected: { database: 'unchanged', meaning: 'The server refused the user name or password.' },
  DatabaseNotFound: { database: 'unchanged', meaning: 'The server has no database of that name.' },
  DatabaseUnreachable: { database: 'unchanged', meaning: 'No connection to the server could be made.' },
  SessionNotKept: {
    database: 'unchanged',
    meaning: 'A pooler gives each transaction to another session of the server.',
  },
  ReadOnlyServer: { database: 'unchanged', meaning: 'The server is a standby, which only reads.' },
  WrongDatabase: {
    database: 'unchanged',
    meaning: 'The connection leads to the database of another system or branch.',
  },
  ServerTooOld: { database: 'unchanged', meaning: 'The server is older than PostgreSQL 14.' },
  ExtensionMissing: {
    database: 'unchanged',
    meaning: 'A required extension is not installed.',
  },
  PrivilegeMissing: {
    database: 'unchanged',
    meaning: 'The user lacks a privilege, or the database a schema, that the run needs.',
  },
  StrangersObject: {
    database: 'unchanged',
    meaning: 'An object has the name of one of Backstop’s own, and somebody else has made it.',
  },
  StrangersOverload: {
    database: 'unchanged',
    meaning: 'Others have put something into the search path that SQL could call by mistake.',
  },
  RevisionInvalid: { database: 'unchanged', meaning: 'The revision folders do not form one readable chain.' },
  UnknownRevision: { database: 'unchanged', meaning: 'The revision has no folder under migrations/.' },
  RevisionOutOfOrder: {
    database: 'unchanged',
    meaning:
      'The chain has a revision that no run applied below the current one, or an applied revision above it.',
  },
  DatabaseBusy: { database: 'unchanged', meaning: 'A lock was not granted in time; the blockers are named.' },
  LockTooLong: {
    database: 'unchanged',
    meaning: 'An upgrade was expected to lock a table for longer than it may, and was not begun.',
  },
  PlanChanged: {
    database: 'unchanged',
    meaning: 'The revisions to run, or their files, differ from the plan.',
  },
  Drifted: {
    database: 'unchanged',
    meaning: 'The schema has changed since the last run, and not by a run of Backstop.',
  },
  WouldLoseData: {
    database: 'unchanged',
    meaning: 'An upgrade would delete rows, or drop tables or columns that hold some; nothing allowed it.',
  },
  SnapshotFailed: { database: 'unchanged', meaning: 'The snapshot could not be taken.' },
  SnapshotQuotaExceeded: { database: 'unchanged', meaning: 'The account holds as many snapshots as it may.' },
  MigrationTimeout: {
    database: 'unchanged',
    meaning: 'The transaction exceeded its time and was rolled back.',
  },
  MigrationRefused: {
    database: 'unchanged',
    meaning: 'A revision refused to run and raised an exception; rolled back.',
  },
  MigrationFailed: { database: 'unchanged', meaning: 'A step failed; rolled back.' },
  NotAtTarget: {
    database: 'unchanged',
    meaning: 'A status or finalize found the database at another revision.',
  },
  PartlyApplied: {
    database: 'downgraded',
    meaning: 'A later transaction of the run failed; the committed ones were downgraded.',
  },
  ValidationFailed: {
    database: 'downgraded',
    meaning: 'Checks failed; the revisions of this execution were downgraded.',
  },
  FinalizeFailed: {
    database: 'at target',
    meaning: 'Migrated and valid, but retired tables may still be there.',
  },
  DowngradeIncomplete: {
    database: 'needs a person',
    meaning: 'The downgrade was committed, and the schema is not as it was before the upgrade.',
  },
  DowngradeFailed: {
    database: 'needs a person',
    meaning: 'The downgrade did not complete; restore or repair.',
  },
  OutcomeUnknown: { database: 'needs a person', meaning: 'The database could not be asked what is true.' },
} as const satisfies Record<string, EndingPromise>;

export type EndingName = keyof typeof ENDINGS;

/** The name of an ending: a key of ENDINGS, or a name that a revision declares, whose database is unchanged. */
export type AnyEnding = EndingName | (string & {});

/** One line, whatever is in it, or Backstop's own lines. A line end inside a line is not printed as one. */
export type Lines = string | readonly string[];

/** The lines of an error, in PostgreSQL's own shape. */
export interface ErrorText {
  /** One sentence: the error. */
  readonly message: string;
  /** The value that was received or found. */
  readonly detail?: Lines | undefined;
  /** The exact remedy. */
  readonly hint?: Lines | undefined;
  /** Where in the files of a revision it is wrong. */
  readonly location?: Location | undefined;
}

/**
 * An ending as an error: one class, told apart by `name`. `message` holds all lines, because AWS Lambda returns
 * nothing but `name` and `message`; `summary`, `location`, `detail` and `hint` are the lines apart. All of them are safe
 * to print. The cause has nothing but the code of an error of the server, whose fields may hold rows.
 */
export class BackstopError extends Error {
  override readonly name: AnyEnding;
  readonly summary: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly location: Location | undefined;

  constructor(name: AnyEnding, text: ErrorText, options?: ErrorOptions) {
    super(formatError(text), options && { ...options, cause: withoutFields(options.cause) });
    this.name = name;
    this.summary = printable(text.message);
    this.detail = linesOf(text.detail)?.join('\n');
    this.hint = linesOf(text.hint)?.join('\n');
    this.location = text.location;
  }
}

/** A server's error as a cause: a printer of causes prints all their fields. */
class ServerErrorCause extends Error {
  override readonly name = 'ServerError';
  readonly code: string;

  constructor(code: string) {
    super(`SQLSTATE ${code}`);
    this.code = code;
  }
}

/** The driver's errors of the server have a severity and a code. */
function withoutFields(cause: unknown): unknown {
  const isServers = cause instanceof Error && 'severity' in cause && 'code' in cause;
  return isServers ? new ServerErrorCause(String(cause.code)) : cause;
}

function linesOf(lines: Lines | undefined): string[] | undefined {
  if (lines === undefined) return undefined;
  return typeof lines === 'string' ? [printable(lines)] : lines.map(printable);
}

/** In characters: a server may quote a statement of megabytes. */
const LONGEST_LINE = 5_000;

/** The lines of an error whose words are not Backstop's, each of bounded length. */
export function cutLines(text: ErrorText): ErrorText {
  const { message, detail, hint } = text;
  return {
    ...text,
    message: cut(message, LONGEST_LINE),
    ...(detail !== undefined && { detail: cutEach(detail) }),
    ...(hint !== undefined && { hint: cutEach(hint) }),
  };
}

function cutEach(lines: Lines): Lines {
  return typeof lines === 'string' ? cut(lines, LONGEST_LINE) : lines.map((line) => cut(line, LONGEST_LINE));
}

/** Whether the name belongs to an ending of the engine; a revision may declare others. */
export function isEndingName(name: string): name is EndingName {
  return Object.hasOwn(ENDINGS, name);
}

/** Whether the error is that ending. */
export function isEnding(error: unknown, name: AnyEnding): error is BackstopError {
  return error instanceof BackstopError && error.name === name;
}

/** The lines of an error as PostgreSQL and the execution contract print them. */
export function formatError({ message, detail, hint, location }: ErrorText): string {
  const lines = [
    printable(message),
    ...(location ? describeLocation(location) : []),
    ...labelled('DETAIL', detail),
    ...labelled('HINT', hint),
  ];
  return lines.join('\n');
}

function labelled(label: string, text: Lines | undefined): string[] {
  const lines = linesOf(text)?.join('\n');
  return lines ? [`${label}:  ${lines}`] : [];
}
