// The way up: base to head in one transaction or revision by revision, and the schema at each revision.

import { reconcile } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { contentsOf } from './contents.ts';
import { contractLines } from './contract.ts';
import { CORE_TABLE_NAMES, DESCRIBE_TABLE, FEATURE_TABLE_NAMES, FEATURE_TABLES } from './feature-tables.ts';

const ALL_TABLES = [...CORE_TABLE_NAMES, ...FEATURE_TABLE_NAMES];
const CHAIN = ['001', '003', '003a', '005', '002'];

let db: TestDatabase;

const tablesInPublic = async () =>
  (
    await db.query(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'`,
    )
  ).map((row) => row.tablename);

describe('base to head', () => {
  beforeEach(async () => {
    db = await makeDatabase('empty');
  });
  afterEach(() => db.drop());

  test('FR-018: runs all five revisions in one transaction', async () => {
    const report = await upgrade(migratorOn(db), 'head');
    const transactions = await db.query(`
      SELECT xmin::text FROM pg_class WHERE relname IN ('repositories', 'embeddings', 'tasks', 'idx_project_repository')
      UNION SELECT xmin::text FROM alembic_version
      UNION SELECT xmin::text FROM backstop.history`);
    expect(report.revisions).toEqual(CHAIN);
    expect(transactions).toHaveLength(1);
  });

  test('FR-018: a refusal of the last revision takes the first one back too', async () => {
    await db.query('CREATE SCHEMA retired_002; CREATE TABLE retired_002.tasks ()');
    const before = await contentsOf(db);
    await expect(upgrade(migratorOn(db), 'head')).rejects.toMatchObject({ name: 'MigrationRefused' });
    expect((await reconcile(migratorOn(db))).revision).toBe('base');
    expect(await contentsOf(db)).toEqual(before);
  });

  test('revision by revision gives the same schema as in one go', async () => {
    const atOnce = await makeDatabase('empty');
    await upgrade(migratorOn(atOnce), 'head');
    for (const revision of CHAIN) await upgrade(migratorOn(db), revision);
    expect(await contentsOf(db)).toEqual(await contentsOf(atOnce));
    await atOnce.drop();
  });

  test.each([
    ['001', [...CORE_TABLE_NAMES, 'tasks']],
    ['003', ALL_TABLES],
    ['003a', ALL_TABLES],
    ['005', ALL_TABLES],
    ['002', CORE_TABLE_NAMES],
  ])('%s has its tables', async (revision, tables) => {
    await upgrade(migratorOn(db), revision);
    expect((await tablesInPublic()).sort()).toEqual([...tables].sort());
    expect((await reconcile(migratorOn(db))).revision).toBe(revision);
  });
});

describe('at 005', () => {
  beforeAll(async () => {
    db = await makeDatabase('at005');
  });
  afterAll(() => db.drop());

  const describeTable = async (table: string): Promise<string[]> =>
    (await db.query(DESCRIBE_TABLE, [table])).map((row) => row.line);

  test.each(Object.entries(FEATURE_TABLES))(
    '%s is object for object what Alembic left',
    async (table, facts) => {
      expect(await describeTable(table)).toEqual(facts);
    },
  );

  test.each(CORE_TABLE_NAMES)('%s has a uuid key that the server gives', async (table) => {
    expect(await describeTable(table)).toEqual(
      expect.arrayContaining([
        'column id uuid not null default gen_random_uuid()',
        `constraint ${table}_pkey PRIMARY KEY (id)`,
      ]),
    );
  });

  test.each([
    ['repositories', 'column path text not null'],
    ['repositories', 'constraint repositories_path_key UNIQUE (path)'],
    ['repositories', 'column indexed_at timestamp with time zone not null'],
    ['repositories', 'column metadata jsonb'],
    [
      'code_files',
      'constraint code_files_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE',
    ],
    [
      'code_chunks',
      'constraint code_chunks_code_file_id_fkey FOREIGN KEY (code_file_id) REFERENCES code_files(id) ON DELETE CASCADE',
    ],
    [
      'embeddings',
      'constraint embeddings_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES code_chunks(id) ON DELETE CASCADE',
    ],
    ['embeddings', 'column vector vector(768) not null'],
  ])('%s has %s', async (table, line) => {
    expect(await describeTable(table)).toContain(line);
  });

  test('every foreign key between core tables begins an index', async () => {
    const unindexed = await db.query(
      `SELECT conname FROM pg_constraint
       WHERE contype = 'f' AND conrelid = ANY ($1::regclass[])
         AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])`,
      [CORE_TABLE_NAMES],
    );
    expect(unindexed).toEqual([]);
  });

  test('FR-020: the upgrade to 002 is reported in the words of the execution contract', async () => {
    const migrator = migratorOn(db);
    await upgrade(migrator, '002');
    const told = contractLines(migrator).filter((line) => /^(Running|Step|NOTICE|Migration)/.test(line));
    expect(told.map((line) => line.replace(/ in [\d.]+s$/, ''))).toEqual([
      'Running upgrade 005 -> 002, Remove non-search tables and add project_id columns',
      'Step 1/10: Checking prerequisites...',
      'Step 1/10: Complete',
      'Step 2/10: Verifying foreign key constraints...',
      'NOTICE:  No blocking foreign keys found',
      'Step 2/10: Complete',
      'Step 3/10: Adding project_id to repositories table...',
      "NOTICE:  Column added with default 'default'",
      'Step 3/10: Complete',
      'Step 4/10: Adding project_id to code_chunks table...',
      'NOTICE:  Column added, populated from parent repositories',
      'Step 4/10: Complete',
      'Step 5/10: Adding validation constraints...',
      'NOTICE:  CHECK constraints added',
      'Step 5/10: Complete',
      'Step 6/10: Creating performance index...',
      'NOTICE:  Index idx_project_repository created',
      'Step 6/10: Complete',
      'Step 7/10: Dropping unused tables...',
      'NOTICE:  9 tables dropped',
      'Step 7/10: Complete',
      'Step 8/10: Running validation checks...',
      'Step 8/10: Complete - All validations passed',
      'Migration 002 completed successfully',
      'Running upgrade 005 -> 002',
    ]);
  });
});
