// The checks after 002 on a database in use: chunks are read once, no session waits, and each violation is named.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { validate } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { type CheckReport, NOT_SHOWN } from '../../../lambda/migrator/model/report.ts';
import type { Check } from '../../../lambda/migrator/revisions/check.ts';
import { backstop, databaseUrl } from '../../bin/cli/program.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { inSession } from './contents.ts';

const CHECKS: readonly Check[] = codebaseMcp.chain.revisions.at(-1)?.checks['after-upgrade'] ?? [];
const GATHERS = CHECKS[0]?.gathers ?? [];

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
  await upgrade(migratorOn(db), '002');
});
afterEach(() => db.drop());

/** A node of a plan, as EXPLAIN (FORMAT JSON) has it. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Loops'?: number;
  readonly 'Workers Planned'?: number;
  readonly Plans?: readonly PlanNode[];
}

async function planOf(client: pg.Client, query: string, how: 'ANALYZE' | 'COSTS'): Promise<PlanNode[]> {
  const { rows } = await client.query(`EXPLAIN (${how}, FORMAT JSON) ${query}`);
  const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)];
  return all(rows[0]['QUERY PLAN'][0].Plan);
}

describe('one pass', () => {
  test('where all checks hold, code_chunks is scanned once for all of them', async () => {
    const scans = await inSession(db, async (client) => {
      await client.query('BEGIN');
      const nodes: PlanNode[] = [];
      for (const {
        table,
        query: { sql: query },
      } of GATHERS) {
        nodes.push(...(await planOf(client, query, 'ANALYZE')));
        await client.query(`CREATE TEMPORARY TABLE ${table} AS ${query}`);
      }
      for (const { sql } of CHECKS) nodes.push(...(await planOf(client, sql, 'ANALYZE')));
      return nodes.filter((node) => node['Relation Name'] === 'code_chunks' && node['Actual Loops'] !== 0);
    });
    expect(scans).toHaveLength(1);
  });

  test('on a table that is large enough, parallel workers share it', async () => {
    await db.query(`
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id)
      SELECT file.id, '', 1, 1, 'default' FROM code_files AS file, generate_series(1, 20000);
      ANALYZE code_chunks`);
    const [gather] = GATHERS;
    const nodes = await inSession(db, (client) =>
      planOf(client, `CREATE TEMPORARY TABLE gathered AS ${gather?.query.sql}`, 'COSTS'),
    );
    expect(nodes.find((node) => node['Node Type'].startsWith('Gather'))?.['Workers Planned']).toBeGreaterThan(
      0,
    );
    expect(nodes.filter((node) => node['Relation Name'] === 'code_chunks')).toHaveLength(1);
  });

  test('the report has the gathered tables, and how long each took', async () => {
    expect((await validate(migratorOn(db), 'after-upgrade')).gathered).toMatchObject([
      { table: 'chunk_projects', rows: 1 },
      { table: 'project_ids', rows: 2 },
    ]);
  });

  test('check --verbose says it too, check alone does not', async () => {
    const env = { DATABASE_URL: databaseUrl(db) };
    const told = async (...args: string[]) =>
      (await backstop(['check', ...args], { env })).out.filter((line) => line.startsWith('Gathered'));
    expect(await told('--verbose')).toEqual([
      expect.stringMatching(
        /^Gathered for the checks in \d+\.\d\ds: every chunk beside its repository, .* \(1 row\)$/,
      ),
      expect.stringMatching(/^Gathered for the checks in \d+\.\d\ds: every project_id, .* \(2 rows\)$/),
    ]);
    expect(await told()).toEqual([]);
  });

  test('the checks pass without the right to create temporary tables', async () => {
    await db.query(`REVOKE TEMPORARY ON DATABASE ${db.name} FROM PUBLIC, CURRENT_USER`);
    const report = await validate(migratorOn(db), 'after-upgrade');
    expect(report).toMatchObject({ passed: true });
    expect(report.checks).toHaveLength(CHECKS.length);
  });
});

test('the file is SQL that psql runs as it is, in one transaction', async () => {
  const { folder = '' } = codebaseMcp.chain.revisions.at(-1) ?? {};
  const text = await readFile(join(folder, 'verify/after-upgrade.sql'), 'utf8');
  const results = await inSession(db, (client) => client.query(`BEGIN;\n${text}\nCOMMIT`));
  const answers = (results as unknown as pg.QueryResult[]).filter(({ command }) => command === 'SELECT');
  expect(answers.slice(GATHERS.length).map(({ rows }) => rows)).toEqual(CHECKS.map(() => []));
});

describe('a database in use', () => {
  /** Validates, and does something else before the checks send this statement. */
  const validateWhile = (statement: string, act: (pid: number) => Promise<unknown>) => {
    const connect = async (name: string) => {
      const client = await db.connect(name);
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      const send = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
      const query = async (...args: unknown[]) => {
        if (args[0] === statement) await act(rows[0].pid);
        return send(...args);
      };
      return Object.assign(client, { query });
    };
    return validate(migratorOn({ connect }), 'after-upgrade');
  };
  const write = () =>
    db.query(`
      SET lock_timeout = '10s';
      UPDATE code_chunks SET project_id = 'moved';
      UPDATE repositories SET project_id = 'elsewhere';
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id)
      SELECT id, 'new', 1, 1, 'new' FROM code_files`);

  test('no writer waits for the checks', async () => {
    let locks: unknown[] = [];
    // Locks are kept to the end of the transaction: before its ROLLBACK it holds all that it ever took.
    await validateWhile('ROLLBACK', async (pid) => {
      locks = await db.query(
        `SELECT DISTINCT mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
         WHERE pid = $1 AND relnamespace IN ('public'::regnamespace, 'backstop'::regnamespace)`,
        [pid],
      );
      await write();
    });
    expect(locks).toEqual([{ mode: 'AccessShareLock' }]);
    expect(await db.query(`SELECT DISTINCT project_id FROM code_chunks ORDER BY 1`)).toEqual([
      { project_id: 'moved' },
      { project_id: 'new' },
    ]);
  });

  test('a violation is reported as it was gathered, even if it is repaired afterwards', async () => {
    await db.query(`UPDATE code_chunks SET project_id = 'stray'`);
    const mend = () => db.query(`UPDATE code_chunks SET project_id = 'default'`);
    const { checks } = await validateWhile('SET TRANSACTION READ ONLY', mend);
    expect(checks.find(({ id }) => id === 'V5.1')).toMatchObject({ passed: false, violations: 60 });
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  });
});

describe('violations', () => {
  const failed = async (sql: string): Promise<Record<string, Pick<CheckReport, 'violations' | 'rows'>>> => {
    await db.query(sql);
    const { checks } = await validate(migratorOn(db), 'after-upgrade');
    return Object.fromEntries(
      checks.filter(({ passed }) => !passed).map(({ id, violations, rows }) => [id, { violations, rows }]),
    );
  };

  test('V5.1 counts the chunks that strayed, and shows no value of them', async () => {
    const [file] = await db.query('SELECT id AS code_file_id FROM code_files LIMIT 1');
    const found = await failed(
      `UPDATE code_chunks SET project_id = 'stray' WHERE code_file_id = '${file?.code_file_id}'`,
    );
    expect(found).toEqual({
      'V5.1': {
        violations: 10,
        rows: Array(10).fill({
          code_file_id: NOT_SHOWN,
          project_id: NOT_SHOWN,
          repository_id: NOT_SHOWN,
          repository_project_id: NOT_SHOWN,
        }),
      },
    });
  });

  test('V5.2 counts the orphans, be their files gone or without a repository', async () => {
    const [file] = await db.query('SELECT id AS code_file_id FROM code_files LIMIT 1');
    const found = await failed(`
      ALTER TABLE code_files DROP CONSTRAINT code_files_repository_id_fkey;
      ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey, ALTER code_file_id DROP NOT NULL;
      UPDATE code_files SET repository_id = gen_random_uuid() WHERE id = '${file?.code_file_id}';
      INSERT INTO code_chunks (content, start_line, end_line, project_id) VALUES ('', 1, 1, 'default')`);
    expect(Object.keys(found)).toEqual(['V5.2']);
    expect(found['V5.2']?.violations).toBe(11);
    expect(found['V5.2']?.rows).toContainEqual({ code_file_id: NOT_SHOWN });
    expect(found['V5.2']?.rows).toContainEqual({ code_file_id: null });
  });

  test('V5.3 and V6 count the rows of each table, a line for each value', async () => {
    const found = await failed(`
      ALTER TABLE code_chunks DROP CONSTRAINT check_code_chunks_project_id, ALTER project_id DROP NOT NULL;
      UPDATE code_chunks SET project_id = CASE start_line WHEN 1 THEN NULL ELSE 'Bad_One' END`);
    const nulls = { table_name: 'code_chunks', project_id: null, rows: '6' };
    const bad = { table_name: 'code_chunks', project_id: NOT_SHOWN, rows: '54' };
    expect(found['V5.3']).toEqual({ violations: 1, rows: [{ table_name: 'code_chunks', rows: '6' }] });
    for (const id of ['V6.1', 'V6.2', 'V6.3']) {
      expect(found[id]?.rows).toHaveLength(2);
      expect(found[id]?.rows).toEqual(expect.arrayContaining([nulls, bad]));
    }
    expect(found['V6.4']?.rows).toEqual([nulls]);
  });

  test('the checks can run although every chunk has a different value', async () => {
    const found = await failed(`
      ALTER TABLE code_chunks DROP CONSTRAINT check_code_chunks_project_id;
      UPDATE code_chunks SET project_id = 'Wrong_' || id`);
    expect(found['V5.1']?.violations).toBe(60);
    expect(found['V6.1']).toMatchObject({ violations: 60 });
    expect(found['V6.1']?.rows).toHaveLength(20);
  });
});
