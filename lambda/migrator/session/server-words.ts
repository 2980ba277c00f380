// The words of a server's error or notice that are printed: words that cannot hold values of rows, and the words of the revision.
import { withoutQuoted, withoutValues } from '../model/words.ts';

/** The fields of a server's error or notice that decide about its words (protocol: ErrorResponse, NoticeResponse). */
export interface ServerMessage {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly where?: string | undefined;
  /** The server's C function: `exec_stmt_raise` for RAISE. */
  readonly routine?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly dataType?: string | undefined;
  readonly constraint?: string | undefined;
}

/**
 * Where the values of rows can be.
 *
 * - `nowhere`: the words name objects and settings.
 * - `names`: a name may be a value, as in `mail::regclass`: it is printed if the SQL of the revision has it.
 * - `detail`: the message names a constraint or a view, the detail shows the row.
 * - `message`: the message quotes the value, or has it as a number.
 * - `anywhere`: an extension, a function or another server has chosen the words.
 */
type Values = 'nowhere' | 'names' | 'detail' | 'message' | 'anywhere';

/**
 * SQLSTATE or its class, as in PostgreSQL's errcodes.txt → where such an error can have values of rows. Any other class is
 * an extension's or a function's own.
 */
const VALUES: Readonly<Record<string, Values>> = {
  '00': 'nowhere', // successful completion
  '01': 'nowhere', // warning
  '02': 'nowhere', // no data
  '03': 'nowhere', // SQL statement not yet complete
  '08': 'nowhere', // connection exception
  '09': 'nowhere', // triggered action exception
  '0A': 'nowhere', // feature not supported
  '0B': 'nowhere', // invalid transaction initiation
  '0F': 'nowhere', // locator exception
  '0L': 'nowhere', // invalid grantor
  '0P': 'nowhere', // invalid role specification
  '0Z': 'nowhere', // diagnostics exception
  '10': 'message', // XQuery error
  '20': 'nowhere', // case not found
  '21': 'nowhere', // cardinality violation
  '22': 'message', // data exception
  '23': 'detail', // integrity constraint violation
  '24': 'nowhere', // invalid cursor state
  '25': 'nowhere', // invalid transaction state
  '26': 'names', // invalid SQL statement name
  '27': 'nowhere', // triggered data change violation
  '28': 'names', // invalid authorization specification
  '2B': 'nowhere', // dependent privilege descriptors still exist: the detail lists the dependent objects
  '2D': 'nowhere', // invalid transaction termination
  '2F': 'nowhere', // SQL routine exception
  '34': 'names', // invalid cursor name
  '38': 'anywhere', // external routine exception
  '39': 'anywhere', // external routine invocation exception
  '3B': 'names', // savepoint exception
  '3D': 'names', // invalid catalog name
  '3F': 'names', // invalid schema name
  '40': 'nowhere', // transaction rollback
  '42': 'nowhere', // syntax error or access rule violation, apart from names that can be looked up for a value:
  '42601': 'names', // syntax error
  '42602': 'names', // invalid name
  '42622': 'names', // name too long
  '42703': 'names', // undefined column
  '42704': 'names', // undefined object
  '42725': 'names', // ambiguous function
  '42883': 'names', // undefined function
  '42P01': 'names', // undefined table
  '42P02': 'names', // undefined parameter
  '44': 'detail', // WITH CHECK OPTION violation
  '53': 'nowhere', // insufficient resources
  '54': 'nowhere', // program limit exceeded
  '55': 'nowhere', // object not in prerequisite state
  '57': 'nowhere', // operator intervention
  '58': 'names', // system error: a file may be named by a value
  '72': 'nowhere', // snapshot failure
  F0: 'nowhere', // configuration file error
  HV: 'anywhere', // foreign data wrapper error
  P0: 'message', // PL/pgSQL error
  XX: 'message', // internal error
};

/** C functions that send the words of a function's author: PL/pgSQL, PL/Perl, PL/Python, PL/Tcl. */
const RAISERS: ReadonlySet<string> = new Set([
  'exec_stmt_raise',
  'exec_stmt_assert',
  'do_util_elog',
  'plperl_call_perl_func',
  'plperl_call_perl_trigger_func',
  'PLy_output',
  'PLy_elog_impl',
  'pltcl_elog',
  'throw_tcl_error',
]);

/** A function's name with its bracket, or the name that a DO block has. Names that are not simple are quoted. */
const FRAME =
  /((?:(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\.)?(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*))\(|inline_code_block/;

/** Who chose the words: the revision in its own DO block, a function, or the server. */
export type Speaker = 'revision' | 'server' | { readonly function: string | undefined };

/**
 * Who chose the words. The words around the name are in the server's language, and a name can hold anything: the first
 * name decides, and a DO block is the revision's own only if nothing has called it.
 *
 * @param functions that the run itself has made, in quotes
 */
export function speakerOf(
  { code, routine, where = '' }: ServerMessage,
  functions: readonly string[] = [],
): Speaker {
  if (!RAISERS.has(routine ?? '') && code !== 'P0001') return 'server';
  const name = functionIn(where);
  const isOwn = name === undefined && where.includes('inline_code_block') && !where.includes('\n');
  const isMade = name !== undefined && functions.some((made) => isSame(made, name));
  return (isOwn || isMade) && routine?.startsWith('exec_stmt_') ? 'revision' : { function: name };
}

/** Whether both names can be of one function: the server leaves out the schema where it finds the function without it. */
function isSame(made: string, name: string): boolean {
  const [one, other] = [partsOf(made), partsOf(name)];
  return one.at(-1) === other.at(-1) && (other.length === 1 || (one.length > 1 && one.at(-2) === other[0]));
}

function partsOf(name: string): string[] {
  const parts = name.match(/"(?:[^"]|"")*"|[^".]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
}

/** The function of the innermost frame: a line of another kind than a frame may hold a value. */
function functionIn(where: string): string | undefined {
  const frame = FRAME.exec(where);
  const before = where.slice(0, frame?.index).replace(/"$/, '');
  return frame === null || /[":\n]/.test(before) ? undefined : frame[1];
}

/** `The function public.guard`, or `A function`. */
export function describeFunction({ function: name }: Exclude<Speaker, string>): string {
  return name === undefined ? 'A function' : `The function ${name}`;
}

/** The end of a detail of Backstop in place of the server's. */
export const ELSEWHERE = "The values are in the server's log.";

/** The printed words of an error. */
export interface ServerWords {
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/**
 * The words of an error that no function has raised.
 *
 * @param sql the SQL of the revision that was sent
 * @param isLiteral whether the error points at a place in that SQL: then its values are the revision's own
 */
export function wordsOf(error: ServerMessage, sql: string, isLiteral: boolean): ServerWords {
  const { code = '', message = '', detail, hint } = error;
  const whole = { message, detail, hint };
  switch (VALUES[code] ?? VALUES[code.slice(0, 2)] ?? 'anywhere') {
    case 'nowhere':
      return whole;
    case 'detail':
      return { message, detail: describeObjects(error) };
    case 'names':
      return isLiteral || hasNames(sql, message) ? whole : reduced(error, withoutNames(message));
    case 'message':
      return isLiteral ? whole : reduced(error, withoutValues(message));
    case 'anywhere':
      return { message: 'The server refused it', detail: `Its words are not printed. ${ELSEWHERE}` };
  }
}

/** Behind a colon there may be a name without quotation marks. */
const BEHIND_COLON = /:\s+([^:]+)$/;

/** Whether the SQL of the revision has the names that the message quotes. The engine's own SQL names no value. */
function hasNames(sql: string, message: string): boolean {
  if (sql === '') return true;
  const text = sql.toLowerCase();
  const quoted = [...message.matchAll(/"([^"]*)"|«\s?([^»]*?)\s?»|»([^«]*)«|„([^“]*)“|“([^”]*)”/g)];
  const names = quoted.map((found) => found.slice(1).find((name) => name !== undefined) ?? '');
  const last = quoted.length === 0 ? BEHIND_COLON.exec(message)?.[1] : undefined;
  return [...names, ...(last === undefined ? [] : [last])].every(
    (name) => name !== '' && text.includes(name.toLowerCase()),
  );
}

function withoutNames(message: string): string {
  return withoutQuoted(message).replace(BEHIND_COLON, ': …');
}

function reduced({ message: whole, detail }: ServerMessage, message: string): ServerWords {
  return message === whole && detail === undefined ? { message } : { message, detail: ELSEWHERE };
}

/** `Table public.people, constraint people_mail_key. The values are …`. */
function describeObjects({ schema, table, column, dataType, constraint }: ServerMessage): string {
  const within = (name: string) => (schema === undefined ? name : `${schema}.${name}`);
  const objects = [
    table !== undefined && `table ${within(table)}`,
    dataType !== undefined && `type ${within(dataType)}`,
    column !== undefined && `column ${column}`,
    constraint !== undefined && `constraint ${constraint}`,
  ].filter((object) => object !== false);
  if (objects.length === 0) return ELSEWHERE;
  const list = objects.join(', ');
  return `${list.charAt(0).toUpperCase()}${list.slice(1)}. ${ELSEWHERE}`;
}
