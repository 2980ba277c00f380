// The text between two statements: white space, semicolons and comments, and nothing else.
import type { Comment } from './statement.ts';

export interface Gap {
  readonly comments: readonly Comment[];
  /** The place of the first character of a statement, or of a comment that is not closed; or the end of the text. */
  readonly end: number;
}

/** Walks from the end of a statement, or from the beginning of the text, up to the next statement. */
export function readGap(text: string, from: number): Gap {
  const comments: Comment[] = [];
  let at = from;
  while (at < text.length) {
    const start = at;
    if (isBetween(text[at] as string)) {
      at += 1;
    } else if (text.startsWith('--', at)) {
      at = endOfLine(text, at);
      comments.push({ start, end: at, isLine: true });
    } else {
      const end = text.startsWith('/*', at) ? endOfBlock(text, at) : undefined;
      if (end === undefined) break;
      at = end;
      comments.push({ start, end, isLine: false });
    }
  }
  return { comments, end: at };
}

/** White space as PostgreSQL's scanner has it, and the semicolon of an empty statement. */
function isBetween(character: string): boolean {
  return ' \t\n\r\f\v;'.includes(character);
}

/** As in PostgreSQL, a carriage return alone ends a line, too. */
function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}

/** Block comments are nested. Undefined if one is not closed. */
function endOfBlock(text: string, from: number): number | undefined {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    if (text.startsWith('/*', at)) depth += 1;
    else if (text.startsWith('*/', at)) depth -= 1;
    else {
      at += 1;
      continue;
    }
    at += 2;
    if (depth === 0) return at;
  }
  return undefined;
}
