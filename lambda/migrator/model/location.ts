// A place in the files of a revision, and its display: file:line:column, the line, a caret.
import { withEscapes } from './printable.ts';

/** A place in a file of a revision. Lines and columns count from 1; a column counts characters. */
export interface Location {
  /** `002_remove_non_search_tables/upgrade.sql`: without the machine's own path. */
  readonly file: string;
  readonly line: number;
  /** Undefined if only the line is known. */
  readonly column?: number | undefined;
  /** The line itself; undefined if it is not known. */
  readonly text?: string | undefined;
}

/** In characters: longer lines are shown in part. */
const LONGEST_LINE = 120;

/** `002_x/upgrade.sql:11:15`. */
export function formatLocation({ file, line, column }: Location): string {
  return withEscapes([file, line, column].filter((part) => part !== undefined).join(':'));
}

/** The location, and below it the line with a caret under the column, if both are known. */
export function describeLocation(location: Location): string[] {
  const { column, text } = location;
  const head = `AT:  ${formatLocation(location)}`;
  if (text === undefined || text.trim() === '') return [head];
  if (column === undefined) return [head, `     ${shorten([...text.trim()].map(withEscapes))}`];
  const characters = [...text].map(withEscapes);
  const indent = characters.findIndex((character) => character.trim() !== '');
  // A long line is shown around the column.
  const from = Math.max(indent, column - 1 - LONGEST_LINE / 2);
  const shown = characters.slice(from);
  const before = characters.slice(from, column - 1);
  const left = from > indent ? '…' : '';
  const padding = before.map(paddingOf).join('');
  return [head, `     ${left}${shorten(shown)}`, `     ${left && ' '}${padding}^`];
}

/** A tab stays a tab, so that the caret is below its character; an escape is as wide as it is long. */
function paddingOf(character: string): string {
  if (character === '\t') return character;
  return ' '.repeat(character.startsWith('\\') ? character.length : 1);
}

function shorten(characters: readonly string[]): string {
  if (characters.length <= LONGEST_LINE) return characters.join('').trimEnd();
  return `${characters.slice(0, LONGEST_LINE).join('')}…`;
}
