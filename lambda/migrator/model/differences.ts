// The fingerprint of a database, and the changes between two of them, object by object.
import { cut, describeOmitted, type Shortened } from './bounded.ts';

/** A change of an object, such as `column public.orders.status`. */
export interface Change {
  readonly object: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** The beginning of its definition; absent if it was not there. */
  readonly before?: string;
  /** The beginning of its definition; absent if it is not there any more. */
  readonly after?: string;
}

export interface Differences extends Shortened {
  /** In the order of the names. */
  readonly changes: readonly Change[];
}

/** The fingerprint of a database, and the parts that were asked for. */
export interface Fingerprint {
  /** SHA-256 of the lines, in hexadecimal digits. */
  readonly hash: string;
  /** The lines of the catalogue, in the order of their bytes. */
  readonly lines?: readonly string[];
  /** The changes since a run. */
  readonly differences?: Differences;
}

/** Characters of a name, and of each definition, in a line. */
const LONGEST = 160;

/** `column public.orders.status changed: integer NOT NULL -> bigint NOT NULL`, or `index public.i added`. */
export function describeChange({ object, change, before = '', after = '' }: Change): string {
  const words = `${cut(object, LONGEST)} ${change}`;
  if (change !== 'changed') return words;
  const begin = commonWords(before, after);
  return `${words}: ${cut(shortened(before, begin), LONGEST)} -> ${cut(shortened(after, begin), LONGEST)}`;
}

/** How many changes a sentence names. */
const CHANGES_NAMED = 5;

/** The first changes, and how many more there are. Columns of a table that came or went are not named. */
export function describeChanges({ changes, omitted }: Differences): string {
  const tables = changes.filter(({ object, change }) => change !== 'changed' && object.startsWith('table '));
  const names = tables.map(({ object }) => object.slice('table '.length));
  const isPart = ({ object }: Change) =>
    names.some((name) => object.startsWith(`column ${name}.`) || object.endsWith(` on ${name}`));
  const whole = changes.filter((change) => !isPart(change));
  const more = whole.length - CHANGES_NAMED + (omitted?.changes ?? 0);
  const named = whole.slice(0, CHANGES_NAMED).map(describeChange).join('; ');
  return more > 0 ? `${named}; ${describeOmitted(more)}` : named;
}

/** How many characters of the beginning both have, up to the end of a word, if they are too many to be repeated. */
function commonWords(before: string, after: string): number {
  if (Math.max(before.length, after.length) <= LONGEST) return 0;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  return before.lastIndexOf(' ', same) + 1;
}

function shortened(text: string, begin: number): string {
  return begin > LONGEST / 2 ? `…${text.slice(begin)}` : text;
}
