// A revision's SQL files: the content of their comments, and a sentence for each invalid comment.
import { KEYS, type Key, readHeaderOf } from '../../../../lambda/migrator/revisions/header.ts';
import { readSections } from '../../../../lambda/migrator/revisions/sql-file.ts';
import { reader } from '../../../setup/revisions.ts';

/** Header and sections of a file. */
function parse(text: string, holds: 'step' | 'check', path: string) {
  const keys: readonly Key[] = holds === 'step' ? KEYS : [];
  const header = readHeaderOf({ text, path }, keys);
  const { sections } = readSections({ text, path }, holds, reader, header.title);
  const shown = sections.map(({ kind, title, sql, origin: { file, line, column } }) => ({
    ...{ kind, title, sql },
    origin: { file, line, column },
  }));
  return { ...header, sections: shown };
}

const FILE = `-- Add a column
-- Revision: 002
-- Create Date: 2025-10-11
-- Why it is done, in a sentence: that is no key.

-- step: Adding the column
-- a comment that stays
ALTER TABLE public.one ADD COLUMN two integer;

-- step: Filling it
UPDATE public.one SET two = 1;
`;

test('title, header and steps are found', () => {
  expect(parse(FILE, 'step', 'upgrade.sql')).toEqual({
    title: 'Add a column',
    values: new Map([
      ['Revision', '002'],
      ['Create Date', '2025-10-11'],
    ]),
    sections: [
      {
        kind: 'step',
        title: 'Adding the column',
        sql: '-- a comment that stays\nALTER TABLE public.one ADD COLUMN two integer;',
        origin: { file: 'upgrade.sql', line: 7, column: 1 },
      },
      {
        kind: 'step',
        title: 'Filling it',
        sql: 'UPDATE public.one SET two = 1;',
        origin: { file: 'upgrade.sql', line: 11, column: 1 },
      },
    ],
  });
});

test('a file from Windows reads the same, and keeps its line ends', () => {
  const windows = parse(FILE.replaceAll('\n', '\r\n'), 'step', 'upgrade.sql');
  const here = parse(FILE, 'step', 'upgrade.sql');
  const sections = here.sections.map((one) => ({ ...one, sql: one.sql.replaceAll('\n', '\r\n') }));
  expect(windows).toEqual({ ...here, sections });
});

test('checks begin with their own word, and a file without checks is valid', () => {
  const text = '-- Nothing to prove here.\n-- check: V1.1 a step: is no section\nSELECT 1;\n';
  expect(parse(text, 'check', 'x.sql').sections).toEqual([
    expect.objectContaining({ kind: 'check', title: 'V1.1 a step: is no section', sql: 'SELECT 1;' }),
  ]);
  expect(parse('-- Nothing\n', 'check', 'x.sql').sections).toEqual([]);
});

test('data that checks gather is a section among them', () => {
  const text = '-- T\n-- check: V1.1 one\nSELECT 1;\n-- gather: all of it\nSELECT 2;\n';
  expect(parse(text, 'check', 'x.sql').sections).toEqual([
    expect.objectContaining({ kind: 'check', title: 'V1.1 one', sql: 'SELECT 1;' }),
    expect.objectContaining({ kind: 'gather', title: 'all of it', sql: 'SELECT 2;' }),
  ]);
});

test('text for people may follow the keys of the header', () => {
  const text =
    '-- T\n-- Revision: 1\n--\n-- Tables created:\n-- - none\n-- Note: this is text.\n-- step: One\nSELECT 1;';
  expect([...parse(text, 'step', 'x.sql').values]).toEqual([['Revision', '1']]);
});

test('a key may be written in any case', () => {
  const text = '-- T\n-- locks: public.one\n-- step: One\nSELECT 1;';
  expect(parse(text, 'step', 'x.sql').values.get('Locks')).toBe('public.one');
});

test.each(['Steps', 'Step', 'Lock', 'Locks', 'Create date', 'Branch', 'check', 'gather', 'Note'])(
  'in a file without a step line, a comment "%s:" below the header is a comment',
  (word) => {
    const comment = `-- ${word}: whatever its author meant`;
    const text = `-- T\n-- Revision: 1\n\n${comment}\nSELECT 1;\n${comment}\nSELECT 2;\n${comment}`;
    const { values, sections } = parse(text, 'step', 'x.sql');
    expect([...values]).toEqual([['Revision', '1']]);
    expect(sections).toMatchObject([{ kind: 'step', sql: expect.stringContaining('SELECT 2') }]);
  },
);

// cspell:ignore Lokcs stpe chek
test.each([
  ['a step without a title', '-- T\n-- step:  \nSELECT 1;', 'x.sql:2: a step has no title'],
  [
    'a step of comments alone',
    '-- T\n-- step: One\n-- later\n\n-- step: Two\nSELECT 1;',
    'x.sql:2: the step "One" has no SQL',
  ],
  [
    'an unknown key',
    '-- T\n-- Revision: 1\n-- Author: me\n-- step: One\nSELECT 1;',
    'x.sql:3: the header has an unknown key "Author"',
  ],
  [
    'a misspelled key',
    '-- T\n-- Lokcs: public.one\n-- step: One\nSELECT 1;',
    'x.sql:2: the header has an unknown key "Lokcs"',
  ],
  [
    'a misspelled key below the header',
    '-- T\n--\n-- Lock: public.one\n-- step: One\nSELECT 1;',
    'x.sql:3: the header has an unknown key "Lock"',
  ],
  [
    'a key below the header',
    '-- T\n--\n-- Locks: public.one\n-- step: One\nSELECT 1;',
    'x.sql:3: "Locks" is below the header, and would not be read',
  ],
  [
    'a key that is given twice',
    '-- T\n-- Locks: public.one\n-- Locks: public.two\n-- step: One\nSELECT 1;',
    'x.sql:3: "Locks" is given twice',
  ],
  ...['stpe', 'steps', 'Step', 'STEP', 'tep'].map((word) => [
    `the directive ${word}`,
    `-- T\n-- step: One\nSELECT 1;\n-- ${word}: Two\nSELECT 2;`,
    `x.sql:4: "-- ${word}:" is not a directive`,
  ]),
  [
    'a check among steps',
    '-- T\n-- step: One\nSELECT 1;\n-- check: V1.1 two\nSELECT 2;',
    'x.sql:4: a check is not read in this file',
  ],
  [
    'a placeholder of the template',
    "-- T\n-- step: One\nSELECT 'replace this with the SQL of the step';",
    'x.sql:3: a placeholder of the template is left',
  ],
])('%s is refused with its place and the remedy', (_what, text, summary) => {
  expect(() => parse(text, 'step', 'x.sql')).toThrow(
    expect.objectContaining({ name: 'RevisionInvalid', summary, hint: expect.stringMatching(/\w/) }),
  );
});

test.each([
  ['a misspelled check', '-- T\n-- chek: V1.1 one\nSELECT 1;', 'x.sql:2: "-- chek:" is not a directive'],
  [
    'a misspelled "shown as"',
    '-- T\n-- check: V1.1 one\n-- show as: One\nSELECT 1;',
    'x.sql:3: "-- show as:" is not a directive',
  ],
  ['SQL before the first check', '-- T\n\nSELECT 1;', 'x.sql:3: SQL comes before the first "-- check:" line'],
  ['a step among checks', '-- T\n-- step: One\nSELECT 1;', 'x.sql:2: a step is not read in this file'],
  [
    'a key of the header',
    '-- T\n-- Locks: public.one\n-- check: V1.1 one\nSELECT 1;',
    'x.sql:2: "Locks" is not read in this file',
  ],
])('among checks, %s is refused with its place and the remedy', (_what, text, summary) => {
  expect(() => parse(text, 'check', 'x.sql')).toThrow(
    expect.objectContaining({ name: 'RevisionInvalid', summary, hint: expect.stringMatching(/\w/) }),
  );
});
