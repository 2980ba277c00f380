// The checksums of a revision's files. Line ends do not count: Git may have changed them.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readText } from './text.ts';

/**
 * SHA-256 in hex of the SQL files of a folder.
 *
 * @param names paths in the folder; other files do not count
 * @throws RevisionInvalid if a file cannot be read
 */
export function digestOf(folder: string, names: readonly string[]): string {
  const files = names.filter((name) => name.endsWith('.sql')).sort();
  return sha256(JSON.stringify(files.map((name) => [name, sha256(readText(join(folder, name)).text)])));
}

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
