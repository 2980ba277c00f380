// Where SQL comes from: from a position in the text that was sent back to file, line and column.
import type { Location } from '../model/location.ts';

/** Where in a file some SQL begins. Lines and columns count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** SQL of a revision; without an origin it is the engine's own. */
export interface Source {
  readonly sql: string;
  readonly origin?: Origin | undefined;
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
  let rest = [...textOf(pieces)].slice(0, position - 1).join('').length;
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

/** The location of an offset in UTF-16 units from 0. */
export function locationAt({ sql, origin }: Source, offset: number): Location | undefined {
  if (!origin) return undefined;
  const before = sql.slice(0, offset).split('\n');
  const [last = ''] = before.slice(-1);
  const indent = before.length === 1 ? origin.column - 1 : 0;
  const text = sql.split('\n')[before.length - 1];
  return {
    file: origin.file,
    line: origin.line + before.length - 1,
    column: indent + [...last].length + 1,
    // The first line of a query may begin in the middle of a line of the file.
    text: text === undefined ? undefined : ' '.repeat(indent) + text,
  };
}

/** Comments, quoted texts and names, the ends of statements, and words. */
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|(\$(?:[^\s$\d'"][^\s$'"]*)?\$)([\s\S]*?)\1|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|;|[^\s'"$;/-]+/g;

/** Offsets in UTF-16 units from 0. */
interface Statement {
  readonly start: number;
  /** The text of a DO statement that is quoted by dollars. */
  readonly doBody: number | undefined;
}

/** The statements of SQL; none if a body in standard SQL holds statements. */
function statementsOf(sql: string): Statement[] {
  const statements: Statement[] = [];
  let words: string[] = [];
  let start = 0;
  let doBody: number | undefined;
  const end = () => {
    if (words.length > 0) statements.push({ start, doBody });
    words = [];
    doBody = undefined;
  };
  for (const { 0: token, 1: quote, index } of sql.matchAll(TOKENS)) {
    if (token.startsWith('--') || token.startsWith('/*')) continue;
    if (token === ';') {
      end();
      continue;
    }
    if (words.length === 0) start = index;
    if (quote !== undefined && words[0] === 'DO') doBody ??= index + quote.length;
    words.push(token.toUpperCase());
    if (words.at(-2) === 'BEGIN' && words.at(-1) === 'ATOMIC') return [];
  }
  end();
  return statements;
}

/**
 * The line on which a statement begins.
 *
 * @param completed how many statements of the SQL were completed before it
 * @returns the first line of the SQL, without its text, if the statement cannot be found
 */
export function locateStatement(source: Source, completed: number): Location | undefined {
  const statement = statementsOf(source.sql)[completed];
  const location = locationAt(source, statement?.start ?? 0);
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
  const body = statementsOf(source.sql)[inside.completed]?.doBody;
  if (body === undefined) return undefined;
  let start = body;
  for (let line = 1; line < inside.line; line++) {
    const end = source.sql.indexOf('\n', start);
    if (end < 0) return undefined;
    start = end + 1;
  }
  const { query, position } = inside;
  const found =
    query === undefined || position === undefined ? undefined : findQuery(source.sql, start, query);
  if (found !== undefined) {
    return locationAt(
      source,
      found + [...(query as string)].slice(0, (position as number) - 1).join('').length,
    );
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
