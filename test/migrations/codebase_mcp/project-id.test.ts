// project_id: the columns, constraints and index that 002 adds, and whose values they hold.
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { rowsOf } from './contents.ts';
import { DESCRIBE_TABLE, FEATURE_TABLE_NAMES } from './feature-tables.ts';

const RULE =
  "CHECK ((((project_id)::text = 'default'::text) OR (((project_id)::text ~ '^[a-z0-9-]{1,50}$'::text) AND ((project_id)::text !~ '(^-|-$|--)'::text))))";

let db: TestDatabase;

const migrate = () => upgrade(migratorOn(db), '002');
const describeTable = async (table: string): Promise<string[]> =>
  (await db.query(DESCRIBE_TABLE, [table])).map((row) => row.line);

describe('the schema', () => {
  beforeAll(async () => {
    db = await makeDatabase('at005');
    await migrate();
  });
  afterAll(() => db.drop());

  test.each([
    [
      'FR-005',
      'repositories',
      "column project_id character varying(50) not null default 'default'::character varying",
    ],
    ['FR-006', 'code_chunks', 'column project_id character varying(50) not null'],
    ['FR-007', 'repositories', `constraint check_repositories_project_id ${RULE}`],
    ['FR-007', 'code_chunks', `constraint check_code_chunks_project_id ${RULE}`],
    ['FR-008', 'repositories', 'index idx_project_repository btree (project_id, id)'],
  ])('%s: %s has %s', async (_, table, line) => {
    expect(await describeTable(table)).toContain(line);
  });

  test('FR-006: a chunk without a project is refused, for there is no default', async () => {
    const insert = db.query(`
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line)
      SELECT id, '', 1, 1 FROM code_files LIMIT 1`);
    await expect(insert).rejects.toMatchObject({ code: '23502', column: 'project_id' });
  });

  test('FR-008: the repositories of a project are found by the index', async () => {
    await db.query(`
      INSERT INTO repositories (path, indexed_at, project_id) SELECT n::text, now(), 'project-' || n % 100 FROM generate_series(1, 5000) AS n;
      ANALYZE repositories`);
    const plan = await db.query(
      `EXPLAIN (COSTS OFF) SELECT id FROM repositories WHERE project_id = 'project-7'`,
    );
    expect(JSON.stringify(plan)).toContain('idx_project_repository');
  });
});

describe('the nine tables', () => {
  beforeEach(async () => {
    db = await makeDatabase('at005');
  });
  afterEach(() => db.drop());

  test('FR-001: exactly the nine feature tables leave public', async () => {
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`;
    const before = (await db.query(tables)).map((row) => row.tablename);
    const report = await migrate();
    const after = (await db.query(tables)).map((row) => row.tablename);
    expect(before.filter((table) => !after.includes(table)).sort()).toEqual([...FEATURE_TABLE_NAMES].sort());
    expect(report.retired).toEqual(FEATURE_TABLE_NAMES.map((table) => `public.${table}`).sort());
  });

  test('FR-004: feature tables that refer to each other in a circle are no obstacle', async () => {
    await db.query(`
      ALTER TABLE future_enhancements ADD task_id uuid REFERENCES tasks;
      ALTER TABLE tasks ADD enhancement_id uuid REFERENCES future_enhancements`);
    await expect(migrate()).resolves.toMatchObject({ outcome: 'upgraded' });
  });
});

describe('the values', () => {
  beforeEach(async () => {
    db = await makeDatabase('at005');
  });
  afterEach(() => db.drop());

  /** Gives each of the three repositories a project before the migration, as an earlier attempt may have. */
  const projectsAre = (...projects: string[]) =>
    db.query(
      `ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
       UPDATE repositories SET project_id = ('{${projects.join(',')}}'::text[])[place]
       FROM (SELECT id, row_number() OVER (ORDER BY path) AS place FROM repositories) AS placed
       WHERE placed.id = repositories.id`,
    );
  const chunksByProject = () =>
    db.query(`SELECT project_id, count(*)::int AS chunks FROM code_chunks GROUP BY 1 ORDER BY 1`);
  const strayed = () =>
    db.query(`
      SELECT FROM code_chunks AS chunk JOIN code_files AS file ON file.id = code_file_id
      JOIN repositories AS repository ON repository.id = repository_id WHERE chunk.project_id <> repository.project_id`);

  test('FR-002, FR-017: all rows of the core tables stay as they are', async () => {
    const { 'public.code_chunks': chunks, 'public.repositories': repositories } = await rowsOf(db);
    await migrate();
    const after = await rowsOf(db, ['project_id']);
    expect(after).toMatchObject({ 'public.code_chunks': chunks, 'public.repositories': repositories });
  });

  test('FR-021: existing repositories and their chunks belong to default', async () => {
    await migrate();
    expect(await db.query('SELECT DISTINCT project_id FROM repositories')).toEqual([
      { project_id: 'default' },
    ]);
    expect(await chunksByProject()).toEqual([{ project_id: 'default', chunks: 60 }]);
  });

  test('FR-022: chunks inherit where their repositories differ', async () => {
    await projectsAre('acme', 'umbrella', 'umbrella');
    const report = await migrate();
    expect(await chunksByProject()).toEqual([
      { project_id: 'acme', chunks: 20 },
      { project_id: 'umbrella', chunks: 40 },
    ]);
    expect(await strayed()).toEqual([]);
    expect(report.rows).toEqual([{ relation: 'public.code_chunks', inserted: 0, updated: 20, deleted: 0 }]);
  });

  test('FR-021: repositories that have a project keep it, and so do their chunks', async () => {
    await projectsAre('acme', 'default', 'acme');
    await db.query(`
      ALTER TABLE code_chunks ADD project_id varchar(50);
      UPDATE code_chunks SET project_id = repository.project_id
      FROM code_files AS file JOIN repositories AS repository ON repository.id = repository_id WHERE file.id = code_file_id;
      ALTER TABLE code_chunks ALTER project_id SET NOT NULL`);
    const before = await rowsOf(db);
    expect(await migrate()).toMatchObject({ rows: [] });
    const { 'public.code_chunks': chunks, 'public.repositories': repositories } = await rowsOf(db);
    expect(before).toMatchObject({ 'public.code_chunks': chunks, 'public.repositories': repositories });
    expect(await strayed()).toEqual([]);
  });

  test('a value of 50 characters, which is also the longest the column takes, is inherited whole', async () => {
    const longest = 'a'.repeat(50);
    await projectsAre(longest, longest, 'b');
    await migrate();
    expect(await chunksByProject()).toEqual([
      { project_id: longest, chunks: 40 },
      { project_id: 'b', chunks: 20 },
    ]);
  });

  test('quotes in a value reach the pattern check instead of the SQL', async () => {
    await projectsAre("it''s", "it''s", "it''s");
    await expect(migrate()).rejects.toMatchObject({
      name: 'PatternViolation',
      detail: expect.stringContaining("it's"),
    });
  });
});
