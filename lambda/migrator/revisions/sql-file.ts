// How a revision's SQL files are divided: at the comment lines between statements that open a step, a check or a gather.
//
// The text stays SQL that psql runs as it is: everything Backstop reads is a comment.
import type { Comment, Reader, Reading, Span, Statement } from '../grammar/statement.ts';
import { BackstopError } from '../model/errors.ts';
import type { Location } from '../model/location.ts';
import { directivesIn, type Opening, type Purpose } from './directives.ts';
import { countLines, lineBegin, type Origin, type Source } from './origin.ts';
import { refuseFault, refuseObstacles, refusePlaceholders, wrapperOf } from './refused-sql.ts';
import type { SqlText } from './text.ts';

/** A part of a file between one `-- step: …`, `-- check: …` or `-- gather: …` line and the next. */
export interface Section extends Source {
  readonly kind: Opening['kind'];
  readonly title: string;
  /** The SQL below the title line exactly as the file has it, comments included. */
  readonly sql: string;
  readonly origin: Origin;
  readonly statements: readonly Statement[];
  readonly comments: readonly Comment[];
}

export interface Sections {
  readonly sections: readonly Section[];
  /** The line of a BEGIN that is not sent, nor is its COMMIT; undefined if the file is not enclosed. */
  readonly unwrapped: Location | undefined;
}

/**
 * Divides a file into its sections. A file of steps may have SQL above the first step line, or no such line: that is a
 * step, too.
 *
 * @param title of a step that no line opens
 * @throws RevisionInvalid with file and line if the text is not SQL, a statement cannot run in a revision, a section has
 *   no title or no SQL, a directive is misspelt, or a placeholder of the template is left
 */
export function readSections(file: SqlText, holds: Purpose, read: Reader, title = ''): Sections {
  const reading = read(file.text);
  refuseFault(file, reading);
  const openings = directivesIn(file, reading.comments, holds);
  const wrapper = holds === 'step' ? wrapperOf(reading.statements) : [];
  const kept =
    wrapper.length === 0 ? reading.statements : reading.statements.filter((one) => !wrapper.includes(one));
  const first = openings[0]?.start ?? Number.POSITIVE_INFINITY;
  const implied = impliedOpening(file, kept, first, holds, title);
  const all = implied === undefined ? openings : [implied, ...openings];
  if (holds === 'step') refuseObstacles(file, kept, all);
  refusePlaceholders(file, kept, openings);
  const sent = blanked(file.text, wrapper);
  const sections = divide({ ...file, text: sent }, { ...reading, statements: kept }, all);
  const [begin] = wrapper;
  const line = begin && countLines(file.text, begin.start) + 1;
  return { sections, unwrapped: line === undefined ? undefined : { file: file.path, line } };
}

/** The step of the SQL above the first step line. */
function impliedOpening(
  { text, path }: SqlText,
  [first]: readonly Statement[],
  before: number,
  holds: Purpose,
  title: string,
): Opening | undefined {
  if (first === undefined || first.start >= before) return undefined;
  if (holds === 'check') {
    throw invalid(
      `${path}:${countLines(text, first.start) + 1}: SQL comes before the first "-- check:" line`,
      'Open it with a line such as: -- check: V1.1 the column exists',
    );
  }
  return { kind: 'step', title: title === '' ? path : title, start: first.start, end: first.start };
}

/** The text with blanks in place of the statements and their semicolons, so that every place stays where it is. */
function blanked(text: string, spans: readonly Span[]): string {
  return spans.reduce(
    (rest, { start, end }) =>
      rest.slice(0, start) + rest.slice(start, end + 1).replace(/[^\r\n]/g, ' ') + rest.slice(end + 1),
    text,
  );
}

function divide(file: SqlText, reading: Reading, openings: readonly Opening[]): Section[] {
  const lineAt = linesOf(file.text);
  const statements = portions(reading.statements);
  const comments = portions(reading.comments);
  return openings.map((opening, index) => {
    const to = openings[index + 1]?.start ?? file.text.length;
    const line = lineAt(opening.start);
    const held = statements(opening.end, to);
    if (held.length === 0) {
      throw invalid(
        `${file.path}:${line}: the ${opening.kind} "${opening.title}" has no SQL`,
        'Write its statements below the title line, or remove the line.',
      );
    }
    const begin = beginOf(file.text, opening.end);
    const origin = {
      file: file.path,
      line: lineAt(begin),
      column: begin - lineBegin(file.text, begin) + 1,
      offset: begin,
    };
    const sql = file.text.slice(begin, to).trimEnd();
    const { kind, title } = opening;
    return { kind, title, sql, origin, statements: held, comments: comments(opening.end, to) };
  });
}

/** The beginning of the first line that is not empty; or the place itself, if its own line goes on. */
function beginOf(text: string, from: number): number {
  let at = from;
  let begin = from;
  while (' \t\r\n\f\v'.includes(text[at] as string) && at < text.length) {
    at += 1;
    if (text[at - 1] === '\n') begin = at;
  }
  return begin;
}

/** A function that returns the items of one stretch after the other, in ascending order. */
function portions<Item extends Span>(items: readonly Item[]): (from: number, to: number) => readonly Item[] {
  let next = 0;
  return (from, to) => {
    while (next < items.length && (items[next] as Item).start < from) next += 1;
    const first = next;
    while (next < items.length && (items[next] as Item).start < to) next += 1;
    return items.slice(first, next);
  };
}

/** A function from places in ascending order to their lines, from 1. */
function linesOf(text: string): (place: number) => number {
  let line = 1;
  let counted = 0;
  return (place) => {
    if (place < counted) return line - countLines(text, counted, place);
    line += countLines(text, place, counted);
    counted = place;
    return line;
  };
}

function invalid(message: string, hint: string): BackstopError {
  return new BackstopError('RevisionInvalid', { message, hint });
}
