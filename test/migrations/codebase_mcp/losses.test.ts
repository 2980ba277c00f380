// Data that a downgrade would lose, found before it: rows of its tables and values of its columns, in any schema.

import { runChecks } from '../../../lambda/migrator/database/checks.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import { revisionOf } from '../../../lambda/migrator/revisions/chain.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { inSession } from './contents.ts';
import { FEATURE_TABLE_NAMES } from './feature-tables.ts';

let db: TestDatabase;

/** A line for each violating row of the checks before a downgrade of this revision. */
const losses = (revision: string): Promise<string[]> =>
  inSession(db, async (client) => {
    const checks = revisionOf(codebaseMcp.chain, revision).checks['before-downgrade'];
    const report = await runChecks(
      client,
      { revision, phase: 'before-downgrade', checks },
      { timeoutMs: 60_000, known: [] },
    );
    return report.checks.flatMap(({ id, rows }) => rows.map((row) => [id, ...Object.values(row)].join(' ')));
  });
const counted = async (relation: string) =>
  Number((await db.query(`SELECT count(*) FROM ${relation}`))[0]?.count);

test('every revision says what its way back would lose', async () => {
  const silent = codebaseMcp.chain.revisions.filter(({ checks }) => checks['before-downgrade'].length === 0);
  expect(silent.map(({ id }) => id)).toEqual([]);
});

describe('without rows a downgrade loses nothing', () => {
  afterEach(() => db.drop());

  test.each(['001', '003', '003a', '005', '002'])('%s', async (revision) => {
    db = await makeDatabase('empty');
    await upgrade(migratorOn(db), 'head');
    expect(await losses(revision)).toEqual([]);
    await downgrade(migratorOn(db), revision);
    expect(await losses(revision)).toEqual([]);
  });
});

describe('with rows', () => {
  beforeEach(async () => {
    db = await makeDatabase('at005');
  });
  afterEach(() => db.drop());

  test.each([
    ['public', '005', async () => {}],
    ['retired_002', '002', () => upgrade(migratorOn(db), '002')],
  ])('001 and 003 lose those of their tables, in %s while %s is applied', async (schema, _, given) => {
    await given();
    const rows = async (place: string, tables: readonly string[]) =>
      Promise.all(
        tables.map(async (table) => `V9.1 ${place}.${table} ${await counted(`${place}.${table}`)}`),
      );
    expect((await losses('001')).sort()).toEqual(
      [
        ...(await rows('public', ['code_chunks', 'code_files', 'embeddings', 'repositories'])),
        ...(await rows(schema, ['tasks'])),
      ].sort(),
    );
    const tables = FEATURE_TABLE_NAMES.filter((table) => table !== 'tasks');
    expect((await losses('003')).filter((line) => line.startsWith('V9.1')).sort()).toEqual(
      (await rows(schema, tables)).sort(),
    );
  });

  test.each([
    ['public', async () => {}],
    ['retired_002', () => upgrade(migratorOn(db), '002')],
  ])(
    '003 and 003a lose the values of their columns of tasks in %s, not their defaults',
    async (schema, given) => {
      await db.query(`
      UPDATE tasks SET version = 1, item_type = 'task', parent_id = NULL, path = '/', depth = 0, deleted_at = NULL,
        branch_name = NULL, commit_hash = NULL, pr_number = NULL, metadata = NULL, created_by = 'system'`);
      await given();
      const columns = async (revision: string) =>
        (await losses(revision)).filter((line) => line.includes('.tasks '));
      expect([...(await columns('003')), ...(await columns('003a'))]).toEqual([]);
      await db.query(`
      UPDATE ${schema}.tasks SET version = 2, path = '/a', created_by = 'alice', pr_number = 7
      WHERE id = (SELECT min(id::text)::uuid FROM ${schema}.tasks)`);
      expect((await columns('003')).sort()).toEqual([
        `V9.2 ${schema}.tasks path 1`,
        `V9.2 ${schema}.tasks version 1`,
      ]);
      expect((await columns('003a')).sort()).toEqual([
        `V9.1 ${schema}.tasks created_by 1`,
        `V9.1 ${schema}.tasks pr_number 1`,
      ]);
    },
  );

  test('tables and columns that are gone are no loss, and no failure', async () => {
    await upgrade(migratorOn(db), '002');
    await finalize(migratorOn(db));
    await db.query('DROP TABLE embeddings');
    expect(await losses('003')).toEqual([]);
    expect(await losses('003a')).toEqual([]);
    expect((await losses('001')).map((line) => line.split(' ')[1]).sort()).toEqual([
      'public.code_chunks',
      'public.code_files',
      'public.repositories',
    ]);
  });

  test('005 loses nothing, for it changes defaults and an index alone', async () => {
    expect(await losses('005')).toEqual([]);
  });

  test('002 loses no row of the nine tables, and no default', async () => {
    await upgrade(migratorOn(db), '002');
    expect(await losses('002')).toEqual([]);
  });

  test('002 loses the projects of repositories, before finalize and after it', async () => {
    await upgrade(migratorOn(db), '002');
    await db.query(
      `UPDATE repositories SET project_id = 'acme' WHERE path <> (SELECT min(path) FROM repositories)`,
    );
    expect(await losses('002')).toEqual(['V9.1 repositories 1 2']);
    await finalize(migratorOn(db));
    expect(await losses('002')).toEqual(['V9.1 repositories 1 2']);
  });

  test('002 loses no project of a column that it found, before finalize and after it', async () => {
    await db.query(`
      ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      UPDATE repositories SET project_id = 'acme'`);
    await upgrade(migratorOn(db), '002');
    expect(await losses('002')).toEqual([]);
    await finalize(migratorOn(db));
    expect(await losses('002')).toEqual([]);
  });

  test('002 loses the projects of chunks that their repository does not have, before finalize and after it', async () => {
    await upgrade(migratorOn(db), '002');
    await db.query(`
      UPDATE code_chunks SET project_id = 'acme' WHERE start_line = (SELECT min(start_line) FROM code_chunks)`);
    const [row] = await db.query(`SELECT count(*) AS acme FROM code_chunks WHERE project_id = 'acme'`);
    expect(await losses('002')).toEqual([`V9.2 code_chunks ${row?.acme}`]);
    await finalize(migratorOn(db));
    expect(await losses('002')).toEqual([`V9.2 code_chunks ${row?.acme}`]);
  });

  test('002 loses no project that the next upgrade gives a chunk again', async () => {
    await db.query(`
      ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      UPDATE repositories SET project_id = 'acme' WHERE path = (SELECT min(path) FROM repositories)`);
    await upgrade(migratorOn(db), '002');
    expect(await losses('002')).toEqual([]);
  });

  test('002 loses no project of a chunk if it found the column', async () => {
    await db.query(`
      ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      ALTER TABLE code_chunks ALTER project_id DROP DEFAULT`);
    await upgrade(migratorOn(db), '002');
    await db.query(
      `UPDATE code_chunks SET project_id = 'acme'; CREATE VIEW seen AS SELECT project_id FROM code_chunks`,
    );
    expect(await losses('002')).toEqual([]);
    await downgrade(migratorOn(db), '005', { lossless: true });
  });

  test.each([
    ['a view', 'CREATE VIEW "A view" AS SELECT id, project_id FROM repositories', 'view public."A view"'],
    ['a view of the whole table', 'CREATE VIEW seen AS SELECT * FROM code_chunks', 'view public.seen'],
    [
      'a materialized view',
      'CREATE MATERIALIZED VIEW seen AS SELECT project_id FROM code_chunks',
      'materialized view public.seen',
    ],
    [
      'a policy',
      `CREATE POLICY mine ON repositories USING (project_id = 'x')`,
      'policy mine on public.repositories',
    ],
    [
      'a trigger',
      'CREATE TRIGGER tidy BEFORE UPDATE OF project_id ON code_chunks FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
      'trigger tidy on public.code_chunks',
    ],
  ])(
    '002 names what would stop it: %s; an automatic downgrade leaves it alone, and the remedy works',
    async (_, sql, object) => {
      await upgrade(migratorOn(db), '002');
      await db.query(sql);
      const [line = ''] = await losses('002');
      expect(line).toContain(`V9.3 ${object} `);
      await expect(downgrade(migratorOn(db), '005', { lossless: true })).rejects.toMatchObject({
        detail: expect.stringContaining('V9.3 no other object needs'),
      });
      await expect(downgrade(migratorOn(db), '005')).rejects.toMatchObject({ name: 'MigrationFailed' });
      await db.query(line.slice(line.indexOf('DROP')));
      expect(await losses('002')).toEqual([]);
      await downgrade(migratorOn(db), '005', { lossless: true });
    },
  );

  test('002 is not stopped by an index or a constraint of its columns', async () => {
    await upgrade(migratorOn(db), '002');
    await db.query(`
      CREATE INDEX ON code_chunks (project_id, code_file_id) WHERE project_id <> 'x';
      ALTER TABLE code_chunks ADD CHECK (project_id <> content), ADD UNIQUE (project_id, id)`);
    expect(await losses('002')).toEqual([]);
    await downgrade(migratorOn(db), '005', { lossless: true });
  });

  test('002 finds nothing, and does not fail, where its column is gone already', async () => {
    await upgrade(migratorOn(db), '002');
    await db.query('ALTER TABLE repositories DROP project_id');
    expect(await losses('002')).toEqual([]);
  });
});
