// Text of others that is made safe to print: no terminal obeys it, and it forges no line.
import { BackstopError, formatError } from '../../../../lambda/migrator/model/errors.ts';
import { describeLocation } from '../../../../lambda/migrator/model/location.ts';
import {
  printable,
  printableDeep,
  printableLines,
  toJson,
} from '../../../../lambda/migrator/model/printable.ts';

const UNSAFE = [
  '\0',
  '\u001b',
  '\r',
  '\n',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u200d',
  '\ufeff',
  '\u00ad',
  '\u3164',
  '\ud800',
  '\u{e0041}',
];

test.each(UNSAFE.map((character) => [escape(character), character]))(
  'the character %s is not printed, in a line, a document or JSON',
  (_name, character) => {
    const text = `a${character}b`;
    const document = printableDeep({ [text]: [text] });
    for (const printed of [
      printable(text),
      printableLines(text).replaceAll('\n', ''),
      toJson({ [text]: text }),
    ]) {
      expect(printed).not.toContain(character);
    }
    if (character !== '\n') expect(JSON.stringify(document)).not.toContain(character);
    expect(JSON.parse(toJson({ [text]: text }, 2))).toEqual({ [text]: text });
  },
);

test('ordinary text is printed as it is', () => {
  const text = 'Zoë\t日本語 ⚠️ ✅ "a b" — ½';
  expect([printable(text), printableDeep({ text }).text, JSON.parse(toJson(text))]).toEqual([
    text,
    text,
    text,
  ]);
});

test('a line end in a name becomes an escape, and the lines of Backstop stay', () => {
  const error = new BackstopError('MigrationFailed', {
    message: 'a\nINFO forged',
    detail: ['one\nforged', 'two'],
    hint: 'h\nforged',
  });
  expect(error.message.split('\n')).toEqual([
    'a\\nINFO forged',
    'DETAIL:  one\\nforged',
    'two',
    'HINT:  h\\nforged',
  ]);
  expect([error.summary, error.detail, error.hint]).toEqual([
    'a\\nINFO forged',
    'one\\nforged\ntwo',
    'h\\nforged',
  ]);
  expect(formatError({ message: 'a\nb' })).toBe('a\\nb');
});

test('a quoted name in a remedy stays the same name of SQL', () => {
  expect(printable('ALTER TABLE t DROP CONSTRAINT "x); drop table c; --\n", DROP "y\\"')).toBe(
    'ALTER TABLE t DROP CONSTRAINT U&"x); drop table c; --\\000A", DROP "y\\"',
  );
  expect(printable('DROP TABLE "a""\\\u001b"')).toBe('DROP TABLE U&"a""\\\\\\001B"');
  expect(printable('DROP TABLE "\u{e0041}"')).toBe('DROP TABLE U&"\\+0E0041"');
});

test('the line of a file is escaped, and the caret stays below its place', () => {
  expect(describeLocation({ file: 'a\u001b.sql', line: 1, column: 4, text: 'a\u202eb c' })).toEqual([
    'AT:  a\\u001b.sql:1:4',
    '     a\\u202eb c',
    `     ${' '.repeat(8)}^`,
  ]);
});

test('the cause of an ending has nothing of the server but its code', () => {
  const cause = Object.assign(new Error('secret'), {
    severity: 'ERROR',
    code: '23505',
    detail: 'Key (secret)',
  });
  const { cause: kept } = new BackstopError('MigrationFailed', { message: 'm' }, { cause });
  expect(kept).toMatchObject({ code: '23505', message: 'SQLSTATE 23505' });
  expect(JSON.stringify(Object.getOwnPropertyDescriptors(kept))).not.toContain('secret');
});
