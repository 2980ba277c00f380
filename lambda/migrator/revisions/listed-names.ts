// The names that a line of a header lists, as PostgreSQL reads names.
import { BackstopError } from '../model/errors.ts';
import type { Header, Key } from './header.ts';
import { homeOf } from './search-path.ts';

const LETTER = String.raw`A-Za-z_\u{80}-\u{10ffff}`;
const WORD = `(?:"[^"]*(?:""[^"]*)*"|[${LETTER}][${LETTER}0-9$]*)`;
/** A name, its schema if it has one, and the comma after it; a quoted name may hold a comma. */
const NAME = new RegExp(String.raw`\s*(${WORD})(?:\s*\.\s*(${WORD}))?\s*(?:(?:,\s*)+|$)`, 'uy');

type Listing = Header & { readonly path: string };

/** The text up to the first part of it that is no name, and the names before. */
interface Found {
  readonly names: readonly (readonly [first: string, second: string | undefined])[];
  /** Empty if all of it is names. */
  readonly rest: string;
}

function namesIn(text: string): Found {
  const names: [string, string | undefined][] = [];
  let at = 0;
  while (at < text.length) {
    NAME.lastIndex = at;
    const [all, first, second] = NAME.exec(text) ?? [];
    if (all === undefined || first === undefined) break;
    names.push([first, second]);
    at += all.length;
  }
  return { names, rest: text.slice(at).trim() };
}

/**
 * The tables that a line lists, with commas between, each with its schema: without one it is in the first schema of the
 * search path of the file. Empty if there is no such line.
 *
 * @throws RevisionInvalid if one of them is not a name
 */
export function listedTables(file: Listing, key: Key, searchPath: readonly string[]): string[] {
  const { names, rest } = namesIn((file.values.get(key) ?? '').trim());
  if (rest !== '') {
    throw new BackstopError('RevisionInvalid', {
      message: `${file.path}: "${key}" has "${rest}", which is not the name of a table`,
      hint: `Write names with commas between: -- ${key}: public.orders, public."Order Items"`,
    });
  }
  const home = homeOf(searchPath);
  return names.map(([first, second]) => (second === undefined ? `${home}.${first}` : `${first}.${second}`));
}

/**
 * The schemas that a line lists, without their quotes; undefined if there is no such line.
 *
 * @throws RevisionInvalid if one of them is not the name of a schema, or if there is none
 */
export function listedSchemas(file: Listing, key: Key): string[] | undefined {
  const text = file.values.get(key);
  if (text === undefined) return undefined;
  const { names, rest } = namesIn(text.trim());
  const wrong = rest || names.find(([, second]) => second !== undefined)?.join('.');
  if (names.length > 0 && !wrong) return names.map(([name]) => plain(name));
  throw new BackstopError('RevisionInvalid', {
    message: `${file.path}: "${key}" has "${wrong ?? ''}", which is not the name of a schema`,
    hint: `Write names with commas between: -- ${key}: app, public`,
  });
}

/** As the catalogue has it. */
function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
