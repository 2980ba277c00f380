// The location of an SQL error: every kind of SQL in a revision, from the error of the server back to file, line and column.
import { plan, validate } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { chainOf, databaseOf, type Files } from '../../setup/revisions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterAll(() => database.drop());

/** The header has five lines, so that the SQL of the one step begins in line 7. */
const UPGRADE = `-- Orders
-- Revision: 001
-- Revises: <base>
-- Create Date: 2026-01-01

-- step: Making orders
`;

const optionsFor = (files: Files) => {
  const all = { '001_x/downgrade.sql': '-- Down\n-- step: Nothing\nSELECT 1;\n', ...files };
  return migratorOn(database, {
    database: { ...databaseOf({ id: '001' }), chain: chainOf(all) },
  });
};
const failureOf = async (work: Promise<unknown>): Promise<BackstopError> => {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason) => reason,
  );
  if (!(error instanceof BackstopError)) throw error;
  return error;
};
const failedStep = (sql: string) =>
  failureOf(upgrade(optionsFor({ '001_x/upgrade.sql': UPGRADE + sql }), 'head'));

test.each([
  ['a syntax error', 'SELEC 1;', '7:1'],
  ['a column that is missing, in the second line', 'SELECT\n  nothing;', '8:3'],
  ['a table that is missing, in the second statement', 'SELECT 1;\nSELECT * FROM nothing;', '8:15'],
  ['a position behind characters of several bytes', "SELECT 'é😀', nothing;", '7:14'],
  ['a file with empty lines below the title', '\n\n\nSELECT nothing;', '10:8'],
  ['a wrong literal', "SELECT 'x'::integer;", '7:8'],
  ['an exception in the body of DO', 'DO $$\nBEGIN\n  PERFORM 1;\n  PERFORM 1 / 0;\nEND\n$$;', '10'],
  [
    'an exception in the second of two bodies',
    'DO $$ BEGIN END $$;\nDO $do$\nBEGIN\n  PERFORM 1 / 0;\nEND\n$do$;',
    '10',
  ],
  ['a table that is missing, in the body of DO', 'DO $$\nBEGIN\n  DELETE FROM nothing;\nEND\n$$;', '9:15'],
  ['a variable that is missing, in the body of DO', 'DO $$\nBEGIN\n  nothing := 1;\nEND\n$$;', '9:3'],
  [
    'a column that is missing, behind INTO',
    'DO $$\nDECLARE\n  x integer;\nBEGIN\n  SELECT 1 INTO x\n  FROM pg_class WHERE nothing;\nEND\n$$;',
    '12:23',
  ],
  ['an error without a position', 'CREATE TABLE one (id integer);\nCREATE TABLE one (id integer);', '8'],
  [
    'an error without a position, behind semicolons that end no statement',
    'SELECT \';\', 1 AS "a;b"; -- ;\n;;/* ; */\nDO $$ BEGIN NULL; END $$;\nSELECT 1 / (1 - 1);',
    '10',
  ],
  [
    'an error without a position, behind a body in standard SQL',
    'CREATE FUNCTION f() RETURNS integer LANGUAGE sql\nBEGIN ATOMIC SELECT 1; END;\nSELECT 1 / 0;',
    '9',
  ],
])('%s in a step is found', async (_what, sql, place) => {
  const { location, message } = await failedStep(sql);
  const [line, column] = place.split(':').map(Number);
  expect(location).toMatchObject({ file: '001_x/upgrade.sql', line });
  expect(location?.column).toBe(column);
  expect(message).toContain(`\nAT:  001_x/upgrade.sql:${place}\n`);
});

test('the line is shown with a caret', async () => {
  const { message } = await failedStep('SELECT\n  1 + nothing;');
  expect(message).toContain('\n     1 + nothing;\n         ^\n');
});

test('the history keeps the location of the error', async () => {
  await failedStep('SELECT nothing;');
  const [row] = await database.query('SELECT report FROM backstop.history ORDER BY id DESC LIMIT 1');
  expect(row?.report.location).toMatchObject({ file: '001_x/upgrade.sql', line: 7, column: 8 });
});

test('an exception that a revision raises on purpose has the line of its RAISE', async () => {
  expect(await failedStep("DO $$\nBEGIN\n  RAISE 'not today';\nEND\n$$;")).toMatchObject({
    name: 'MigrationRefused',
    summary: 'not today',
    location: { file: '001_x/upgrade.sql', line: 9 },
  });
});

const CHECKS = '-- Checks\n\n-- check: V1.1 one\n';
const GATHER =
  '-- Checks\n\n-- gather: all\nCREATE TEMPORARY TABLE everything ON COMMIT DROP AS SELECT 1 AS id,\n  nothing;\n\n' +
  '-- check: V1.1 one\nSELECT * FROM everything;\n';

test.each([
  ['a column that is missing', `${CHECKS}SELECT 1\nWHERE nothing;`, '5:7'],
  ['a syntax error', `${CHECKS}SELECT 1 FRM x;`, '4:14'],
  ['an end that is missing', `${CHECKS}SELECT 1 FROM;`, '4:14'],
  ['a gather', GATHER, '5:3'],
  [
    'a check behind a gather',
    GATHER.replace('nothing;', '2 AS two;').replace(
      'SELECT * FROM everything',
      'SELECT nothing FROM everything',
    ),
    '8:8',
  ],
])('%s in a check is found', async (_what, text, place) => {
  const files = { '001_x/upgrade.sql': `${UPGRADE}SELECT 1;`, '001_x/verify/before-upgrade.sql': text };
  const { location } = await failureOf(validate(optionsFor(files), 'before-upgrade'));
  const [line, column] = place.split(':').map(Number);
  expect(location).toMatchObject({ file: '001_x/verify/before-upgrade.sql', line, column });
});

test('a check that runs without its temporary table is found, too', async () => {
  await database.asAdministrator(`REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC`);
  await database.asAdministrator(
    `REVOKE TEMPORARY ON DATABASE ${database.name} FROM ${database.settings.user}`,
  );
  const text = GATHER.replace('nothing;', '2 AS two;').replace('SELECT * FROM', 'SELECT nothing FROM');
  const files = { '001_x/upgrade.sql': `${UPGRADE}SELECT 1;`, '001_x/verify/before-upgrade.sql': text };
  const { location } = await failureOf(plan(optionsFor(files), 'upgrade', 'head'));
  expect(location).toMatchObject({ file: '001_x/verify/before-upgrade.sql', line: 8, column: 8 });
});
