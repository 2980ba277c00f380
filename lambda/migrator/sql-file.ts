// How a revision's SQL files are read: a header of comment lines, then titled sections.
//
// The text stays SQL that psql runs as it is: everything Backstop reads stands in comments.
import { RevisionInvalid } from './errors.ts';

/** A part of a file between one `-- step: …` or `-- check: …` line and the next. */
export interface Section {
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

const HEADER_LINE = /^--\s*([A-Z][A-Za-z ]*?):\s*(.*)$/;

/**
 * Splits the text of a file into its header and its sections.
 *
 * @param kind what opens a section: `step` or `check`
 * @param path names the file in errors
 * @throws RevisionInvalid where SQL stands before the first section, or a section has no title or no SQL
 */
export function parseSqlFile(text: string, kind: 'step' | 'check', path: string): SqlFile {
  const opener = new RegExp(`^--\\s*${kind}:(.*)$`);
  const head: string[] = [];
  const sections: { title: string; lines: string[] }[] = [];
  for (const [index, line] of text.replaceAll('\r\n', '\n').split('\n').entries()) {
    const title = opener.exec(line)?.[1]?.trim();
    if (title === '') {
      throw new RevisionInvalid({
        message: `${path} line ${index + 1}: a ${kind} has no title`,
        hint: `Write what it does after the colon: -- ${kind}: Adding a column`,
      });
    }
    if (title !== undefined) sections.push({ title, lines: [] });
    else (sections.at(-1)?.lines ?? head).push(line);
  }
  const stray = head.findIndex((line) => line.trim() !== '' && !line.startsWith('--'));
  if (stray >= 0) {
    throw new RevisionInvalid({
      message: `${path} line ${stray + 1}: SQL stands before the first "-- ${kind}:" line`,
      hint: `Open it with a line such as: -- ${kind}: Adding a column`,
    });
  }
  const empty = sections.find(
    ({ lines }) => !lines.some((line) => line.trim() !== '' && !line.startsWith('--')),
  );
  if (empty) {
    throw new RevisionInvalid({
      message: `${path}: the ${kind} "${empty.title}" has no SQL`,
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
    sections: sections.map(({ title, lines }) => ({ title, sql: lines.join('\n').trim() })),
  };
}
