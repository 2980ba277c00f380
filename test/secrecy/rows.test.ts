// Rows, statements and names that others have put into a database: whatever a command does, nothing shows their secrets.
import { join } from 'node:path';
import { backstop, databaseUrl } from '../bin/cli/program.ts';
import { migrationsOf } from '../bin/cli/project.ts';
import { makeDatabase, type TestDatabase } from '../setup/database.ts';
import type { RevisionDraft } from '../setup/revisions.ts';
import { type SecretScan, startScan, TOKEN } from './secret-scan.ts';

const MAIL = `${TOKEN}@example.com`;

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(
    `CREATE TABLE person (id bigint PRIMARY KEY, mail text CONSTRAINT mail_once UNIQUE, n integer,
       loud text GENERATED ALWAYS AS (mail || '.') STORED);
     COMMENT ON TABLE person IS '${MAIL}';
     CREATE TABLE twice AS SELECT '${MAIL}'::text AS mail FROM generate_series(1, 2);
     CREATE TABLE guarded (mail text);
     CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
       RAISE NOTICE '%', NEW.mail; RAISE INFO '%', NEW.mail;
       IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
       IF NEW.mail LIKE '%!' THEN RAISE EXCEPTION '%', NEW.mail USING DETAIL = NEW.mail, HINT = NEW.mail, ERRCODE = '23503'; END IF;
       RETURN NEW; END$$;
     CREATE TRIGGER guard BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
     INSERT INTO person VALUES (1, '${MAIL}', 1), (2, '{"a": ${MAIL}', 2)`,
  );
});
afterAll(() => database.drop());

/** Runs a command twice, in text and as JSON, and returns the exit status; the scan searches everything that it prints. */
async function run(scan: SecretScan, folder: string, ...args: string[]): Promise<number> {
  const env = { DATABASE_URL: databaseUrl(database) };
  let status = 0;
  for (const form of [[], ['--json']]) {
    const file = join(scan.folder, 'log');
    const ending = await backstop([...args, ...form, '--migrations', folder, '--log-file', file], { env });
    scan.add(`backstop ${args.join(' ')} ${form}`, ending);
    status = Math.max(status, ending.status);
  }
  return status;
}

const projectOf = (...revisions: RevisionDraft[]) => migrationsOf({ app: { revisions } });
const reports = () =>
  database.query('SELECT report FROM backstop.history WHERE from_revision <> $1', ['old']);

test('no value of a row is shown by a step that fails', async () => {
  const scan = startScan();
  const failing = [
    'INSERT INTO person SELECT id + 5, mail FROM person;',
    'INSERT INTO person SELECT id, mail FROM person;',
    'CREATE UNIQUE INDEX ON twice (mail);',
    'ALTER TABLE person ADD CONSTRAINT short CHECK (length(mail) < 3);',
    'ALTER TABLE person ALTER n SET NOT NULL; UPDATE person SET n = NULL;',
    'ALTER TABLE twice ALTER mail TYPE integer USING mail::integer;',
    'ALTER TABLE person ADD n2 integer GENERATED ALWAYS AS (mail::integer) STORED;',
    'CREATE TABLE made AS SELECT mail::json FROM person WHERE id = 2;',
    'CREATE TABLE made AS SELECT mail::date FROM person;',
    'CREATE TABLE made AS SELECT mail::regclass FROM person;',
    "INSERT INTO guarded SELECT mail || '!' FROM person;",
    'DO $$DECLARE m text; BEGIN SELECT mail INTO m FROM person; EXECUTE m; END$$;',
  ];
  for (const sql of failing) {
    const folder = projectOf({ id: '001', upgrade: [sql] });
    expect([sql, await run(scan, folder, 'upgrade')]).toEqual([sql, 1]);
  }
  const folder = projectOf({ id: '001' });
  expect(await run(scan, folder, 'log', '--verbose')).toBe(0);
  scan.add('the history', await reports());
  scan.expectNone();
});

test('no value of a row is shown by checks, by notices and before a downgrade', async () => {
  const scan = startScan();
  const check = "SELECT id, mail, loud, mail || '' AS m, to_jsonb(person) AS j FROM person;";
  const steps = ['INSERT INTO guarded SELECT mail FROM person;'];
  const folder = projectOf({
    id: '001',
    upgrade: steps,
    checks: { 'after-upgrade': [check], 'before-downgrade': [check] },
  });
  const refused = projectOf({ id: '001', checks: { 'before-upgrade': [check] } });
  expect(await run(scan, refused, 'upgrade')).toBe(1);
  expect(await run(scan, refused, 'check', 'before-upgrade')).toBe(1);
  expect(await run(scan, folder, 'upgrade', '--dry-run')).toBe(1);
  expect(await run(scan, folder, 'upgrade', '--step-back')).toBe(1);
  expect(await run(scan, folder, 'check')).toBe(1);
  expect(await run(scan, folder, 'downgrade', 'base')).toBe(2);
  for (const verb of ['current', 'status', 'history', 'log', 'heads'])
    await run(scan, folder, verb, '--verbose');
  for (const args of [
    ['downgrade', 'base', '--yes'],
    ['finalize', '--yes'],
    ['stamp', 'base'],
  ]) {
    expect(await run(scan, folder, ...args)).toBe(0);
  }
  scan.add('the history', await reports());
  scan.expectNone();
});

test('no statement of another session is shown, nor a secret in its name, nor the statements of old reports', async () => {
  const scan = startScan();
  const folder = projectOf({
    id: '001',
    locks: 'public.person',
    upgrade: ['ALTER TABLE person ADD extra text;'],
  });
  // As this version has made the table, and earlier versions have filled it.
  await run(scan, projectOf({ id: '001', upgrade: ['SELECT 1 / 0;'] }), 'upgrade');
  const blocker = {
    pid: 1,
    user: 'alice',
    application: `app password=${TOKEN}`,
    state: 'active',
    query: MAIL,
  };
  const old = [
    { steps: [], exclusiveMs: {}, attempts: 2, walBytes: 0, rows: [], blockers: [blocker] },
    { error: 'DatabaseBusy', message: 'm', detail: `Blocked by pid 1 (alice, active): ${MAIL}`, attempts: 1 },
    {
      error: 'MigrationFailed',
      message: 'm (SQLSTATE 23505) in step 1',
      detail: `Key (mail)=(${MAIL})`,
      attempts: 1,
    },
    { error: 'MigrationFailed', message: `m: "${MAIL}" (SQLSTATE 22P02) in step 1`, attempts: 1 },
  ];
  for (const report of old) {
    await database.query(
      `INSERT INTO backstop.history
         (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
       VALUES (gen_random_uuid(), 'upgrade', 'old', '001', now(), 1, $1, '{}', $2)`,
      ['error' in report ? report.error : 'finalized', JSON.stringify(report)],
    );
  }
  const holder = await database.connect(`app postgresql://alice:${TOKEN}@db/app`);
  await holder.query(`BEGIN; LOCK TABLE person; SELECT '${MAIL}'`);
  expect(await run(scan, folder, 'upgrade', '--lock-wait', '1')).toBe(1);
  await holder.end();
  expect(await run(scan, folder, 'log', '--verbose')).toBe(0);
  scan.add('the history', await reports());
  scan.expectNone();
});

test('no name of others controls the terminal or forges a line', async () => {
  const evil = `x\u001b[2J\u009b31m\u202e\nINFO  [migration.002] done`;
  await database.query(
    `CREATE TABLE "${evil}" (a integer); CREATE FUNCTION "${evil}"() RETURNS void LANGUAGE plpgsql AS
       $$BEGIN RAISE EXCEPTION 'forged'; END$$`,
  );
  const folder = projectOf({
    id: '001',
    upgrade: [
      `CREATE SCHEMA retired_001; DO $$BEGIN
         EXECUTE (SELECT format('ALTER TABLE public.%I SET SCHEMA retired_001', relname) FROM pg_class WHERE relname LIKE 'x%done');
         RAISE NOTICE '%', (SELECT relname FROM pg_class WHERE relname LIKE 'x%done'); END$$;`,
    ],
    checks: { 'after-upgrade': ["SELECT relname FROM pg_class WHERE relname LIKE 'x%done';"] },
  });
  const failing = projectOf({
    id: '001',
    upgrade: [
      `DO $$BEGIN EXECUTE (SELECT format('SELECT %I()', proname) FROM pg_proc WHERE proname LIKE 'x%done'); END$$;`,
    ],
  });
  const env = { DATABASE_URL: databaseUrl(database) };
  const printed: string[] = [];
  const calls: [string, ...string[]][] = [
    [failing, 'upgrade'],
    [folder, 'upgrade', '--no-check'],
    [folder, 'check'],
    [folder, 'check', '--json'],
    [folder, 'log', '--verbose', '--json'],
  ];
  for (const [migrations, ...args] of calls) {
    const { out, err } = await backstop([...args, '--migrations', migrations], { env });
    printed.push(...out, ...err);
  }
  await database.query("UPDATE alembic_version SET version_num = E'\\x1b[2J5\\nINFO  ok'");
  for (const verb of ['current', 'status', 'upgrade']) {
    const { out, err } = await backstop([verb, '--migrations', folder], { env });
    printed.push(...out, ...err);
  }
  expect(printed.filter((line) => /\p{Cc}|\p{Cf}/u.test(line) || /^INFO/.test(line))).toEqual([]);
  expect(printed.join('\n')).toContain('\\u001b[2J');
});
