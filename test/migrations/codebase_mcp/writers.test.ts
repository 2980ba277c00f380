// Whether docs/runbook.md is right about an application that writes while 002 comes and goes: its results, and its trigger.
import type pg from 'pg';
import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../lambda/migrator/migrator.ts';
import { blocksOf, readPage, tableOf } from '../../docs/page.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { until } from '../../setup/sessions.ts';
import { countKept, expectedResults, resultsOf, writeThroughout } from './writers.ts';

const page = readPage('docs/runbook.md');
const statements = tableOf(page, 'statement');
const TRIGGER = blocksOf(page, 'sql').find((block) => block.includes('CREATE TRIGGER')) ?? '';
const WITHOUT_PROJECT = `INSERT INTO code_chunks (code_file_id, content, start_line, end_line)
  SELECT id, 'a chunk', 1, 1 FROM code_files LIMIT 1`;
const WITH_PROJECT = `INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id)
  SELECT file.id, 'a chunk', 1, 1, repository.project_id
  FROM code_files AS file JOIN repositories AS repository ON repository.id = repository_id LIMIT 1`;

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

/** Repositories that had their projects before 002, so that its downgrade keeps them. */
const PROJECTS = `ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
  UPDATE repositories SET project_id = 'project-' || length(path) WHERE path <> (SELECT min(path) FROM repositories)`;

describe.each([
  ['without the trigger', ''],
  ['with the trigger', TRIGGER],
])('%s, each statement ends as the runbook says, and no row is lost', (_, trigger) => {
  test.each([
    ['a downgrade that is asked for', '', false],
    ['an automatic downgrade', '', true],
    ['repositories that have projects already', PROJECTS, true],
  ])('%s', async (_, given, automatic) => {
    await db.query(`${given}; ${trigger}`);
    const rows = statements.filter(([name]) => given === '' || !name?.startsWith('INSERT into repositories'));
    const names = rows.map(([name = '']) => name);
    const written = await writeThroughout(db, { names, transactions: 5, automatic });
    for (const [name = '', at005 = '', at002 = '', triggered = ''] of rows) {
      const { outcomes = [], ids = [] } = written.get(name) ?? {};
      const expected = expectedResults(at005, trigger === '' ? at002 : triggered);
      expect({ name, ...resultsOf(outcomes) }).toEqual({ name, ...expected });
      expect({ name, kept: await countKept(db, ids) }).toEqual({ name, kept: ids.length });
    }
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  });
});

describe('while the upgrade has its locks, a statement waits, and ends as after COMMIT', () => {
  /** Upgrades, and sends the statement in a session with these settings when only COMMIT is missing. */
  async function during(sql: string, settings = ''): Promise<string> {
    const client = await db.connect('writer');
    let ended: Promise<string> | undefined;
    const connect = async (name: string) => {
      const runner = await db.connect(name);
      const send = runner.query.bind(runner) as (...args: unknown[]) => Promise<pg.QueryResult>;
      const query = async (...args: unknown[]) => {
        if (args[0] === 'COMMIT' && ended === undefined) {
          await client.query(settings);
          ended = client.query(sql).then(
            () => 'works',
            ({ code }) => code,
          );
          await (settings === '' ? pidWaiting(client) : ended);
        }
        return send(...args);
      };
      return Object.assign(runner, { query });
    };
    try {
      await upgrade(migratorOn({ connect }), '002');
      return (await ended) ?? 'not sent';
    } finally {
      await client.end();
    }
  }
  const pidWaiting = (client: pg.Client) =>
    until('waiting for the lock', async () => {
      const [row] = await db.query('SELECT FROM pg_locks WHERE pid = $1 AND NOT granted', [
        (client as unknown as { processID: number }).processID,
      ]);
      return row !== undefined;
    });

  test.each([
    ['INSERT into code_chunks, without project_id', WITHOUT_PROJECT, '23502'],
    ['INSERT into code_chunks, with project_id', WITH_PROJECT, 'works'],
    [
      'INSERT into one of the nine tables',
      `INSERT INTO tasks (id, title, version) VALUES (gen_random_uuid(), '', 1)`,
      '42P01',
    ],
    ['SELECT of one of the nine tables', 'SELECT FROM tasks', '42P01'],
    ['SELECT * of code_chunks', 'SELECT * FROM code_chunks', 'works'],
  ])('%s', async (_, sql, result) => {
    expect(await during(sql)).toBe(result);
  });

  test('unless its own time for waiting is shorter', async () => {
    expect(await during(WITHOUT_PROJECT, `SET lock_timeout = '50ms'`)).toBe('55P03');
  });
  test('unless its own time for running is shorter', async () => {
    expect(await during(WITHOUT_PROJECT, `SET statement_timeout = '50ms'`)).toBe('57014');
  });
});

describe('a chunk with another project than its repository', () => {
  const WRONG = WITH_PROJECT.replace('repository.project_id', `'of-no-repository'`);

  test('is accepted, found by V5.1, and kept from an automatic downgrade', async () => {
    await upgrade(migratorOn(db), '002');
    await db.query(WRONG);
    const { checks } = await validate(migratorOn(db), 'after-upgrade');
    expect(checks.filter(({ passed }) => !passed).map(({ id }) => id)).toEqual(['V5.1']);
    await expect(downgrade(migratorOn(db), '005', { lossless: true })).rejects.toMatchObject({
      detail: expect.stringContaining('V9.2'),
    });
  });

  test('gets the right one from the trigger', async () => {
    await db.query(TRIGGER);
    await upgrade(migratorOn(db), '002');
    await db.query(WRONG);
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  });
});

test('the trigger is gone after the command of the runbook', async () => {
  await db.query(TRIGGER);
  const [, command = ''] = /`(DROP FUNCTION [^`]*)`/.exec(page.prose) ?? [];
  await db.query(command);
  expect(await db.query(`SELECT tgname FROM pg_trigger WHERE NOT tgisinternal`)).toEqual([]);
});
