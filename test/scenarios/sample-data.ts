// The sample data of Scenario 2, which the later scenarios use, too.
import { makeDatabase, type TestDatabase } from '../setup/database.ts';

/**
 * Three repositories with two chunks each, with the quickstart's ids, paths and contents. There a chunk names its
 * repository itself; here it does so through a file, as the later specification of the schema has it.
 */
export const SAMPLE_DATA = `
  INSERT INTO repositories (id, path, indexed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', '/test/repo1', NOW()),
    ('00000000-0000-0000-0000-000000000002', '/test/repo2', NOW()),
    ('00000000-0000-0000-0000-000000000003', '/test/repo3', NOW());
  INSERT INTO code_files (repository_id, path) VALUES
    ('00000000-0000-0000-0000-000000000001', 'main.py'),
    ('00000000-0000-0000-0000-000000000001', 'utils.py'),
    ('00000000-0000-0000-0000-000000000002', 'app.py'),
    ('00000000-0000-0000-0000-000000000002', 'models.py'),
    ('00000000-0000-0000-0000-000000000003', 'test.py'),
    ('00000000-0000-0000-0000-000000000003', 'lib.py');
  INSERT INTO code_chunks (code_file_id, content, start_line, end_line)
  SELECT code_files.id, content, 1, 1
  FROM code_files JOIN (VALUES
    ('main.py', 'print("hello")'),
    ('utils.py', 'def foo(): pass'),
    ('app.py', 'import flask'),
    ('models.py', 'class User: pass'),
    ('test.py', 'assert True'),
    ('lib.py', 'def bar(): return 42')
  ) AS chunk (path, content) USING (path);`;

/** A database at 005 with the sample data, and with rows in the nine tables as a database in use has them. */
export async function makeSampleDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase('at005');
  await database.query(`DELETE FROM repositories; ${SAMPLE_DATA}`);
  return database;
}

/** The row counts that the quickstart asks for repeatedly. */
export async function countRows(
  database: TestDatabase,
): Promise<{ repo_count: number; chunk_count: number }> {
  const [counts] = await database.query(`
    SELECT (SELECT COUNT(*) FROM repositories)::int AS repo_count,
           (SELECT COUNT(*) FROM code_chunks)::int AS chunk_count`);
  return counts as { repo_count: number; chunk_count: number };
}

/** The tables of schema public, as `\dt` lists them. */
export async function listTables(database: TestDatabase): Promise<string[]> {
  const rows = await database.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
  return rows.map(({ tablename }) => tablename);
}
