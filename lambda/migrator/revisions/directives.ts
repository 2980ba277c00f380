// The comment lines that open a section of a file: `-- step: …`, `-- check: …`, `-- gather: …`.
import type { Comment, Span } from '../grammar/statement.ts';
import { BackstopError } from '../model/errors.ts';
import { isNear } from './near.ts';
import { countLines } from './origin.ts';
import type { SqlText } from './text.ts';

/** The purpose of a file: steps, or checks and their shared tables. */
export type Purpose = 'step' | 'check';

/** The line that opens a section. */
export interface Opening extends Span {
  readonly kind: 'step' | 'check' | 'gather';
  readonly title: string;
}

/** The directives of a file, by its purpose. */
const DIRECTIVES: Readonly<Record<Purpose, readonly string[]>> = {
  step: ['step'],
  check: ['check', 'gather', 'shown as'],
};
const OPENERS: readonly string[] = ['step', 'check', 'gather'];
const DIRECTIVE_LINE = /^--\s*([A-Za-z]+(?:[ _-][A-Za-z]+)?)\s*:(.*)$/;

/** The line comments that begin at the beginning of a line, between statements. */
export function commentLines(text: string, comments: readonly Comment[]): Comment[] {
  return comments.filter(
    ({ start, isLine }) => isLine && (start === 0 || text[start - 1] === '\n' || text[start - 1] === '\r'),
  );
}

/** Whether a line opens a section, in a file of any purpose. */
export function opensSection(line: string): boolean {
  return OPENERS.includes(DIRECTIVE_LINE.exec(line)?.[1] ?? '');
}

function opensStep(line: string): boolean {
  return DIRECTIVE_LINE.exec(line)?.[1] === 'step';
}

/**
 * The openings of a file. In a file of steps without a single `-- step:` line, every comment is its author's own.
 *
 * @throws RevisionInvalid for a directive that is misspelt, misplaced or without a title
 */
export function directivesIn(
  { text, path }: SqlText,
  comments: readonly Comment[],
  holds: Purpose,
): Opening[] {
  const lines = commentLines(text, comments);
  if (holds === 'step' && !lines.some(({ start, end }) => opensStep(text.slice(start, end)))) return [];
  let line = 1;
  let counted = 0;
  return lines.flatMap(({ start, end }) => {
    line += countLines(text, start, counted);
    counted = start;
    const opening = openingOf(text.slice(start, end), holds, `${path}:${line}`);
    return opening ? [{ ...opening, start, end }] : [];
  });
}

/** The section that a line opens; undefined if it opens none. */
function openingOf(line: string, holds: Purpose, place: string): Omit<Opening, keyof Span> | undefined {
  const [, word, rest = ''] = DIRECTIVE_LINE.exec(line) ?? [];
  if (word === undefined) return undefined;
  const directives = DIRECTIVES[holds];
  if (!directives.includes(word)) {
    refuseMisspelt(word, directives, place);
    if (!OPENERS.includes(word)) return undefined;
    const file = word === 'step' ? 'upgrade.sql, downgrade.sql or finalize.sql' : 'a file in verify/';
    throw invalid(
      `${place}: a ${word} is not read in this file`,
      `Move it to ${file}, or reword the comment.`,
    );
  }
  if (!OPENERS.includes(word)) return undefined;
  const title = rest.trim();
  if (title !== '') return { kind: word as Opening['kind'], title };
  throw invalid(
    `${place}: a ${word} has no title`,
    `Write what it does after the colon: -- ${word}: Adding a column`,
  );
}

/** A directive that is not read would make its section a part of the one before it. */
function refuseMisspelt(word: string, directives: readonly string[], place: string): void {
  const meant = directives.find((directive) => isNear(directive, word.replace(/[_-]/, ' ')));
  if (meant === undefined) return;
  throw invalid(`${place}: "-- ${word}:" is not a directive`, `Write "-- ${meant}:", or reword the comment.`);
}

function invalid(message: string, hint: string): BackstopError {
  return new BackstopError('RevisionInvalid', { message, hint });
}
