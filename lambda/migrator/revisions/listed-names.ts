// The names of tables that a line of a header lists.
import { BackstopError } from '../model/errors.ts';
import type { Header, Key } from './header.ts';

const LETTER = String.raw`A-Za-z_\u{80}-\u{10ffff}`;
const WORD = `(?:"[^"]*(?:""[^"]*)*"|[${LETTER}][${LETTER}0-9$]*)`;
/** A name with its schema or without, and the comma after it; as PostgreSQL reads names, a quoted name may hold a comma. */
const NAME = new RegExp(String.raw`\s*(${WORD}(?:\s*\.\s*${WORD})?)\s*(?:(?:,\s*)+|$)`, 'uy');

/**
 * The names that a line of the header lists, with commas between; empty if there is no such line.
 *
 * @throws RevisionInvalid if one of them is not a name
 */
export function listedNames({ values, path }: Header & { readonly path: string }, key: Key): string[] {
  const text = (values.get(key) ?? '').trim();
  const found: string[] = [];
  let at = 0;
  while (at < text.length) {
    NAME.lastIndex = at;
    const [all, name] = NAME.exec(text) ?? [];
    if (all === undefined || name === undefined)
      throw new BackstopError('RevisionInvalid', {
        message: `${path}: "${key}" has "${text.slice(at).trim()}", which is not the name of a table`,
        hint: `Write names with commas between: -- ${key}: public.orders, public."Order Items"`,
      });
    found.push(name);
    at += all.length;
  }
  return found;
}
