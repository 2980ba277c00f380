// How a revision's SQL files are read: a header of comment lines, then titled sections.
//
// The text stays SQL that psql runs as it is: everything Backstop reads stands in comments.
import { BackstopError } from '../model/errors.ts';

type Kind = 'step' | 'check' | 'gather';

/** A part of a file between one `-- step: …`, `-- check: …` or `-- gather: …` line and the next. */
export interface Section {
  readonly kind: Kind;
  readonly title: string;
  /** The SQL below the title line, comments included. */
  readonly sql: string;
}

export interface SqlFile {
  /** The first comment line. */
  readonly title: string;
  /** The `-- Key: value` lines of the header, keys in lower case. */
  readonly header: ReadonlyMap<string, string>;
  readonly sections: readonly Section[];
}

/** What opens a section in a file of steps, and in one of checks. */
const OPENERS: Readonly<Record<'step' | 'check', RegExp>> = {
  step: /^--\s*(step):(.*)$/,
  check: /^--\s*(check|gather):(.*)$/,
};
const HEADER_LINE = /^--\s*([A-Z][A-Za-z ]*?):\s*(.*)$/;

/**
 * Splits the text of a file into its header and its sections.
 *
 * @param holds what the file is for: steps, or checks and what they gather
 * @param path names the file in errors
 * @throws RevisionInvalid where SQL stands before the first section, or a section has no title or no SQL
 */
export function parseSqlFile(text: string, holds: 'step' | 'check', path: string): SqlFile {
  const head: string[] = [];
  const sections: { kind: Kind; title: string; lines: string[] }[] = [];
  for (const [index, line] of text.replaceAll('\r\n', '\n').split('\n').entries()) {
    const opened = OPENERS[holds].exec(line);
    const kind = opened?.[1] as Kind | undefined;
    const title = opened?.[2]?.trim();
    if (title === '') {
      throw new BackstopError('RevisionInvalid', {
        message: `${path} line ${index + 1}: a ${kind} has no title`,
        hint: `Write what it does after the colon: -- ${kind}: Adding a column`,
      });
    }
    if (kind !== undefined && title !== undefined) sections.push({ kind, title, lines: [] });
    else (sections.at(-1)?.lines ?? head).push(line);
  }
  const stray = head.findIndex((line) => line.trim() !== '' && !line.startsWith('--'));
  if (stray >= 0) {
    throw new BackstopError('RevisionInvalid', {
      message: `${path} line ${stray + 1}: SQL stands before the first "-- ${holds}:" line`,
      hint: `Open it with a line such as: -- ${holds}: Adding a column`,
    });
  }
  const empty = sections.find(
    ({ lines }) => !lines.some((line) => line.trim() !== '' && !line.startsWith('--')),
  );
  if (empty) {
    throw new BackstopError('RevisionInvalid', {
      message: `${path}: the ${empty.kind} "${empty.title}" has no SQL`,
      hint: 'Write its statements below the title line, or remove the line.',
    });
  }
  return {
    title:
      head
        .find((line) => line.startsWith('--'))
        ?.replace(/^--\s*/, '')
        .trim() ?? '',
    header: new Map(
      head.flatMap((line) => {
        const match = HEADER_LINE.exec(line);
        return match ? [[match[1]?.toLowerCase() ?? '', match[2]?.trim() ?? ''] as const] : [];
      }),
    ),
    sections: sections.map(({ kind, title, lines }) => ({ kind, title, sql: lines.join('\n').trim() })),
  };
}
