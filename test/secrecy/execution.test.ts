// Executions on a database with rows, statements and names of others: no document, log, history or message shows them.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarizeEnded } from '../../lambda/look-back.ts';
import { notificationOf } from '../../lambda/notification.ts';
import { makeTwin, type Run, type TestTwin, withEnvironment, withMigrations } from '../machine/twin.ts';
import { type SecretScan, startScan, TOKEN } from './secret-scan.ts';

const REVISION = 'codebase_mcp/002_remove_non_search_tables';
const NO_SNAPSHOT = { snapshot: false };

/** Adds everything that the execution has left to the scan, and the message about its end. */
async function add(scan: SecretScan, { database }: TestTwin, { execution, events }: Run): Promise<void> {
  scan.add('the execution', execution);
  for (const event of events) scan.add(`an event: ${event.type}`, event);
  const [found] = await database.query("SELECT to_regclass('backstop.history') AS history");
  if (found?.history) scan.add('the history', await database.query('SELECT * FROM backstop.history'));
  const { name, status, error, cause, state: document } = execution;
  const past = { status, error, cause, document, asked: { action: null, database: null }, unread: [] };
  const circumstances = {
    execution: { name, arn: 'arn', stateMachineArn: 'arn', startedAt: '' },
    endedAt: '',
    past,
    refusals: [],
  };
  scan.add('the message', notificationOf(summarizeEnded(past, []), circumstances));
}

const plant = (twin: TestTwin) =>
  twin.database.query(`
    UPDATE repositories SET path = path || '${TOKEN}';
    CREATE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
      RAISE INFO '%', NEW.path; RAISE WARNING '%', NEW.path;
      IF NEW.metadata ? 'refused' THEN RAISE EXCEPTION '%', NEW.path USING ERRCODE = '23514'; END IF;
      RETURN NEW; END$$;
    CREATE TRIGGER guard BEFORE UPDATE ON repositories FOR EACH ROW EXECUTE FUNCTION public.guard();`);

test.each<[what: string, ending: string, sql: string]>([
  ['a check that fails', 'ValidationFailed', 'UPDATE public.repositories SET metadata = NULL;'],
  ['a cast that fails', 'MigrationFailed', 'SELECT path::integer FROM public.repositories;'],
  ['a trigger of others', 'MigrationRefused', `UPDATE public.repositories SET metadata = '{"refused": 1}';`],
])('no execution shows a row: %s', async (_what, ending, sql) => {
  const deployment = withMigrations((folder) => {
    const check = "-- check: V9.9 none\nSELECT id, path, path || '' AS p FROM public.repositories;\n";
    appendFileSync(join(folder, REVISION, 'verify/after-upgrade.sql'), `\n${check}`);
    appendFileSync(join(folder, REVISION, 'upgrade.sql'), `\n-- step: One more\n${sql}\n`);
  });
  const scan = startScan();
  {
    await using twin = await makeTwin({ deployment });
    await plant(twin);
    const run = await twin.execute(NO_SNAPSHOT);
    expect(run.execution).toMatchObject({ status: 'FAILED', error: ending });
    await add(scan, twin, run);
  }
  scan.expectNone();
});

test('no execution shows the statement of a session that is in the way', async () => {
  const scan = startScan();
  {
    await using twin = await makeTwin({ deployment: withEnvironment({ BACKSTOP_LOCK_WAIT_SECONDS: '0' }) });
    const holder = await twin.database.connect(`app --password ${TOKEN}`);
    await holder.query(`BEGIN; LOCK TABLE repositories IN SHARE MODE; SELECT '${TOKEN}'`);
    const run = await twin.execute(NO_SNAPSHOT, () => holder.end());
    expect(run.execution).toMatchObject({ status: 'FAILED', error: 'DatabaseBusy' });
    expect(run.execution.cause).toMatch(
      /app, idle in transaction\) since \S+: BEGIN, holds public\.repositories/,
    );
    await add(scan, twin, run);
  }
  scan.expectNone();
});

test('no execution is controlled by a name of others', async () => {
  const scan = startScan();
  await using twin = await makeTwin();
  const name = 'x); drop table code_chunks; --\n\u001b[2J\u009b1m';
  await twin.database.query(
    `ALTER TABLE tasks ADD COLUMN repo uuid; ALTER TABLE tasks ADD CONSTRAINT "${name}" FOREIGN KEY (repo) REFERENCES repositories (id)`,
  );
  const run = await twin.execute(NO_SNAPSHOT);
  expect(run.execution.error).toBe('ForeignKeyBlocked');
  expect(run.execution.cause).toContain(
    String.raw`DROP CONSTRAINT U&"x); drop table code_chunks; --\000A\001B[2J\009B1m";`,
  );
  expect(JSON.stringify(run.execution).match(/\p{Cc}/u)).toBeNull();
  const [, remedy = ''] = /Run: (ALTER TABLE .*;)$/m.exec(run.execution.cause ?? '') ?? [];
  await twin.database.query(remedy);
  expect(await twin.database.query("SELECT FROM pg_constraint WHERE conname LIKE 'x)%'")).toEqual([]);
  writeFileSync(join(scan.folder, 'cause'), run.execution.cause ?? '');
  scan.expectNone();
});
