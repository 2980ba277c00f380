// One revision folder: the revision in it, or a sentence that names the invalid file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Revision, readRevision } from '../../../../lambda/migrator/revisions/revision.ts';
import { requireRunnable } from '../../../../lambda/migrator/revisions/runnable.ts';
import { type Files, inFolder, reader, revisionFiles } from '../../../setup/revisions.ts';

const FILES = revisionFiles({
  id: '002',
  revises: '001',
  locks: 'public.one, public.two',
  upgrade: ['SELECT 1;', 'SELECT 2;'],
  finalize: ['SELECT 3;'],
  checks: { 'after-upgrade': ['SELECT 4;'] },
});

const read = (files: Files): Revision =>
  inFolder(files, (folder) => readRevision(join(folder, '002'), reader));
/** The same, with every file of SQL read. */
const readAll = (files: Files): Revision => {
  const revision = read(files);
  requireRunnable([revision], 'upgrade');
  requireRunnable([revision], 'downgrade');
  return revision;
};
/** The files, with one of them changed. */
const edited = (path: string, from: RegExp | string, to: string): Files => ({
  ...FILES,
  [path]: FILES[path]?.replace(from, to) ?? '',
});

test('a folder becomes a revision', () => {
  expect(read(FILES)).toMatchObject({
    id: '002',
    revises: '001',
    title: 'Revision 002 of a test',
    createDate: '2025-10-11',
    branch: undefined,
    upgrade: {
      steps: [
        { title: 'Step 1', sql: 'SELECT 1;' },
        { title: 'Step 2', sql: 'SELECT 2;' },
      ],
      locks: ['public.one', 'public.two'],
    },
    finalize: { steps: [{ sql: 'SELECT 3;' }] },
    checks: {
      'before-upgrade': [],
      'after-upgrade': [{ id: 'V1.1', title: 'check 1', sql: 'SELECT 4', shownAs: ['V1.1 check 1'] }],
      'before-downgrade': [],
      'after-downgrade': [],
    },
  });
});

test('the header of the upgrade lists locked, scanned and retired tables, or nothing', () => {
  const header =
    '-- Locks: public.one ,, public.two\n-- Scans: public.two\n-- Retires: public.one, public.two';
  const { upgrade, retires } = read(edited('002/upgrade.sql', /^-- Locks:.*$/m, header));
  expect({ ...upgrade, retires }).toMatchObject({
    locks: ['public.one', 'public.two'],
    scans: ['public.two'],
    retires: ['public.one', 'public.two'],
  });
  expect(read(FILES)).toMatchObject({ upgrade: { scans: [] }, downgrade: { scans: [] }, retires: [] });
});

test('a listed name may be quoted, and hold what a quoted name may hold', () => {
  const names = ['"Order Items"', '"Ünï"."T""x, y"', 'größer.name', 'a . b'];
  const { upgrade } = read(edited('002/upgrade.sql', /^-- Locks:.*$/m, `-- Locks: ${names.join(', ')}`));
  // Without a schema, a table is in the first one of the search path.
  expect(upgrade.locks).toEqual(['public."Order Items"', '"Ünï"."T""x, y"', 'größer.name', 'a.b']);
});

test.each(['public.my-table', '"open', 'a b', 'a.b.c', 'one; DROP TABLE one', 'public.'])(
  'a header that lists %s is refused, with the way to write it',
  (name) => {
    const header = edited('002/upgrade.sql', /^-- Locks:.*$/m, `-- Locks: public.one, ${name}`);
    expect(() => read(header)).toThrow(
      expect.objectContaining({
        name: 'RevisionInvalid',
        summary: `002/upgrade.sql: "Locks" has "${name}", which is not the name of a table`,
        hint: 'Write names with commas between: -- Locks: public.orders, public."Order Items"',
      }),
    );
  },
);

test('the first of a chain has no parent, may have a branch label, and needs no finalize', () => {
  const first = revisionFiles({ id: '002' });
  const upgrade = `-- First\n-- Branch: auth\n${first['002/upgrade.sql']}`;
  expect(read({ ...first, '002/upgrade.sql': upgrade })).toMatchObject({
    title: 'First',
    revises: undefined,
    branch: 'auth',
    finalize: undefined,
    upgrade: { locks: [] },
  });
});

test('the checksum tells an edited upgrade, not a checkout with other line ends', () => {
  const { checksum } = read(FILES);
  expect(checksum).toMatch(/^[0-9a-f]{64}$/);
  expect(read(edited('002/upgrade.sql', /\n/g, '\r\n')).checksum).toBe(checksum);
  expect(read(edited('002/upgrade.sql', 'SELECT 2', 'SELECT 9')).checksum).not.toBe(checksum);
});

test('a check is shown under the lines that it names, be it one or two', () => {
  const shown = edited(
    '002/verify/after-upgrade.sql',
    'SELECT 4;',
    '-- shown as: rows of one kept (3 found)\n-- shown as: rows of two kept\n-- why it matters\nSELECT 4;',
  );
  expect(read(shown).checks['after-upgrade'][0]?.shownAs).toEqual([
    'rows of one kept (3 found)',
    'rows of two kept',
  ]);
});

test('the checks of a file share what it gathers, and those of no other file', () => {
  const gathering = edited(
    '002/verify/after-upgrade.sql',
    /^/,
    `-- gather: all numbers
-- why they are wanted
CREATE TEMPORARY TABLE numbers ON COMMIT DROP AS
SELECT 4 AS number; -- and no more
`,
  );
  const { checks } = read({
    ...gathering,
    '002/verify/after-downgrade.sql': '-- check: V8.1 one\nSELECT 5;',
  });
  expect(checks['after-upgrade']).toMatchObject([
    {
      id: 'V1.1',
      gathers: [
        {
          title: 'all numbers',
          table: 'numbers',
          query: expect.objectContaining({ sql: 'SELECT 4 AS number' }),
        },
      ],
    },
  ]);
  expect(checks['after-downgrade'][0]).not.toHaveProperty('gathers');
});

const without = (path: string): Files =>
  Object.fromEntries(Object.entries(FILES).filter(([p]) => p !== path));

test.each<[what: string, files: Files, summary: string]>([
  ['no upgrade.sql', without('002/upgrade.sql'), '002/upgrade.sql cannot be read'],
  ['no downgrade.sql', without('002/downgrade.sql'), '002/downgrade.sql cannot be read'],
  [
    'no id',
    edited('002/upgrade.sql', '-- Revision: 002\n', ''),
    '002/upgrade.sql does not say its "Revision"',
  ],
  [
    'an empty parent',
    edited('002/upgrade.sql', 'Revises: 001', 'Revises:'),
    '002/upgrade.sql does not say its "Revises"',
  ],
  [
    'no date',
    edited('002/upgrade.sql', /-- Create Date.*\n/, ''),
    '002/upgrade.sql does not say its "Create Date"',
  ],
  [
    'an id too long for Alembic',
    edited('002/upgrade.sql', 'Revision: 002', `Revision: ${'x'.repeat(33)}`),
    `002/upgrade.sql: revision id "${'x'.repeat(33)}" has 33 characters`,
  ],
  [
    'a control character in its id',
    edited('002/upgrade.sql', 'Revision: 002', 'Revision: 0\u001b[31m2'),
    '002/upgrade.sql: the revision id holds a control character',
  ],
  ...['head', 'heads', 'base', '<base>', 'auth@2', '001:2', 'two words', '+2', '-2'].map(
    (id): [string, Files, string] => [
      `the id ${id}, which no target could name`,
      edited('002/upgrade.sql', 'Revision: 002', `Revision: ${id}`),
      `002/upgrade.sql: revision id "${id}" means something else as a target`,
    ],
  ),
  [
    'a check without a number',
    edited('002/verify/after-upgrade.sql', 'V1.1 ', ''),
    '002/verify/after-upgrade.sql: check "check 1" has no number',
  ],
  [
    'a gather that makes no temporary table',
    edited('002/verify/after-upgrade.sql', /^/, '-- gather: all\nCREATE TABLE one AS SELECT 1;\n'),
    '002/verify/after-upgrade.sql: the gather "all" makes no temporary table',
  ],
  [
    'a gather that does something else before',
    edited(
      '002/verify/after-upgrade.sql',
      /^/,
      '-- gather: all\n-- first\nDELETE FROM one;\nCREATE TEMPORARY TABLE two ON COMMIT DROP AS SELECT 1;\n',
    ),
    '002/verify/after-upgrade.sql: the gather "all" makes no temporary table',
  ],
  [
    'a gather that does something else behind it',
    edited(
      '002/verify/after-upgrade.sql',
      /^/,
      '-- gather: all\nCREATE TEMPORARY TABLE two ON COMMIT DROP AS SELECT 1;\nDELETE FROM one;\n',
    ),
    '002/verify/after-upgrade.sql: the gather "all" makes no temporary table',
  ],
  [
    'a gather without a title',
    edited('002/verify/after-upgrade.sql', /^/, '-- gather:\nSELECT 1;\n'),
    '002/verify/after-upgrade.sql:1: a gather has no title',
  ],
  [
    'a check shown as nothing',
    edited('002/verify/after-upgrade.sql', 'SELECT 4;', '-- shown as:\nSELECT 4;'),
    '002/verify/after-upgrade.sql: check V1.1 is shown as nothing',
  ],
])('a folder with %s is refused in one sentence that names the file', (_what, files, summary) => {
  expect(() => readAll(files)).toThrow(
    expect.objectContaining({ name: 'RevisionInvalid', summary, hint: expect.stringMatching(/\w/) }),
  );
});

test('an id of 32 characters, as many as Alembic holds, is taken', () => {
  const id = 'x'.repeat(32);
  expect(read(edited('002/upgrade.sql', 'Revision: 002', `Revision: ${id}`)).id).toBe(id);
});

test('a step that would end the transaction is refused by its name', () => {
  const files = revisionFiles({ id: '001', upgrade: ['CREATE TABLE one ();\nCOMMIT;'] });
  const { upgrade } = inFolder(files, (folder) => readRevision(join(folder, '001'), reader));
  expect(() => upgrade.steps).toThrow('001/upgrade.sql: the step "Step 1" contains COMMIT');
});

test('a byte order mark does not count as SQL', () => {
  const files = revisionFiles({ id: '001' });
  const marked = { ...files, '001/upgrade.sql': `\uFEFF${files['001/upgrade.sql']}` };
  expect(inFolder(marked, (folder) => readRevision(join(folder, '001'), reader)).id).toBe('001');
});

test.each(['002', '1975ea83b712', 'ahead', 'head2', 'base-line', 'a+1', 'größer'])(
  'the id %s is taken',
  (id) => {
    expect(read(edited('002/upgrade.sql', 'Revision: 002', `Revision: ${id}`)).id).toBe(id);
  },
);

test('SQL in another encoding is refused, not changed on the way', () => {
  inFolder(FILES, (folder) => {
    const path = join(folder, '002/downgrade.sql');
    writeFileSync(path, Buffer.from(`${FILES['002/downgrade.sql']}SELECT 'größer';`, 'latin1'));
    expect(() => readRevision(join(folder, '002'), reader)).toThrow(
      expect.objectContaining({
        name: 'RevisionInvalid',
        summary: '002/downgrade.sql is not written in UTF-8',
        hint: 'Save it in UTF-8.',
      }),
    );
  });
});
