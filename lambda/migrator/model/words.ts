// Words without the values in them: quoted texts and numbers, in any language.

/** Quotation marks of any language, apart from an apostrophe within a word. */
const MARKS = /["“”„‟«»‹›「」『』＂]|(?<![\p{L}\p{N}])['‘’`]|['‘’`](?![\p{L}\p{N}])/gu;

/** The text without everything from its first quotation mark to its last: a value can have marks in it, too. */
export function withoutQuoted(text: string): string {
  const marks = [...text.matchAll(MARKS)];
  const [first, last] = [marks[0], marks.at(-1)];
  if (first === undefined || last === undefined) return text;
  // A mark alone opens a value whose end was cut off.
  const end = last === first ? text.length : last.index + last[0].length;
  return `${text.slice(0, first.index)}…${text.slice(end)}`;
}

/** A number; or one in brackets behind a name, as in `varchar(50)`, which is a type's. */
const NUMBER = /\p{L}\(\d+(?:,\s*\d+)*\)|(?<![\p{L}\p{N}_])[+-]?(?:0x[\da-f]+|\d[\d.,:+-]*)/giu;

/** The text without its quoted part and without its numbers. */
export function withoutValues(text: string): string {
  return withoutQuoted(text).replace(NUMBER, (found) => (/^\p{L}/u.test(found) ? found : '…'));
}
