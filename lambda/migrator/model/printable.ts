// Text that others wrote, made safe to print: control characters and line ends become visible escapes.

/**
 * Characters that control a terminal, end a line or turn the direction of text, or that are invisible: C0, DEL, C1, format
 * characters, separators of lines, half of a surrogate pair. A tab can forge nothing, and U+FE0F only selects an emoji.
 */
const UNSAFE = /(?!\t|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** The same without the end of a line. */
const UNSAFE_IN_LINES = new RegExp(`(?!\\n)${UNSAFE.source}`, 'gu');
/** A name in double quotes, as SQL has it. */
const QUOTED_NAME = /(?<!U&)"((?:[^"]|"")*)"/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/** Each UTF-16 unit, as JSON writes it. */
function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  return character.split('').map(unitEscape).join('');
}

function unitEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The characters of the text one by one, with nothing in them that a terminal obeys: `\u001b`, `\n`. */
export function withEscapes(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/**
 * The text as one line that is safe to print. A name in double quotes with such a character becomes a Unicode name of SQL,
 * `U&"x\000A"`: so a statement in the text, such as a remedy, stays the same statement.
 */
export function printable(text: string): string {
  if (text.search(UNSAFE) < 0) return text;
  return withEscapes(text.replace(QUOTED_NAME, unicodeName));
}

function unicodeName(quoted: string, name: string): string {
  if (name.search(UNSAFE) < 0) return quoted;
  const inside = name.replaceAll('\\', '\\\\').replace(UNSAFE, (character) => {
    const code = (character.codePointAt(0) as number).toString(16).toUpperCase();
    return code.length > 4 ? `\\+${code.padStart(6, '0')}` : `\\${code.padStart(4, '0')}`;
  });
  return `U&"${inside}"`;
}

/** The same for a text whose line ends are Backstop's own. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/**
 * A document with every text in it safe to print, names of fields too. Line ends stay: as JSON they are escapes, and the
 * texts of several lines are Backstop's own.
 */
export function printableDeep<T>(value: T): T {
  return deep(value) as T;
}

function deep(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(UNSAFE_IN_LINES, escaped);
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== 'object' || value === null || 'toJSON' in value || value instanceof Error)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name.replace(UNSAFE_IN_LINES, escaped), deep(field)]),
  );
}

/** JSON whose texts have no character that a terminal obeys: JSON itself escapes only C0. */
export function toJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent) ?? 'null';
  // The layout is of spaces and line ends: every other character is in a text, where an escape means the same.
  return json.replace(UNSAFE_IN_LINES, escaped);
}
