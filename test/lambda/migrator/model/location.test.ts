// How a place in a file of a revision is shown.
import {
  describeLocation,
  formatLocation,
  type Location,
} from '../../../../lambda/migrator/model/location.ts';

const at = (column: number | undefined, text: string): Location => ({
  file: 'x/upgrade.sql',
  line: 3,
  column,
  text,
});

test('a location is file, line and column; the column is left out if it is not known', () => {
  expect(formatLocation(at(7, ''))).toBe('x/upgrade.sql:3:7');
  expect(formatLocation(at(undefined, ''))).toBe('x/upgrade.sql:3');
});

test.each([
  ['below the character', 8, 'SELECT nothing;', ['SELECT nothing;', '       ^']],
  ['below the character of an indented line', 10, '  SELECT nothing;', ['SELECT nothing;', '       ^']],
  ['behind tabs that stay tabs', 9, '\tSELECT\tx;', ['SELECT\tx;', '      \t^']],
  ['below a character beyond the 16-bit plane', 4, "'😀'x", ["'😀'x", '   ^']],
  ['behind the last character', 4, 'abc', ['abc', '   ^']],
])('the caret is %s', (_what, column, text, lines) => {
  expect(describeLocation(at(column, text))).toEqual([
    `AT:  x/upgrade.sql:3:${column}`,
    ...lines.map((line) => `     ${line}`),
  ]);
});

test('a line without a column is shown without a caret, and an empty one is not shown', () => {
  expect(describeLocation(at(undefined, '  SELECT 1;'))).toEqual(['AT:  x/upgrade.sql:3', '     SELECT 1;']);
  expect(describeLocation(at(undefined, ' '))).toEqual(['AT:  x/upgrade.sql:3']);
});

test('a long line is shown around the column', () => {
  const [, line = '', caret = ''] = describeLocation(at(301, `${'a'.repeat(300)}b${'c'.repeat(300)}`));
  expect(line.length).toBeLessThan(140);
  expect(line[caret.indexOf('^')]).toBe('b');
});
