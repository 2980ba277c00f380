// The header of a revision's SQL file: its title and its `-- Key: value` lines, none of which may be overlooked.

import { readGap } from '../grammar/gap.ts';
import { BackstopError } from '../model/errors.ts';
import { commentLines, opensSection } from './directives.ts';
import { isNear } from './near.ts';
import { countLines } from './origin.ts';
import type { SqlText } from './text.ts';

/** A key of the header, as it is written. */
export const KEYS = [
  'Revision',
  'Revises',
  'Create Date',
  'Branch',
  'Locks',
  'Scans',
  'Retires',
  'Search path',
  'Refuses',
  'Counted Steps',
  'Transaction',
] as const;
export type Key = (typeof KEYS)[number];

export interface Header {
  /** The first comment line. */
  readonly title: string;
  readonly values: ReadonlyMap<Key, string>;
}

/** One to three words and a colon. */
const KEY_LINE = /^--\s*([A-Za-z]+(?: [A-Za-z]+){0,2})\s*:(?:\s+(.*))?$/;

/** The header of a file: its comment lines above the first statement and the first section. Throws as readHeader does. */
export function readHeaderOf({ text, path }: SqlText, keys: readonly Key[]): Header {
  const lines: string[] = [];
  let line = 0;
  let counted = 0;
  let isOurs = false;
  for (const { start, end } of commentLines(text, readGap(text, 0).comments)) {
    const comment = text.slice(start, end);
    isOurs = opensSection(comment);
    if (isOurs) break;
    line += countLines(text, start, counted);
    counted = start;
    while (lines.length < line) lines.push('');
    lines.push(comment);
  }
  // If SQL comes before the first section, the comments below the block of keys are its author's own.
  return readHeader(isOurs ? lines : blockOf(lines), keys, path);
}

/**
 * Reads the comment lines at the top of a file. The keys form one block below the title; text after an empty
 * comment line is for people.
 *
 * @param keys the keys that are read in this file
 * @param path names the file in errors
 * @throws RevisionInvalid with file and line for a key that is unknown, misspelt, given twice or in the wrong place
 */
function readHeader(lines: readonly string[], keys: readonly Key[], path: string): Header {
  const first = lines.findIndex((line) => line.startsWith('--'));
  const title = lines[first]?.replace(/^--\s*/, '').trim() ?? '';
  const values = new Map<Key, string>();
  // A file without a title begins with its keys.
  const begin = keyOf(title === '' ? '' : `-- ${title}`)?.known ? first : first + 1;
  let amongKeys = keys.length > 0;
  for (const [index, line] of lines.entries()) {
    if (index < begin) continue;
    amongKeys &&= !isEmpty(line);
    const found = keyOf(line);
    if (!found) continue;
    const place = `${path}:${index + 1}`;
    requireReadable(found, keys, amongKeys, place);
    if (found.known === undefined) continue;
    if (values.has(found.known))
      throw invalid(place, `"${found.known}" is given twice`, 'Remove one of the lines.');
    values.set(found.known, found.value);
  }
  return { title, values };
}

/** The lines up to the first empty comment line below the title. */
function blockOf(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.startsWith('--'));
  const end = lines.findIndex((line, index) => index > first && isEmpty(line));
  return end < 0 ? lines : lines.slice(0, end);
}

function isEmpty(line: string): boolean {
  return line.replace(/^--/, '').trim() === '';
}

interface Found {
  /** As the file has it. */
  readonly written: string;
  readonly known: Key | undefined;
  readonly value: string;
}

/** The key of a line; undefined if the line has no key. */
function keyOf(line: string): Found | undefined {
  const [, written, value = ''] = KEY_LINE.exec(line) ?? [];
  if (written === undefined) return undefined;
  const known = KEYS.find((key) => key.toLowerCase() === written.toLowerCase());
  return { written, known, value: value.trim() };
}

function requireReadable(
  { written, known }: Found,
  keys: readonly Key[],
  amongKeys: boolean,
  place: string,
): void {
  if (known !== undefined) {
    if (!keys.includes(known)) throw invalid(place, `"${known}" is not read in this file`, readIn(known));
    if (amongKeys) return;
    throw invalid(
      place,
      `"${known}" is below the header, and would not be read`,
      'Move it up, below the title and above the first empty comment line.',
    );
  }
  const near = keys.find((key) => isNear(key, written));
  // A file without an id of a revision is a file of checks: its other lines are for people.
  if (near === undefined && !(amongKeys && keys.includes('Revision'))) return;
  throw invalid(
    place,
    `the header has an unknown key "${written}"`,
    near === undefined
      ? `Use one of: ${keys.join(', ')}; or put an empty comment line (--) above text for people.`
      : `Write "${near}:", or reword the line.`,
  );
}

const EVERYWHERE = 'upgrade.sql, downgrade.sql and finalize.sql';
/** The files of the keys that not only upgrade.sql has. */
const FILES: Partial<Record<Key, string>> = {
  Revision: EVERYWHERE,
  Locks: EVERYWHERE,
  Scans: EVERYWHERE,
  'Search path': `${EVERYWHERE}, and in the files of verify/`,
  Transaction: 'upgrade.sql and downgrade.sql',
};

function readIn(key: Key): string {
  return `It belongs in ${FILES[key] ?? 'upgrade.sql'}: move it there, or reword the line.`;
}

function invalid(place: string, what: string, hint: string): BackstopError {
  return new BackstopError('RevisionInvalid', { message: `${place}: ${what}`, hint });
}
