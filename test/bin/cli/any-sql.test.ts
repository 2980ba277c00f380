// SQL as people write it: run as psql runs it, or refused by the runs that need it, with the line and the way round.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { type Files, revisionFiles } from '../../setup/revisions.ts';
import { backstop, databaseUrl, document } from './program.ts';
import { folderOf } from './project.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const DEFINITION = JSON.stringify({ app: { folder: 'app', urlVariable: 'DATABASE_URL' } });
const run = (migrations: string, ...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });

/** A chain of 001, which makes nothing, and of 002 with these files. */
const projectOf = (second: Files): string => {
  const files = {
    ...revisionFiles({ id: '001' }),
    ...revisionFiles({ id: '002', revises: '001' }),
    ...second,
  };
  const below = Object.fromEntries(Object.entries(files).map(([path, text]) => [`app/${path}`, text]));
  return folderOf({ 'databases.json': DEFINITION, ...below });
};

const HEADER = '-- Second\n-- Revision: 002\n-- Revises: 001\n-- Create Date: 2026-01-01\n\n';

const REFUSED = `002/upgrade.sql: COPY … FROM STDIN reads rows that are not SQL
AT:  002/upgrade.sql:7:1
     COPY one FROM stdin;
     ^`;

test('a file that cannot be run stops only the runs that need it', async () => {
  const upgrade = `${HEADER}CREATE TABLE one (id text);\nCOPY one FROM stdin;\n1\n\\.\n`;
  const migrations = projectOf({ '002/upgrade.sql': upgrade });
  // The status is 1 where a revision is pending.
  expect(await run(migrations, 'status')).toMatchObject({ status: 1, err: [] });
  for (const verb of [['current'], ['history'], ['heads'], ['upgrade', '001'], ['show', '001']]) {
    expect(await run(migrations, ...verb)).toMatchObject({ status: 0, err: [] });
  }
  const shown = await run(migrations, 'show', '002');
  expect(shown.status).toBe(0);
  expect(shown.out.join('\n')).toContain(REFUSED);
  for (const verb of [['upgrade'], ['upgrade', '--dry-run'], ['upgrade', '001:002', '--sql']]) {
    const { status, err } = await run(migrations, ...verb);
    expect(status).toBe(1);
    expect(err.join('\n')).toContain(`RevisionInvalid: ${REFUSED}`);
    expect(err.at(-1)).toMatch(/^HINT: .*INSERT/);
  }
  expect(await run(migrations, 'current')).toMatchObject({ out: ['001'] });
  expect(await run(migrations, 'stamp', '002')).toMatchObject({ status: 0 });
});

test.each<[what: string, file: string, text: string, summary: string]>([
  [
    'a check that is no query',
    '002/verify/after-upgrade.sql',
    '-- check: V1.1 x\nDELETE FROM one;',
    'is no query',
  ],
  [
    'a check of two queries',
    '002/verify/after-upgrade.sql',
    '-- check: V1.1 x\nSELECT 1;\nSELECT 2;',
    'more than one statement',
  ],
  [
    'a check without a number',
    '002/verify/after-upgrade.sql',
    '-- check: it is so\nSELECT 1;',
    'has no number',
  ],
  [
    'a check before it that is no SQL',
    '002/verify/before-upgrade.sql',
    '-- check: V1.1 x\nSELECT FROM FROM;',
    'syntax error at or near "FROM"',
  ],
  ['a COMMIT', '002/upgrade.sql', `${HEADER}SELECT 1;\nCOMMIT;`, 'the step "Second" contains COMMIT'],
  ['two transactions', '002/upgrade.sql', `${HEADER}BEGIN;\nCOMMIT;\nBEGIN;\nCOMMIT;`, 'contains BEGIN'],
  [
    'a command of psql',
    '002/upgrade.sql',
    `${HEADER}\\restrict x\nSELECT 1;`,
    '\\restrict is a command of psql',
  ],
  [
    'a command of psql behind a query',
    '002/upgrade.sql',
    `${HEADER}SELECT 1 \\gset\n`,
    '\\gset is a command of psql',
  ],
  [
    'an index that is built beside',
    '002/upgrade.sql',
    `${HEADER}CREATE INDEX CONCURRENTLY ON one (id);`,
    'CREATE INDEX CONCURRENTLY cannot run inside a transaction',
  ],
  ['a step without a title', '002/upgrade.sql', `${HEADER}-- step:\nSELECT 1;`, 'a step has no title'],
  [
    'a statement without its end',
    '002/upgrade.sql',
    `${HEADER}-- step: one\nCREATE TABLE one (id int)\n-- step: two\nSELECT 1;`,
    'syntax error at or near "SELECT"',
  ],
])('%s is refused before anything happens', async (_what, file, text, summary) => {
  const { status, out, err } = await run(projectOf({ [file]: text }), 'upgrade');
  expect(status).toBe(1);
  expect(err[0]).toContain(summary);
  expect(err.at(-1)).toMatch(/^HINT: {2}\w/);
  expect(out.join('\n')).not.toContain('Step 1');
  expect(await database.query("SELECT to_regclass('public.alembic_version') AS version")).toEqual([
    { version: null },
  ]);
});

test('the statement above a step line is named if its semicolon is missing', async () => {
  const text = `${HEADER}-- step: one\nCREATE TABLE one (id int)\n-- step: two\nSELECT 1;`;
  const { err } = await run(projectOf({ '002/upgrade.sql': text }), 'upgrade');
  expect(err.at(-1)).toBe('HINT:  End the statement above the line "-- step: two" with a semicolon.');
});

test.each([
  ['BEGIN', 'BEGIN;', 'COMMIT;'],
  ['START TRANSACTION and END', '/* a */ START TRANSACTION -- b\n;', 'END; -- c'],
  ['BEGIN WORK', 'begin work;', 'commit work'],
])('a file in %s is taken without it, with a notice', async (_what, begin, end) => {
  const upgrade = `${HEADER}${begin}\nCREATE TABLE one (id int);\n-- step: Filling\nINSERT INTO one VALUES (1);\n${end}\n`;
  const migrations = projectOf({ '002/upgrade.sql': upgrade });
  const { status, out } = await run(migrations, 'upgrade');
  expect(status).toBe(0);
  expect(out.join('\n')).toMatch(/002\/upgrade\.sql:\d: BEGIN and COMMIT are left out/);
  expect(await database.query('SELECT id FROM one')).toEqual([{ id: 1 }]);
});

test.each([
  ['comments alone', '-- nothing to do\n/* at all */\n'],
  ['nothing', ''],
])('files that hold %s change nothing, and a downgrade without SQL is reported', async (_what, text) => {
  const files = {
    '001/upgrade.sql': `-- First\n-- Revision: 001\n-- Revises: <base>\n-- Create Date: 2026-01-01\n${text}`,
    '001/downgrade.sql': text,
    '002/upgrade.sql': `${HEADER}CREATE TABLE one (id int);`,
    '002/downgrade.sql': text,
  };
  const migrations = projectOf(files);
  const up = await run(migrations, 'upgrade');
  expect(up.status).toBe(0);
  expect(up.out.join('\n')).toContain('Downgrade of 002: none');
  expect(up.out.join('\n')).not.toContain('Downgrade of 001: none');
  expect((await run(migrations, 'show', '002')).out.join('\n')).toMatch(/downgrade\.sql\n {2}none/);
  const down = await run(migrations, 'downgrade', 'base', '--yes');
  expect(down.status).toBe(1);
  expect(down.out.join('\n')).toContain('Downgrade of 002: none');
  expect(down.err[0]).toMatch(/^DowngradeIncomplete: /);
  expect(down.err.join('\n')).toContain('table public.one added');
  expect(await run(migrations, 'current')).toMatchObject({ out: [] });
  const script = (await run(migrations, 'downgrade', '002:001', '--sql')).out.join('\n');
  expect(script).toContain('-- none: its file holds no SQL');
});

const TITLES = ['Second', 'Filling'];

test('every kind of SQL runs as psql runs it, with its line ends', async () => {
  const upgrade = [
    HEADER,
    'CREATE TABLE one (id int, word text, list jsonb);',
    'CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql',
    'BEGIN ATOMIC SELECT CASE WHEN n > 1 THEN 1 ELSE 0 END; SELECT 2; END;',
    'DO $été$ BEGIN',
    '-- step: this is no step',
    "  INSERT INTO one VALUES (1, 'in a body');",
    'END $été$;',
    '/* /* nested',
    '-- step: nor is this',
    '; */ */',
    'CREATE RULE r AS ON DELETE TO one DO ALSO (SELECT 1; SELECT 2);',
    "INSERT INTO one VALUES (2, E'it\\'s;', '{\"a--b\": 1}'), (3, U&'\\0441', NULL), (4, 'two",
    "lines', NULL);",
    'SELECT list ->> \'a--b\' AS "quo;ted" FROM one;',
    'COPY one TO STDOUT;',
    '-- step: Filling',
    "INSERT INTO one VALUES (5, '", // The line end is a part of the word.
    "') -- without its semicolon",
  ].join('\r\n');
  const migrations = projectOf({ '002/upgrade.sql': upgrade });
  expect(await run(migrations, 'upgrade')).toMatchObject({ status: 0, err: [] });
  const rows = await database.query('SELECT word FROM one ORDER BY id');
  expect(rows.map(({ word }) => word)).toEqual(['in a body', "it's;", 'с', 'two\r\nlines', '\r\n']);
  const { upgrade: shown } = document(await run(migrations, 'show', '002', '--json')) as {
    upgrade: { steps: string[] };
  };
  expect(shown.steps).toEqual(TITLES);
});
