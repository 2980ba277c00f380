// Where SQL comes from: from a position in the text that was sent back to file, line and column.
import type { Statement } from '../grammar/statement.ts';
import { unitsOfCharacters } from '../grammar/units.ts';
import type { Location } from '../model/location.ts';

/** Where in a file some SQL begins. Lines and columns count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** In UTF-16 units from the beginning of the file. */
  readonly offset: number;
}

/** SQL of a revision; without an origin it is the engine's own. */
export interface Source {
  readonly sql: string;
  readonly origin?: Origin | undefined;
  /** Its statements. Places count from the beginning of the file. */
  readonly statements?: readonly Statement[] | undefined;
}

/** The text that is sent when the engine wraps a revision's SQL: its own words are plain strings. */
export type Pieces = readonly (string | Source)[];

export function textOf(pieces: Pieces): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : piece.sql)).join('');
}

/**
 * The location of a position that the server reports.
 *
 * @param position in characters from 1, as PostgreSQL counts
 * @returns undefined if the engine's own words before any of the revision's SQL are meant
 */
export function locate(pieces: Pieces, position: number): Location | undefined {
  // PostgreSQL counts characters, JavaScript UTF-16 units.
  let rest = unitsOfCharacters(textOf(pieces), position - 1);
  let last: Location | undefined;
  for (const piece of pieces) {
    const text = typeof piece === 'string' ? piece : piece.sql;
    const inside = rest < text.length;
    if (typeof piece !== 'string') last = locationAt(piece, inside ? rest : text.trimEnd().length);
    // An error in the words behind a query is an error at its end.
    if (inside) return last;
    rest -= text.length;
  }
  return last;
}

/** A longer line is kept only around the place. In UTF-16 units. */
const LONGEST_LINE = 2_000;

/** The location of an offset in UTF-16 units from 0. */
export function locationAt({ sql, origin }: Source, offset: number): Location | undefined {
  if (!origin) return undefined;
  const begin = lineBegin(sql, offset);
  const end = sql.indexOf('\n', offset);
  const lines = countLines(sql, begin);
  const indent = lines === 0 ? origin.column - 1 : 0;
  const text = sql.slice(begin, end < 0 ? sql.length : end).replace(/\r$/, '');
  // The first line of a query may begin in the middle of a line of the file.
  const whole = ' '.repeat(indent) + text;
  return {
    file: origin.file,
    line: origin.line + lines,
    column: indent + charactersIn(sql, begin, offset) + 1,
    ...(whole.length > LONGEST_LINE ? { text: undefined } : { text: whole }),
  };
}

/** The beginning of the line of a place. */
export function lineBegin(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
}

/** How many lines end before that place. */
export function countLines(text: string, end: number, start = 0): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function charactersIn(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; count++) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
  return count;
}

/** A part of the SQL, from one place of the file to another. */
export function within(source: Source, start: number, end: number): Source {
  const from = source.origin?.offset ?? 0;
  const begin = locationAt(source, start - from);
  return {
    sql: source.sql.slice(start - from, end - from),
    origin: source.origin &&
      begin && { file: begin.file, line: begin.line, column: begin.column ?? 1, offset: start },
  };
}

/**
 * The line on which a statement begins.
 *
 * @param completed how many statements of the SQL were completed before it
 * @returns the first line of the SQL, without its text, if the statement cannot be found
 */
export function locateStatement(source: Source, completed: number): Location | undefined {
  const statement = source.statements?.[completed];
  const location = locationAt(source, statement ? statement.start - (source.origin?.offset ?? 0) : 0);
  return location && { ...location, column: undefined, ...(statement === undefined && { text: undefined }) };
}

/** The server's report of an error inside a DO statement. */
export interface InsideDo {
  /** How many statements of the SQL were completed before. */
  readonly completed: number;
  /** The line in its body, from 1: the line on which the body is opened. */
  readonly line: number;
  /** The SQL that PL/pgSQL ran there, and the position in it in characters from 1. */
  readonly query?: string | undefined;
  readonly position?: number | undefined;
}

/** The location of an error in the body of a DO statement; only its line, if the column cannot be found. */
export function locateInDo(source: Source, inside: InsideDo): Location | undefined {
  const body = source.statements?.[inside.completed]?.body;
  if (body === undefined) return undefined;
  let start = body - (source.origin?.offset ?? 0);
  for (let line = 1; line < inside.line; line++) {
    const end = source.sql.indexOf('\n', start);
    if (end < 0) return undefined;
    start = end + 1;
  }
  const { query, position } = inside;
  const found =
    query === undefined || position === undefined ? undefined : findQuery(source.sql, start, query);
  if (found !== undefined) {
    return locationAt(source, found + unitsOfCharacters(query as string, (position as number) - 1));
  }
  const location = locationAt(source, start);
  return location && { ...location, column: undefined };
}

/** In characters: a shorter text may match at the wrong place. */
const SHORTEST_QUERY = 4;

/** The place from which PL/pgSQL took the query: it blanks other words, such as INTO and its variables. */
function findQuery(sql: string, from: number, query: string): number | undefined {
  if (query.length < SHORTEST_QUERY) return undefined;
  const last = sql.length - query.length;
  for (let at = from; at <= last; at++) {
    if (sql[at] === query[0] && isThere(sql, at, query)) return at;
  }
  return undefined;
}

function isThere(sql: string, at: number, query: string): boolean {
  for (let index = 0; index < query.length; index++) {
    if (query[index] !== ' ' && query[index] !== sql[at + index]) return false;
  }
  return true;
}
