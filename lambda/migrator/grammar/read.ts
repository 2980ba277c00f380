// Reads a whole text of SQL, whatever its size: window by window, because a tree takes 60 bytes for each of the text.
//
// A window ends behind a semicolon. Its statements are taken up to the last semicolon: the grammar has decided on
// them before it saw more. A window that was cut within a literal, a body or a comment is no SQL, or ends in
// a statement without its semicolon: it is tried again, first up to the semicolon before the error, then larger.
import { readGap } from './gap.ts';
import type { Comment, Fault, Reading, Statement } from './statement.ts';

/** The statements of a window, or its fault; places count from the window's beginning. */
export type Window =
  | { readonly statements: readonly Statement[] }
  | { readonly fault: Pick<Fault, 'at' | 'kind' | 'message'> };

export type ReadWindow = (sql: string) => Window;

/** In UTF-16 units; the small one is for a text in which a larger one was beyond reach. */
const WINDOW = 500_000;
const SMALL_WINDOW = 8_000;
/** How many semicolons before an error may be within a literal, until a larger window is taken. */
const TRIES = 4;

/**
 * Reads a text. Text that is no SQL becomes a fault, behind all that was read before it.
 *
 * @param first the length of a window at first, in UTF-16 units
 */
export function readSql(text: string, readWindow: ReadWindow, first = WINDOW): Reading {
  // The server would end the text at such a character.
  const nul = text.indexOf('\0');
  if (nul < 0) return readWhole(text, readWindow, first);
  const reading = readWhole(text.slice(0, nul), readWindow, first);
  const fault = { at: nul, from: nul, kind: 'syntax', message: 'a character with the code 0' } as const;
  return { ...reading, fault };
}

function readWhole(sql: string, readWindow: ReadWindow, first: number): Reading {
  const statements: Statement[] = [];
  const comments: Comment[] = [];
  const walk = (from: number) => {
    const gap = readGap(sql, from);
    for (const comment of gap.comments) comments.push(comment);
    return gap.end;
  };
  let size = first;
  let at = walk(0);
  while (at < sql.length) {
    const found = readNext(sql, at, size, readWindow);
    if ('statements' in found) {
      for (const statement of found.statements) {
        statements.push(statement);
        at = walk(statement.end);
      }
    } else if (found.fault.kind === 'reach' && size > SMALL_WINDOW) {
      size = SMALL_WINDOW;
    } else {
      return { statements, comments, fault: { ...found.fault, from: at } };
    }
  }
  return { statements, comments };
}

/** The statements from a place on: at least one, or the fault of the first of them. */
function readNext(sql: string, at: number, first: number, readWindow: ReadWindow): Window {
  for (let size = first; ; size *= 2) {
    const text = sql.slice(at, cutBehind(sql, at, at + size));
    const isRest = at + text.length === sql.length;
    const window = readWindow(text);
    const found = takenOf(window, text, isRest, readWindow);
    if (found.length > 0) return { statements: shifted(found, at) };
    if ('fault' in window && (isRest || window.fault.kind === 'reach')) {
      return { fault: { ...window.fault, at: at + window.fault.at } };
    }
  }
}

/** The statements of a window that can be taken. */
function takenOf(
  window: Window,
  text: string,
  isRest: boolean,
  readWindow: ReadWindow,
): readonly Statement[] {
  if ('fault' in window) {
    return window.fault.kind === 'reach' ? [] : readBefore(text.slice(0, window.fault.at), readWindow);
  }
  return isRest ? window.statements : ended(text, window.statements);
}

/** The statements up to a semicolon before an error; none if none of the last ones ends a statement. */
function readBefore(before: string, readWindow: ReadWindow): readonly Statement[] {
  let end = before.length;
  for (let tries = 0; tries < TRIES; tries++) {
    end = before.lastIndexOf(';', end - 1);
    if (end <= 0) return [];
    const text = before.slice(0, end + 1);
    const window = readWindow(text);
    const found = 'statements' in window ? ended(text, window.statements) : [];
    if (found.length > 0) return found;
  }
  return [];
}

/** The statements up to the last semicolon. */
function ended(text: string, statements: readonly Statement[]): readonly Statement[] {
  const last = statements.at(-1);
  return last === undefined || text[last.end] === ';' ? statements : statements.slice(0, -1);
}

/** The end of a window: behind the last semicolon in it, if possible at the end of a line, or behind the next one. */
function cutBehind(sql: string, from: number, to: number): number {
  if (to >= sql.length) return sql.length;
  // Searched in the window alone, so that no part of a large text is searched again for each window.
  const window = sql.slice(from, to);
  const atLineEnd = Math.max(window.lastIndexOf(';\n'), window.lastIndexOf(';\r\n'));
  const last = atLineEnd > 0 ? atLineEnd : window.lastIndexOf(';');
  const cut = last > 0 ? from + last : sql.indexOf(';', to);
  return cut < 0 ? sql.length : cut + 1;
}

function shifted(statements: readonly Statement[], by: number): Statement[] {
  if (by === 0) return [...statements];
  return statements.map((statement) => {
    const { start, end, gathers, body } = statement;
    return {
      ...statement,
      start: start + by,
      end: end + by,
      ...(gathers && { gathers: { ...gathers, start: gathers.start + by, end: gathers.end + by } }),
      ...(body !== undefined && { body: body + by }),
    };
  });
}
