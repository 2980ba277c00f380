// The words of the server's errors: no value of a row is in them, whatever the error, and the revision's own words stay.
import { BackstopError } from '../../../../lambda/migrator/model/errors.ts';
import { withoutQuoted, withoutValues } from '../../../../lambda/migrator/model/words.ts';
import { speakerOf, wordsOf } from '../../../../lambda/migrator/session/server-words.ts';
import { stepError } from '../../../../lambda/migrator/session/sqlstate.ts';
import { makeDatabase, type TestDatabase } from '../../../setup/database.ts';

/** A value of a row. Its parts are searched, too: a message may quote the beginning of it. */
const SECRET = 'sesame-alice@example.com';
const PARTS = ['sesame', 'alice', 'example.com', '4711', '1969', '2150'];

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(`
    CREATE TYPE mood AS ENUM ('fine');
    CREATE DOMAIN adult AS integer CONSTRAINT is_adult CHECK (VALUE > 100000);
    CREATE TABLE person (id bigint PRIMARY KEY, mail text CONSTRAINT mail_once UNIQUE, day date, day_of_month integer);
    INSERT INTO person VALUES (4711, '${SECRET}', '1969-07-16', 47);
    CREATE TABLE target (id bigint REFERENCES person, mail text CONSTRAINT short CHECK (length(mail) < 5),
      n smallint, needed text NOT NULL DEFAULT '', short varchar(3),
      CONSTRAINT no_overlap EXCLUDE USING gist (int4range(n, n + 10) WITH &&));
    CREATE TABLE parted (mail text) PARTITION BY LIST (mail);
    CREATE VIEW checked AS SELECT * FROM person WHERE mail = 'x' WITH CHECK OPTION;
    CREATE TABLE guarded (mail text);
    CREATE FUNCTION "guard ""x""
"() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
      RAISE EXCEPTION 'no %', NEW.mail USING DETAIL = NEW.mail, HINT = NEW.mail, ERRCODE = '23503'; END$$;
    CREATE TRIGGER guard BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION "guard ""x""
"();
    CREATE FUNCTION says(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN ASSERT false, $1; END$$;
    CREATE FUNCTION divides(text) RETURNS integer LANGUAGE plpgsql AS $$BEGIN RETURN $1::integer; END$$;
    CREATE FUNCTION runs(text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE 'SELECT ' || quote_literal($1) || '::integer'; END$$;
    CREATE FUNCTION own_code(text) RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE '%', $1 USING ERRCODE = 'ZZ999'; END$$;
  `);
});
afterAll(() => database.drop());

async function endingOf(sql: string): Promise<BackstopError> {
  const pieces = [{ sql, origin: { file: '001/upgrade.sql', line: 1, column: 1, offset: 0 } }];
  const refuses = new Map([['23503', 'OrdersBlocked']]);
  const error = await database.query(sql).then(
    () => new Error(`no error: ${sql}`),
    (reason) => stepError(reason, 'step 1/1 of 001', { pieces, refuses }),
  );
  if (!(error instanceof BackstopError)) throw error;
  return error;
}

test.each([
  ['22001', 'INSERT INTO target (short) SELECT mail FROM person'],
  ['22003', 'INSERT INTO target (n) SELECT id * 100 FROM person'],
  ['22003', "SELECT (mail || 1)::text, (id::text || repeat('0', 30))::bigint FROM person"],
  ['22007', 'SELECT mail::date FROM person'],
  ['22007', "SELECT to_date(mail, 'YYYY') FROM person"],
  ['22008', "SELECT (replace(day::text, '07', '47'))::date FROM person"],
  ['22008', 'SELECT make_date(extract(year FROM day)::int, day_of_month, 1) FROM person'],
  ['22008', 'SELECT make_time(day_of_month, 11, 12) FROM person'],
  ['22008', 'SELECT to_timestamp(id * 1e20) FROM person'],
  ['22011', 'SELECT substring(mail FROM 1 FOR -day_of_month) FROM person'],
  ['2201B', "SELECT 'a' ~ ('(' || mail) FROM person"],
  ['22021', "SELECT convert_from(('sesame' || chr(233))::bytea || '\\xff'::bytea, 'UTF8') FROM person"],
  ['22023', 'SELECT day::timestamp AT TIME ZONE mail FROM person'],
  ['22023', "SELECT set_config('work_mem', mail, true) FROM person"],
  ['22023', "SELECT encode('a', mail) FROM person"],
  ['22025', "SELECT (mail || 'x') LIKE (mail || '\\') FROM person"],
  ['22P02', 'SELECT mail::integer FROM person'],
  ['22P02', 'SELECT mail::uuid FROM person'],
  ['22P02', 'SELECT mail::mood FROM person'],
  ['22P02', "SELECT ('{' || mail)::text[] FROM person"],
  ['22P02', 'SELECT (\'{"a": \' || mail)::json FROM person'],
  ['22P02', "SELECT ('(' || mail)::person FROM person"],
  ['22P02', 'SELECT mail::inet FROM person'],
  ['22P02', "SELECT ('[' || mail)::int4range FROM person"],
  [
    '22P02',
    'CREATE TABLE altered AS SELECT mail FROM person; ALTER TABLE altered ALTER COLUMN mail TYPE integer USING mail::integer',
  ],
  ['22P02', 'SELECT divides(mail) FROM person'],
  ['22P02', 'DO $$DECLARE n integer; BEGIN SELECT mail INTO n FROM person; END$$'],
  ['22P02', 'SELECT runs(mail) FROM person'],
  ['22012', 'SELECT id / (day_of_month - day_of_month) FROM person'],
  ['23502', 'INSERT INTO target (mail, needed) SELECT mail, NULL FROM person'],
  ['23503', 'INSERT INTO target (id) SELECT id + 1 FROM person'],
  ['23505', 'INSERT INTO person SELECT id, mail FROM person'],
  ['23505', 'INSERT INTO person SELECT id + 1, mail FROM person'],
  [
    '23505',
    'CREATE TABLE twice AS SELECT p.mail FROM person AS p, generate_series(1, 2); CREATE UNIQUE INDEX ON twice (mail)',
  ],
  ['23514', 'INSERT INTO target (mail) SELECT mail FROM person'],
  ['23514', 'ALTER TABLE person ADD CONSTRAINT none CHECK (length(mail) < 2)'],
  ['23514', 'SELECT id::adult FROM person'],
  ['23514', 'INSERT INTO parted SELECT mail FROM person'],
  ['23P01', 'INSERT INTO target (n) SELECT 4711 FROM person, generate_series(1, 2)'],
  ['44000', 'INSERT INTO checked SELECT id + 5, mail || 1 FROM person'],
  ['3F000', 'SELECT mail::regclass FROM person'],
  ['42P01', "SELECT ('\"' || mail || '\"')::regclass FROM person"],
  ['42704', "SELECT ('\"' || mail || '\"')::regtype FROM person"],
  ['42704', "SELECT ('\"' || mail || '\"')::regrole FROM person"],
  ['3F000', "SELECT ('\"' || mail || '\"')::regnamespace FROM person"],
  ['42883', "SELECT ('\"' || mail || '\"')::regproc FROM person"],
  // PostgreSQL 14 takes the part before the dot for a schema.
  ['42883|3F000', 'SELECT mail::regoper FROM person'],
  ['42601', "SELECT ('''' || mail)::tsquery FROM person"],
  ['42601', 'DO $$DECLARE m text; BEGIN SELECT mail INTO m FROM person; EXECUTE m; END$$'],
  ['P0003', 'DO $$DECLARE m text; BEGIN SELECT mail INTO STRICT m FROM person, generate_series(1, 2); END$$'],
  [
    'P0002',
    `DO $$
#print_strict_params on
DECLARE m text; v text;
BEGIN SELECT mail INTO v FROM person; SELECT mail INTO STRICT m FROM person WHERE mail = v || '.'; END$$`,
  ],
  ['P0004', 'SELECT says(mail) FROM person'],
  ['ZZ999', 'SELECT own_code(mail) FROM person'],
  ['23503', 'INSERT INTO guarded SELECT mail FROM person'],
])('%s shows no value of a row: %s', async (code, sql) => {
  const error = await endingOf(sql);
  expect(error.message).toMatch(new RegExp(`SQLSTATE (${code})`));
  const told = JSON.stringify([error.message, error.detail, error.hint, error.cause]).toLowerCase();
  const line = error.location?.text?.toLowerCase() ?? '';
  expect(PARTS.filter((part) => told.includes(part) && !line.includes(part))).toEqual([]);
});

test('a violation names table, column and constraint', async () => {
  expect(await endingOf('INSERT INTO person SELECT id + 1, mail FROM person')).toMatchObject({
    name: 'MigrationFailed',
    summary: 'duplicate key value violates unique constraint "mail_once" (SQLSTATE 23505) in step 1/1 of 001',
    detail: "Table public.person, constraint mail_once. The values are in the server's log.",
  });
  expect((await endingOf('INSERT INTO target (needed) VALUES (NULL)')).detail).toMatch(
    /^Table public\.target, column needed\. /,
  );
});

test('a literal of the revision is shown, and its place', async () => {
  expect(await endingOf("SELECT 1;\nSELECT 'four'::integer")).toMatchObject({
    summary: expect.stringContaining('"four"'),
    location: { line: 2 },
  });
});

test('names of objects are shown', async () => {
  expect((await endingOf('DROP TABLE missing_table')).summary).toContain('"missing_table"');
  expect((await endingOf('DROP TABLE person')).detail).toContain('target');
  expect((await endingOf('CREATE TABLE person ()')).summary).toContain('"person"');
  expect((await endingOf("SELECT nextval('no_sequence')")).summary).toContain('"no_sequence"');
});

test('an exception of a function that is not the revision has its name, and no ending of the revision', async () => {
  expect(await endingOf('INSERT INTO guarded SELECT mail FROM person')).toMatchObject({
    name: 'MigrationRefused',
    summary: String.raw`The function U&"guard ""x""\000A" raised an exception (SQLSTATE 23503) in step 1/1 of 001`,
  });
  const raised = `DO $$BEGIN INSERT INTO guarded VALUES ('a'); END$$`;
  expect((await endingOf(raised)).name).toBe('MigrationRefused');
});

test.each([
  ['PL/pgSQL function inline_code_block line 3 at RAISE', 'revision'],
  ['PL/pgSQL 함수 "inline_code_block" 의 3번째 RAISE', 'revision'],
  ['在RAISE的第3行的PL/pgSQL函数inline_code_block', 'revision'],
  ['PL/pgSQL function inline_code_block() line 3 at RAISE', { function: 'inline_code_block' }],
  ['PL/pgSQL function app.guard(text,integer) line 3 at RAISE', { function: 'app.guard' }],
  ['PL/pgSQL関数guard()の3行目 - RAISE', { function: 'guard' }],
  ['PL/pgSQL 함수 "guard()" 의 3번째 RAISE', { function: 'guard' }],
  [
    'PL/pgSQL function "a\n inline_code_block line 3 at"() line 3 at RAISE',
    { function: '"a\n inline_code_block line 3 at"' },
  ],
  [
    'PL/pgSQL function inline_code_block line 1 at RAISE\nSQL statement "DO …"\nPL/pgSQL function f() line 1 at EXECUTE',
    { function: undefined },
  ],
  ['COPY people, line 3, column mail: "f(x)"', { function: undefined }],
  [undefined, { function: undefined }],
])('the speaker of %j is %j', (where, speaker) => {
  expect(speakerOf({ routine: 'exec_stmt_raise', code: 'P0001', where })).toEqual(speaker);
  expect(speakerOf({ routine: 'errorMissingColumn', code: '42703', where })).toBe('server');
});

test.each([
  ['"guard"', 'guard()', 'revision'],
  ['"public"."guard"', 'guard()', 'revision'],
  ['"public"."guard"', 'public.guard(integer)', 'revision'],
  ['"Odd ""x"""', '"Odd ""x"""()', 'revision'],
  ['"guard"', 'app.guard()', { function: 'app.guard' }],
  ['"public"."guard"', 'app.guard()', { function: 'app.guard' }],
  ['"other"', 'guard()', { function: 'guard' }],
])('if the run makes %s, the speaker of %s is %j', (made, name, speaker) => {
  const where = `PL/pgSQL function ${name} line 1 at RAISE`;
  expect(speakerOf({ routine: 'exec_stmt_raise', code: 'P0001', where }, [made])).toEqual(speaker);
});

test.each([
  ['invalid input syntax for type integer: "a "b" c"', 'invalid input syntax for type integer: …'],
  ['otras palabras integer: »a«', 'otras palabras integer: …'],
  ['otras palabras « 70000 » otras', 'otras palabras … otras'],
  ['无效的类型 integer 输入语法: "a', '无效的类型 integer 输入语法: …'],
  ["otras d'otras", "otras d'otras"],
])('of %j, %j is left', (message, left) => {
  expect(withoutQuoted(message)).toBe(left);
});

test('a number is a value, and the length of a type is not', () => {
  expect(withoutValues('date field value out of range: 1969-07-16')).toBe('date field value out of range: …');
  expect(withoutValues('value too long for type character varying(50)')).toBe(
    'value too long for type character varying(50)',
  );
  expect(withoutValues('invalid byte sequence: 0xe9 0x41')).toBe('invalid byte sequence: … …');
});

test('an unknown class has no words', () => {
  expect(
    wordsOf({ code: 'ZZ000', message: SECRET, detail: SECRET, hint: SECRET }, 'SELECT 1', false),
  ).toEqual({
    message: 'The server refused it',
    detail: "Its words are not printed. The values are in the server's log.",
  });
});
