// Large texts: files of many megabytes are read, and a statement beyond reach is refused at its line.
import { loadReader } from '../../../../lambda/migrator/grammar/postgres.ts';
import { readSections } from '../../../../lambda/migrator/revisions/sql-file.ts';

const reader = await loadReader();
const ROW = "INSERT INTO t VALUES (1, 'abc', 'def', 2.5);\n";

test('a file of 50 MB with a million statements is read', () => {
  const count = Math.ceil(50_000_000 / ROW.length);
  const { statements, fault } = reader(ROW.repeat(count));
  expect(fault).toBeUndefined();
  expect(statements).toHaveLength(count);
}, 600_000);

test('a literal of 100 MB that holds semicolons is read', () => {
  const { statements, fault } = reader(`SELECT 1;\nSELECT '${'x;\n'.repeat(33_000_000)}';\nSELECT 2;`);
  expect(fault).toBeUndefined();
  expect(statements).toHaveLength(3);
}, 600_000);

test('one statement of 40 MB whose tree no memory holds is refused at its line', () => {
  const text = `SELECT 1;\nINSERT INTO t VALUES (1, 2)${", (1, 'abc', 'def', 2.5)".repeat(1_700_000)};`;
  expect(() => readSections({ text, path: 'x.sql' }, 'step', reader)).toThrow(
    expect.objectContaining({
      name: 'RevisionInvalid',
      summary: 'x.sql: a statement is too large or too deeply nested to be read',
      hint: 'Split the statement into several.',
      location: expect.objectContaining({ line: 2, column: 1 }),
    }),
  );
}, 600_000);
