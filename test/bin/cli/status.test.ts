// The verb status, with a line for each state that a database can be in.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { backstop, databaseUrl, document, pretendVersions, UNREACHABLE } from './program.ts';
import { migrationsOf, RETIRING } from './project.ts';

const make = () => migrationsOf({ app: { revisions: RETIRING } });
const migrations = make();

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const runIn = (folder: string, ...args: string[]) =>
  backstop([...args, '--migrations', folder], { env: { DATABASE_URL: databaseUrl(database) } });
const run = (...args: string[]) => runIn(migrations, ...args);

describe('status', () => {
  test.each<[what: string, prepare: () => Promise<unknown>, line: string, status: number]>([
    ['uninitialized', async () => {}, '❌ app: uninitialized, behind (3 pending: 001, 002, 003)', 1],
    ['behind', () => run('upgrade', '001'), '❌ app: 001, behind (2 pending: 002, 003)', 1],
    ['at head, finalize pending', () => run('upgrade'), '⚠️ app: 003 (head), finalize pending: 002', 0],
    ['at head', () => run('upgrade', '--finalize', '--yes'), '✅ app: 003 (head)', 0],
    [
      'an unknown revision',
      () => pretendVersions(database, ['zzz']),
      "❌ app: unknown revision: Can't locate revision identified by 'zzz'. public.alembic_version holds zzz; ",
      1,
    ],
  ])('%s', async (_what, prepare, line, status) => {
    await prepare();
    const ending = await run('status');
    expect(ending).toMatchObject({ status, err: [] });
    expect(ending.out).toHaveLength(1);
    expect(ending.out[0]?.slice(0, line.length)).toBe(line);
  });

  test('names an edited revision, and an upgrade warns of it', async () => {
    const folder = make();
    await runIn(folder, 'upgrade', '--finalize', '--yes');
    const path = join(folder, 'app/003/upgrade.sql');
    writeFileSync(
      path,
      `-- Edited\n-- Revision: 003\n-- Revises: 002\n-- Create Date: 2025-10-11\n-- step: Other\nSELECT 2;`,
    );
    expect(await runIn(folder, 'status')).toMatchObject({
      status: 0,
      out: ['⚠️ app: 003 (head), edited revision 003'],
    });
    expect((await runIn(folder, 'upgrade')).out[0]).toBe(
      'WARNING: Revision 003 was edited after it was applied: its upgrade.sql has changed',
    );
  });

  test('prints a line for each database, even if the database cannot be reached', async () => {
    const fleet = migrationsOf({
      here: { system: 'pair', revisions: [{ id: '001' }] },
      gone: { system: 'pair', urlVariable: 'DATABASE_URL_GONE', revisions: [{ id: '002' }] },
      unset: { system: 'pair', urlVariable: 'DATABASE_URL_UNSET', revisions: [{ id: '003' }] },
    });
    const env = { DATABASE_URL: databaseUrl(database), DATABASE_URL_GONE: UNREACHABLE };
    await backstop(['upgrade', '--migrations', fleet], { env });
    const { status, out } = await backstop(['status', '--migrations', fleet], { env });
    expect(status).toBe(1);
    expect(out[0]).toBe('✅ here: 001 (head)');
    expect(out[1]).toMatch(/^❌ gone: unreachable: The server at 127\.0\.0\.1:1 could not be reached\. /);
    expect(out[2]).toMatch(/^❌ unset: DATABASE_URL_UNSET is not set.*export DATABASE_URL_UNSET=/);
    expect(out).toHaveLength(3);
    expect(out.join()).not.toContain('sesame');

    const json = await backstop(['status', '--json', '--migrations', fleet], { env });
    expect(document(json)).toMatchObject({
      databases: [
        { database: 'here', revision: '001', head: true, pending: [], edited: [], finalizePending: [] },
        { database: 'gone', error: 'DatabaseUnreachable' },
        { database: 'unset', error: 'ConfigurationError' },
      ],
    });
    expect(await backstop(['status', '--migrations', fleet, '--database', 'here'], { env })).toMatchObject({
      status: 0,
      out: ['✅ here: 001 (head)'],
    });
  });

  test('prints words for signs that the terminal cannot show', async () => {
    const { out } = await backstop(['status', '--migrations', migrations], {
      env: { DATABASE_URL: databaseUrl(database) },
      unicode: false,
    });
    expect(out[0]).toMatch(/^FAILED app: uninitialized/);
  });
});
