// A revision's SQL files: what is read from their comments, and the sentence for each that cannot be read.
import { parseSqlFile } from '../../../../lambda/migrator/revisions/sql-file.ts';

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
  expect(parseSqlFile(FILE, 'step', 'upgrade.sql')).toEqual({
    title: 'Add a column',
    header: new Map([
      ['revision', '002'],
      ['create date', '2025-10-11'],
    ]),
    sections: [
      {
        kind: 'step',
        title: 'Adding the column',
        sql: '-- a comment that stays\nALTER TABLE public.one ADD COLUMN two integer;',
      },
      { kind: 'step', title: 'Filling it', sql: 'UPDATE public.one SET two = 1;' },
    ],
  });
});

test('a file from Windows reads the same', () => {
  const windows = FILE.replaceAll('\n', '\r\n');
  expect(parseSqlFile(windows, 'step', 'upgrade.sql')).toEqual(parseSqlFile(FILE, 'step', 'upgrade.sql'));
});

test('checks are opened by their own word, and a file may have none', () => {
  const text = '-- Nothing to prove here.\n-- check: V1.1 a step: is no section\nSELECT 1;\n';
  expect(parseSqlFile(text, 'check', 'x.sql').sections).toEqual([
    { kind: 'check', title: 'V1.1 a step: is no section', sql: 'SELECT 1;' },
  ]);
  expect(parseSqlFile('-- Nothing\n', 'check', 'x.sql').sections).toEqual([]);
});

test('what checks gather is a section among them, and none among steps', () => {
  const text = '-- T\n-- check: V1.1 one\nSELECT 1;\n-- gather: all of it\nSELECT 2;\n';
  expect(parseSqlFile(text, 'check', 'x.sql').sections).toEqual([
    { kind: 'check', title: 'V1.1 one', sql: 'SELECT 1;' },
    { kind: 'gather', title: 'all of it', sql: 'SELECT 2;' },
  ]);
  expect(parseSqlFile(`${text.replace('check', 'step')}`, 'step', 'x.sql').sections).toHaveLength(1);
});

test.each([
  ['a step without a title', '-- T\n-- step:  \nSELECT 1;', 'x.sql line 2: a step has no title'],
  [
    'SQL before the first step',
    '-- T\n\nSELECT 1;\n-- step: One\nSELECT 1;',
    'x.sql line 3: SQL stands before the first "-- step:" line',
  ],
  ['SQL without any step', 'SELECT 1;', 'x.sql line 1: SQL stands before the first "-- step:" line'],
  [
    'a step of comments alone',
    '-- T\n-- step: One\n-- later\n\n-- step: Two\nSELECT 1;',
    'x.sql: the step "One" has no SQL',
  ],
])('%s is refused with its place and the remedy', (_what, text, summary) => {
  expect(() => parseSqlFile(text, 'step', 'x.sql')).toThrow(
    expect.objectContaining({ name: 'RevisionInvalid', summary, hint: expect.stringMatching(/\w/) }),
  );
});
