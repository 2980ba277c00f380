// Reports of bounded size: of a long list the first and last entries and a count, of a long text the beginning.

/** An object of a report some of whose lists are not whole. */
export interface Shortened {
  /** Field → how many entries of its list are left out, in the middle of the entries that are there. */
  readonly omitted?: Readonly<Record<string, number>>;
}

/** No report is larger, as JSON in UTF-8 bytes. */
const LARGEST_REPORT = 100_000;

/** How many entries of a list are kept, and how many characters of a text: the first pair that makes it small enough. */
const LEVELS: readonly Level[] = [
  { entries: 100, characters: 2_000 },
  { entries: 40, characters: 1_000 },
  { entries: 20, characters: 500 },
  { entries: 10, characters: 250 },
  { entries: 4, characters: 200 },
  { entries: 2, characters: 200 },
];

interface Level {
  readonly entries: number;
  readonly characters: number;
}

/** Entries that are kept while they come in, so that memory does not grow with their number. */
export const ENTRIES_KEPT = 100;
/** An object with more fields is no structure of ours, but a table of names, and is shortened like a list. */
const MOST_FIELDS = 30;

/** The report, with its lists and texts as short as its size demands. Lists of more than 100 entries are always cut. */
export function bounded<T extends object>(report: T, largest = LARGEST_REPORT): T {
  let short = report;
  for (const level of LEVELS) {
    short = shorten(report, level) as T;
    if (leftOf(short, largest) >= 0) break;
  }
  return short;
}

/** How many of the bytes the value leaves as JSON; it stops to count below 0, because a report may be of gigabytes. */
function leftOf(value: unknown, bytes: number): number {
  if (value === undefined || bytes < 0) return bytes;
  if (typeof value !== 'object' || value === null || 'toJSON' in value) {
    return bytes - Buffer.byteLength(JSON.stringify(value) ?? '') - 1;
  }
  let left = bytes - 2;
  for (const [name, field] of Object.entries(value)) {
    if (!Array.isArray(value)) left -= Buffer.byteLength(JSON.stringify(name)) + 1;
    left = leftOf(field, left);
    if (left < 0) break;
  }
  return left;
}

function shorten(value: unknown, level: Level): unknown {
  if (typeof value === 'string') return cut(value, level.characters);
  if (Array.isArray(value)) return ends(value, level.entries).map((entry) => shorten(entry, level));
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  const { omitted: before = {}, ...fields } = value as Shortened & Record<string, unknown>;
  const omitted: Record<string, number> = { ...before };
  const most = Math.max(level.entries, MOST_FIELDS);
  const kept = ends(Object.entries(fields), most).map(([name, field]) => {
    const left = leftOut(field, level.entries, most);
    if (left > 0) omitted[name] = (omitted[name] ?? 0) + left;
    return [name, shorten(field, level)];
  });
  return { ...Object.fromEntries(kept), ...(Object.keys(omitted).length > 0 && { omitted }) };
}

/** How many entries of the field are left out. */
function leftOut(field: unknown, entries: number, fields: number): number {
  if (Array.isArray(field)) return Math.max(0, field.length - entries);
  if (typeof field !== 'object' || field === null) return 0;
  return Math.max(0, Object.keys(field).length - fields);
}

/** The first and the last of the entries. */
function ends<T>(entries: readonly T[], most: number): readonly T[] {
  if (entries.length <= most) return entries;
  return [...entries.slice(0, most / 2), ...entries.slice(-most / 2)];
}

/** The beginning of the text, which ends with an ellipsis if it is not whole. */
export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  // Half of a surrogate pair is no text, and jsonb refuses it.
  return `${text.slice(0, characters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** How many entries the list has in truth. */
export function countOf<Field extends string>(
  owner: Shortened & { readonly [Name in Field]?: readonly unknown[] },
  field: Field,
): number {
  return (owner[field]?.length ?? 0) + (owner.omitted?.[field] ?? 0);
}

/** The entries as texts; between the first and the last of them `… and 2,996 more`, if some are left out. */
export function textsOf<Field extends string, Entry>(
  owner: Shortened & { readonly [Name in Field]?: readonly Entry[] },
  field: Field,
  describe: (entry: Entry) => string = String,
): string[] {
  const texts = (owner[field] ?? []).map(describe);
  return withGap(texts, owner.omitted?.[field] ?? 0);
}

/** The texts, with the number of omitted ones in the middle. */
export function withGap(texts: readonly string[], omitted: number): string[] {
  if (omitted === 0) return [...texts];
  const middle = Math.ceil(texts.length / 2);
  return [...texts.slice(0, middle), describeOmitted(omitted), ...texts.slice(middle)];
}

/** `… and 2,996 more`. */
export function describeOmitted(count: number): string {
  return `… and ${count.toLocaleString('en-US')} more`;
}

/** A list that keeps its first and last entries while it grows. */
export class Ends<T> {
  readonly #most: number;
  readonly #first: T[] = [];
  /** A ring: the oldest entry is at `#count` modulo its length, once it is full. */
  readonly #last: T[] = [];
  #count = 0;

  /** @param most how many entries are kept; even */
  constructor(most: number) {
    this.#most = most;
  }

  push(entry: T): void {
    const half = this.#most / 2;
    if (this.#count < half) this.#first.push(entry);
    else if (this.#last.length < half) this.#last.push(entry);
    else this.#last[(this.#count - half) % half] = entry;
    this.#count += 1;
  }

  /** The kept entries in order. */
  get entries(): T[] {
    const half = this.#most / 2;
    const oldest = this.omitted === 0 ? 0 : (this.#count - half) % half;
    return [...this.#first, ...this.#last.slice(oldest), ...this.#last.slice(0, oldest)];
  }

  get omitted(): number {
    return this.#count - this.#first.length - this.#last.length;
  }
}
