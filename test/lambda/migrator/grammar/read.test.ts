// The reading of SQL: statements, comments and faults, the same in windows as in one piece, in linear time.

import { loadGrammar, readHere } from '../../../../lambda/migrator/grammar/postgres.ts';
import { readSql, type Window } from '../../../../lambda/migrator/grammar/read.ts';
import type { Statement } from '../../../../lambda/migrator/grammar/statement.ts';
import { reader } from '../../../setup/revisions.ts';

const grammar = await loadGrammar();
const textsOf = (sql: string, statements: readonly Statement[] = reader(sql).statements) =>
  statements.map(({ start, end }) => sql.slice(start, end));

test.each([
  ['literals', `SELECT 'a;b', E'it\\'s;', U&'\\0441;', "quo;ted"; SELECT 2`, 2],
  ['a name with letters beyond ASCII in dollars', 'SELECT $été$ ; $$ ; $été$; SELECT 2', 2],
  ['nested comments', '/* a /* ; */ ; */ SELECT 1 /* ; /* ; */ */; SELECT 2', 2],
  [
    'a body in standard SQL with CASE',
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 2',
    2,
  ],
  ['a rule', 'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 2', 2],
  ['an operator and a literal with dashes', "SELECT a ->> 'x--y', 1 - -1 FROM t; SELECT 2", 2],
  ['a semicolon in a line comment', 'SELECT 1 -- ;\n + 1; SELECT 2', 2],
  ['a literal that goes on in the next line', "SELECT 'a' \n 'b;'; SELECT 2", 2],
  ['semicolons that end no statement', ';; SELECT 1;;; SELECT 2;;', 2],
  ['characters of four bytes', "SELECT '😀;'; SELECT 'é'", 2],
])('%s hold no end of a statement', (_what, sql, count) => {
  const texts = textsOf(sql);
  expect(texts).toHaveLength(count);
  expect(texts.at(-1)).toMatch(/^SELECT ('é'|2)$/);
});

test('comments between statements are found, and those within are not', () => {
  const sql = '-- one\r\nSELECT 1 -- within\n, /* within */ 2; -- two\n/* three /* nested **/ */;\n--four';
  const { comments } = reader(sql);
  expect(comments.map(({ start, end, isLine }) => [sql.slice(start, end), isLine])).toEqual([
    ['-- one', true],
    ['-- two', true],
    ['/* three /* nested **/ */', false],
    ['--four', true],
  ]);
});

test('comments behind a last statement without its semicolon are between statements', () => {
  const sql = "SELECT 'é' /* c */ -- tail\n-- more";
  expect(textsOf(sql)).toEqual(["SELECT 'é'"]);
  expect(reader(sql).comments).toHaveLength(3);
});

test.each([
  ['the empty text', ''],
  ['blanks', ' \n\t'],
  ['comments alone', '-- one\n/* two */ ;'],
])('%s holds no statement', (_what, sql) => {
  expect(reader(sql)).toMatchObject({ statements: [] });
  expect(reader(sql).fault).toBeUndefined();
});

test.each([
  ['a wrong word', "SELECT 'é😀'; SELEC 1;", 14, 14],
  ['a literal without its end', "SELECT 1; SELECT 'abc", 17, 10],
  ['a comment without its end', 'SELECT 1; /* abc', 10, 10],
  ['a dollar quote without its end', 'SELECT 1; SELECT $a$ ;', 17, 10],
  ['rows for psql', 'COPY t FROM stdin;\n1\ta;b\n\\.\n', 19, 19],
  ['a character that ends a text', 'SELECT 1;\0SELECT 2;', 9, 9],
])('%s is a fault at its place, and all before it is read', (_what, sql, at, from) => {
  const { statements, fault } = reader(sql);
  expect(fault).toMatchObject({ at, from, kind: 'syntax' });
  expect(statements).toHaveLength(1);
});

/** Texts that a window may cut anywhere. */
const PARTS = [
  'SELECT 1;\n',
  "INSERT INTO t VALUES ('a;\nb', 'it''s;');\n",
  '-- a comment; with a semicolon;\n',
  '/* nested /* ;\n */ ; */\n',
  "DO $été$ BEGIN PERFORM ';'; -- ;\nEND; $été$;\r\n",
  'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END;\nSELECT 2;\nEND;\n',
  "SELECT 'a' -- ;\n\n'b;\n' ;\n".replace('-- ;', ''),
  'SELECT 1 -- ;\n+ 1;\n',
  'CREATE RULE r AS ON INSERT TO t DO (SELECT 1;\nSELECT 2);\n',
  ';\n;',
];

test('windows of any size read the same as the whole text', () => {
  const whole = (sql: string): Window => readHere(grammar, sql);
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  for (let run = 0; run < 60; run++) {
    const sql = Array.from({ length: 12 }, () => PARTS[random(PARTS.length)]).join('');
    const expected = readSql(sql, whole, sql.length + 1);
    expect(expected.fault).toBeUndefined();
    expect(readSql(sql, whole, 1 + random(80))).toEqual(expected);
  }
});

test('a cut never takes a statement that goes on behind it', () => {
  const sql = 'SELECT 1 -- ;\n+ 1;\nSELECT 2;';
  expect(textsOf(sql, readSql(sql, (text) => readHere(grammar, text), 3).statements)).toEqual([
    'SELECT 1 -- ;\n+ 1',
    'SELECT 2',
  ]);
});

test('a sum of 10,000 terms, which overflows a stack, is read', () => {
  const { statements, fault } = reader(`SELECT 1;\nSELECT 1${' + 1'.repeat(10_000)};\nSELECT 2;`);
  expect(fault).toBeUndefined();
  expect(statements).toHaveLength(3);
});

test('of a DO statement the body is known, of a shared table its query', () => {
  const sql =
    'DO LANGUAGE plpgsql $é$body$é$; DO \'body\'; CREATE TEMP TABLE "T" ON COMMIT DROP AS /* AS */ SELECT 1 WITH DATA;';
  const [first, second, third] = reader(sql).statements;
  expect(sql.slice(first?.body).startsWith('body')).toBe(true);
  expect(second?.body).toBeUndefined();
  expect(third?.gathers).toMatchObject({ table: 'T' });
  expect(sql.slice(third?.gathers?.start, third?.gathers?.end)).toBe('SELECT 1');
});
