// The readings of the revisions, made when they were bundled: a function has a file with them, and no grammar.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackstopError } from '../model/errors.ts';
import type { Reader, Reading } from './statement.ts';

/** The name of the file in the folder of the revisions. */
export const READINGS_FILE = 'readings.json';

/** SHA-256 of a text, in hex → its reading. */
type Readings = Readonly<Record<string, Reading>>;

/** The readings of all SQL files below a folder. */
export function readFolder(folder: string, read: Reader): Readings {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.sql'),
  );
  const texts = files.map((name) => UTF8.decode(readFileSync(join(folder, name))));
  return Object.fromEntries(texts.map((text) => [keyOf(text), read(text)]));
}

/** As revisions are decoded: without a byte order mark. Other encodings are refused when the file is needed. */
const UTF8 = new TextDecoder();

/**
 * A reader that knows the texts which were read then.
 *
 * @param folder of the revisions; its file is opened when the first text is read
 * @throws ConfigurationError when it reads another text
 */
export function bundledReader(folder: string): Reader {
  let readings: Readings | undefined;
  return (sql) => {
    readings ??= JSON.parse(readFileSync(join(folder, READINGS_FILE), 'utf8')) as Readings;
    const reading = readings[keyOf(sql)];
    if (reading) return reading;
    throw new BackstopError('ConfigurationError', {
      message: 'A file of the revisions is another one than when the functions were deployed',
      hint: 'Deploy again.',
    });
  };
}

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
