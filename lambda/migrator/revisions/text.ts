// The text of a revision's file, and the name by which messages call it.
import { readFileSync } from 'node:fs';
import { BackstopError } from '../model/errors.ts';

/** The text of a file of a revision. */
export interface SqlText {
  readonly text: string;
  /** Names the file in errors: `002_remove_non_search_tables/upgrade.sql`. */
  readonly path: string;
}

/** Whatever it cannot read it refuses, instead of changing the SQL; a byte order mark at the beginning is no SQL. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Throws RevisionInvalid if the file cannot be read or is not UTF-8. */
export function readText(path: string): SqlText {
  const bytes = readBytes(path);
  try {
    return { text: UTF8.decode(bytes), path: display(path) };
  } catch (cause) {
    throw new BackstopError(
      'RevisionInvalid',
      { message: `${display(path)} is not written in UTF-8`, hint: 'Save it in UTF-8.' },
      { cause },
    );
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BackstopError(
      'RevisionInvalid',
      {
        message: `${display(path)} cannot be read`,
        hint: 'A revision folder holds upgrade.sql and downgrade.sql.',
      },
      { cause },
    );
  }
}

/** `002_remove_non_search_tables/upgrade.sql`: enough to find it, without the machine's own path. */
export function display(path: string): string {
  const parts = path.split(/[\\/]/);
  return parts.slice(parts.at(-2) === 'verify' ? -3 : -2).join('/');
}
