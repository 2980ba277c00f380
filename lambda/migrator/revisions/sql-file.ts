// How a revision's SQL files are read: a header of comment lines, then titled sections.
//
// The text stays SQL that psql runs as it is: everything Backstop reads is a comment.
import { BackstopError } from '../model/errors.ts';
import { type Header, KEYS, type Key, readHeader } from './header.ts';
import { isNear } from './near.ts';
import type { Origin } from './origin.ts';

type Kind = 'step' | 'check' | 'gather';

/** A part of a file between one `-- step: …`, `-- check: …` or `-- gather: …` line and the next. */
export interface Section {
  readonly kind: Kind;
  readonly title: string;
  /** The SQL below the title line, comments included. */
  readonly sql: string;
  readonly origin: Origin;
}

export interface SqlFile extends Header {
  readonly sections: readonly Section[];
}

/** The directives of a file, by its purpose. */
const DIRECTIVES: Readonly<Record<'step' | 'check', readonly string[]>> = {
  step: ['step'],
  check: ['check', 'gather', 'shown as'],
};
const OPENERS: readonly string[] = ['step', 'check', 'gather'];
const DIRECTIVE_LINE = /^--\s*([A-Za-z]+(?:[ _-][A-Za-z]+)?)\s*:(.*)$/;
/** The text that the template of a new revision leaves to its author. */
const PLACEHOLDER = /^(?:-- check:.*|SELECT ')replace this with /;

/**
 * Splits the text of a file into its header and its sections.
 *
 * @param holds the purpose of the file: steps, or checks and their shared tables
 * @param path names the file in errors
 * @param keys those of the header that are read in this file
 * @throws RevisionInvalid with file and line if SQL comes before the first section, a section has no title or no SQL,
 *   a directive or a key is misspelt, or a placeholder of the template is left
 */
export function parseSqlFile(
  text: string,
  holds: 'step' | 'check',
  path: string,
  keys: readonly Key[] = holds === 'step' ? KEYS : [],
): SqlFile {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const openings = lines.flatMap((line, index) => {
    refusePlaceholder(line, `${path}:${index + 1}`);
    const opening = openingOf(line, holds, `${path}:${index + 1}`);
    return opening ? [{ ...opening, index }] : [];
  });
  const head = lines.slice(0, openings[0]?.index);
  const stray = head.findIndex((line) => line.trim() !== '' && !line.startsWith('--'));
  if (stray >= 0) {
    throw invalid(
      `${path}:${stray + 1}: SQL comes before the first "-- ${holds}:" line`,
      `Open it with a line such as: -- ${holds}: Adding a column`,
    );
  }
  const sections = openings.map(({ kind, title, index }, number) => {
    const body = lines.slice(index + 1, openings[number + 1]?.index);
    return { kind, title, ...sqlOf(body, path, index + 2, `the ${kind} "${title}"`) };
  });
  return { ...readHeader(head, keys, path), sections };
}

/** The section that a line opens; undefined if it opens none. */
function openingOf(
  line: string,
  holds: 'step' | 'check',
  place: string,
): { kind: Kind; title: string } | undefined {
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
  if (title !== '') return { kind: word as Kind, title };
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

function refusePlaceholder(line: string, place: string): void {
  if (!PLACEHOLDER.test(line)) return;
  throw invalid(
    `${place}: a placeholder of the template is left`,
    'Write what the line says instead of it, or remove the section.',
  );
}

/** The lines of a section without the empty ones around them. */
function sqlOf(
  lines: readonly string[],
  file: string,
  line: number,
  what: string,
): Pick<Section, 'sql' | 'origin'> {
  const first = lines.findIndex((text) => text.trim() !== '');
  if (!lines.some((text) => text.trim() !== '' && !text.startsWith('--'))) {
    throw invalid(
      `${file}:${line - 1}: ${what} has no SQL`,
      'Write its statements below the title line, or remove the line.',
    );
  }
  return { sql: lines.slice(first).join('\n').trimEnd(), origin: { file, line: line + first, column: 1 } };
}

function invalid(message: string, hint: string): BackstopError {
  return new BackstopError('RevisionInvalid', { message, hint });
}
