// Scenario 1 of the quickstart: the migration of an empty database.
import {
  CORE_TABLE_NAMES,
  DESCRIBE_TABLE,
  FEATURE_TABLE_NAMES,
} from '../migrations/codebase_mcp/feature-tables.ts';
import { makeDatabase, type TestDatabase } from '../setup/database.ts';
import { expectLinesOf, expectOutput } from './golden.ts';
import { backstop, run, SUCCESS } from './program.ts';
import { listTables } from './sample-data.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await makeDatabase('empty');
});
afterAll(() => db.drop());

describe('Scenario 1: Fresh Database Migration', () => {
  // The quickstart omits 003a; the execution contract has the whole chain.
  test('Step 1.1: Prepare Test Database', async () => {
    const ended = await backstop(db, 'upgrade', '005');
    expect(ended).toMatchObject(SUCCESS);
    expectOutput(ended.stdout, 'printed/upgrade-005');
    expect(await listTables(db)).toEqual(
      ['alembic_version', ...CORE_TABLE_NAMES, ...FEATURE_TABLE_NAMES].sort(),
    );
  });

  test('Step 1.2: Run Pre-Migration Validation', async () => {
    const ended = await backstop(db, 'check', 'before-upgrade');
    expect(ended).toMatchObject(SUCCESS);
    expectLinesOf(ended.stdout, 'specified/check-before-upgrade');
    expectOutput(ended.stdout, 'printed/check-before-upgrade');
  });

  test('Step 1.3: Execute Forward Migration', async () => {
    // Through npx, which may print warnings about npm's settings on standard error.
    const { status, stdout } = await run(db, 'npx', ['backstop', 'upgrade', 'head']);
    expect(status).toBe(0);
    expectLinesOf(stdout, 'specified/upgrade');
    expectOutput(stdout, 'printed/upgrade');
  });

  test('Step 1.4: Verify Migration Applied', async () => {
    const current = await backstop(db, 'current');
    const history = await backstop(db, 'history');
    const verbose = await backstop(db, 'history', '--verbose');
    for (const ended of [current, history, verbose]) expect(ended).toMatchObject(SUCCESS);
    expectOutput(current.stdout, 'specified/current');
    expectOutput(history.stdout, 'specified/history');
    expectOutput(verbose.stdout, 'printed/history-verbose');
  });

  test('Step 1.5: Run Post-Migration Validation', async () => {
    const ended = await backstop(db, 'check', 'after-upgrade');
    expect(ended).toMatchObject(SUCCESS);
    expectOutput(ended.stdout, 'specified/check-after-upgrade');
  });

  // The quickstart shows project_id in the third place, where a new column cannot be, the constraint without its rule
  // on hyphens, and two core tables; there are four.
  test('Step 1.6: Verify Schema Changes', async () => {
    const describeTable = async (table: string) =>
      (await db.query(DESCRIBE_TABLE, [table])).map(({ line }) => line);
    const rule =
      "CHECK ((((project_id)::text = 'default'::text) OR (((project_id)::text ~ '^[a-z0-9-]{1,50}$'::text) AND ((project_id)::text !~ '(^-|-$|--)'::text))))";

    expect(await describeTable('repositories')).toEqual([
      'column id uuid not null default gen_random_uuid()',
      'column path text not null',
      'column indexed_at timestamp with time zone not null',
      'column metadata jsonb',
      "column project_id character varying(50) not null default 'default'::character varying",
      `constraint check_repositories_project_id ${rule}`,
      'constraint repositories_path_key UNIQUE (path)',
      'constraint repositories_pkey PRIMARY KEY (id)',
      'index idx_project_repository btree (project_id, id)',
      'index repositories_path_key UNIQUE btree (path)',
    ]);
    expect(await describeTable('code_chunks')).toEqual(
      expect.arrayContaining([
        'column project_id character varying(50) not null',
        `constraint check_code_chunks_project_id ${rule}`,
      ]),
    );
    expect(await listTables(db)).toEqual(['alembic_version', ...CORE_TABLE_NAMES].sort());
  });
});
