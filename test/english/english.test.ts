// The check of our English: which prose it reads, and that each rule finds its bad example and not its good one.
import { findIn } from './find.ts';
import { proseOf, VALUE } from './prose.ts';
import { RULES } from './rules.ts';

const names = (file: string, text: string) => findIn(file, text).map(({ rule }) => rule.name);

describe('a rule', () => {
  test.each(RULES)('$name finds its bad example, and nothing in its good one', ({ name, bad, good }) => {
    expect({ bad: names('page.md', bad), good: names('page.md', good) }).toEqual({ bad: [name], good: [] });
  });
});

describe('the prose of a file', () => {
  const words = (file: string, text: string) =>
    proseOf(file, text)
      .split(/[\s\0]+/)
      .filter(Boolean)
      .join(' ');

  test.each([
    ['a line comment', 'x.ts', 'a(); // one two', 'one two'],
    ['a block comment', 'x.ts', '/**\n * one\n * two\n */', 'one two'],
    ['a text', 'x.ts', 'a(\'one\', "two");', 'one two'],
    ['a template without its values', 'x.ts', 'a(`one ${b(`two ${c}`)} three`);', `one ${VALUE} three`],
    ['a text after a regular expression with a quote', 'x.ts', "a(/'[/']/, 'one')", 'one'],
    ['a text with an address', 'x.ts', "a('http://one')", 'http://one'],
    ['comments and texts of SQL', 'x.sql', "-- one\nSELECT 'two''s' /* three */", "one two''s three"],
    ['Markdown without code', 'x.md', 'one `two`\n```sh\nthree\n```\nfour', `one ${VALUE} four`],
  ])('holds %s', (_what, file, text, prose) => {
    expect(words(file, text)).toBe(prose);
  });

  test('has as many lines as the file', () => {
    const text = 'a(`one ${\nb\n}`);\n// two\n// three\n';
    expect(proseOf('x.ts', text).split('\n')).toHaveLength(text.split('\n').length);
  });
});

describe('a finding', () => {
  test('has the line on which its phrase begins, although the phrase goes on in the next', () => {
    const [finding] = findIn('x.ts', 'a();\n/**\n * Returns undefined\n * where a is b.\n */');
    expect(finding).toMatchObject({ line: 3, phrase: 'undefined where' });
  });

  test.each([
    ['two paragraphs', 'x.md', 'Returns undefined\n\nwhere'],
    ['two texts', 'x.ts', "a('only', 'where')"],
    ['a comment and the next line of code', 'x.ts', "// only\nwhere('')"],
  ])('is not made of %s', (_what, file, text) => {
    expect(names(file, text)).toEqual([]);
  });
});
