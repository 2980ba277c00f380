// The checks in verify/: each holds when it should, and fails when its subject is broken.

import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import type { ValidationReport } from '../../../lambda/migrator/model/report.ts';
import { verdictLines } from '../../../lambda/migrator/model/verdict.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { inSession } from './contents.ts';

type Phase = ValidationReport['phase'];

let db: TestDatabase;
beforeAll(async () => {
  db = await makeDatabase('at005');
});
afterAll(() => db.drop());

const holding = async (phase: Phase): Promise<string[]> =>
  (await validate(migratorOn(db), phase)).checks.filter(({ passed }) => passed).map(({ id }) => id);

/** The verdict of a database on which all holds, line by line. */
async function verdict(phase: Phase): Promise<string[]> {
  const { checks } = await validate(migratorOn(db), phase);
  return verdictLines(checks).map(({ text, passed }) => `${passed ? '✓' : '✗'} ${text}`);
}

/** The checks that find something after a sabotage, which is rolled back. */
async function failing(phase: Phase, sabotage: string): Promise<string[]> {
  const checks = codebaseMcp.chain.revisions.at(-1)?.checks[phase] ?? [];
  return inSession(db, async (client) => {
    await client.query('BEGIN');
    await client.query(sabotage);
    for (const {
      table,
      query: { sql: query },
    } of checks[0]?.gathers ?? []) {
      await client.query(`CREATE TEMPORARY TABLE ${table} AS ${query}`);
    }
    const failed: string[] = [];
    for (const { id, sql } of checks) if ((await client.query(sql)).rows.length > 0) failed.push(id);
    return failed;
  });
}

/** Fault → the SQL that causes it, and the checks that must fail for it, no others. */
type Sabotage = Readonly<Record<string, readonly [sql: string, ...ids: string[]]>>;

const RELAXED = `
  ALTER TABLE repositories DROP CONSTRAINT check_repositories_project_id;
  ALTER TABLE code_chunks DROP CONSTRAINT check_code_chunks_project_id;`;
const everywhere = (value: string) => `${RELAXED}
  UPDATE repositories SET project_id = ${value}; UPDATE code_chunks SET project_id = ${value};`;
const ruleOf = (rule: string) => `
  ALTER TABLE repositories DROP CONSTRAINT check_repositories_project_id,
    ADD CONSTRAINT check_repositories_project_id CHECK (${rule})`;
/** The latest run of a direction is made to report a row that went. */
const lost = (direction: string) => `
  UPDATE backstop.history SET report = jsonb_set(report, '{rows}',
    '[{"relation": "public.code_chunks", "inserted": 0, "updated": 0, "deleted": 1}]')
  WHERE direction = '${direction}'`;

/** The checks that fail if they find no value: a check without anything to judge does not pass. */
const UNREADABLE = ['V5.1', 'V5.3', 'V6.1', 'V6.2', 'V6.3', 'V6.4'] as const;

const AFTER_UPGRADE: Sabotage = {
  'repositories has no project_id': [
    'ALTER TABLE repositories DROP project_id',
    'V1.1',
    'V2.1',
    'V2.2',
    'V3.1',
    ...UNREADABLE,
  ],
  'repositories.project_id is text': ['ALTER TABLE repositories ALTER project_id TYPE text', 'V1.1'],
  'repositories.project_id is shorter': [
    'ALTER TABLE repositories ALTER project_id TYPE varchar(49)',
    'V1.1',
  ],
  'repositories.project_id may be null': ['ALTER TABLE repositories ALTER project_id DROP NOT NULL', 'V1.1'],
  'repositories.project_id has no default': [
    'ALTER TABLE repositories ALTER project_id DROP DEFAULT',
    'V1.1',
  ],
  'repositories.project_id has another default': [
    `ALTER TABLE repositories ALTER project_id SET DEFAULT 'other'`,
    'V1.1',
  ],
  'code_chunks has no project_id': [
    'ALTER TABLE code_chunks DROP project_id',
    'V1.2',
    'V2.1',
    'V2.2',
    ...UNREADABLE,
  ],
  'code_chunks.project_id is longer': ['ALTER TABLE code_chunks ALTER project_id TYPE varchar(51)', 'V1.2'],
  'code_chunks.project_id may be null': ['ALTER TABLE code_chunks ALTER project_id DROP NOT NULL', 'V1.2'],
  'code_chunks.project_id has a default': [
    `ALTER TABLE code_chunks ALTER project_id SET DEFAULT 'default'`,
    'V1.2',
  ],
  'repositories has no constraint': [
    'ALTER TABLE repositories DROP CONSTRAINT check_repositories_project_id',
    'V2.1',
    'V2.2',
  ],
  'code_chunks has no constraint': [
    'ALTER TABLE code_chunks DROP CONSTRAINT check_code_chunks_project_id',
    'V2.1',
    'V2.2',
  ],
  'the constraint is not validated': [
    `${ruleOf(`project_id = 'default' OR (project_id ~ '^[a-z0-9-]{1,50}$' AND project_id !~ '(^-|-$|--)')`)} NOT VALID`,
    'V2.2',
  ],
  'the constraint lets hyphens through': [ruleOf(`project_id ~ '^[a-z0-9-]{1,50}$'`), 'V2.2'],
  'the constraint has not the pattern': [
    ruleOf(`project_id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(project_id) <= 50`),
    'V2.2',
  ],
  'the constraint allows anything beside the pattern': [
    ruleOf(`project_id ~ '^[a-z0-9-]{1,50}$' OR true`),
    'V2.2',
  ],
  'the constraint allows the default alone': [
    ruleOf(`project_id = 'default' AND project_id ~ '^[a-z0-9-]{1,50}$'`),
    'V2.2',
  ],
  'the index is gone': ['DROP INDEX idx_project_repository', 'V3.1'],
  'the index has its columns the other way round': [
    'DROP INDEX idx_project_repository; CREATE INDEX idx_project_repository ON repositories (id, project_id)',
    'V3.1',
  ],
  'the index is unique': [
    'DROP INDEX idx_project_repository; CREATE UNIQUE INDEX idx_project_repository ON repositories (project_id, id)',
    'V3.1',
  ],
  'one of the nine tables is in public': ['CREATE TABLE vendor_extractors ()', 'V4.1'],
  'all nine tables are in public': [
    ['tasks', 'deployment_events', 'archived_work_items']
      .map((table) => `ALTER TABLE retired_002.${table} SET SCHEMA public;`)
      .join(''),
    'V4.1',
  ],
  'code_chunks is a view': [
    'DROP TABLE embeddings; ALTER TABLE code_chunks RENAME TO chunks; CREATE VIEW code_chunks AS SELECT * FROM chunks',
    'V1.2',
    'V2.1',
    'V2.2',
    'V4.2',
  ],
  'a chunk has another project than its repository': [
    `UPDATE code_chunks SET project_id = 'stray' WHERE id = (SELECT min(id::text)::uuid FROM code_chunks)`,
    'V5.1',
  ],
  'a repository moved to another project without its chunks': [
    `UPDATE repositories SET project_id = 'moved' WHERE path = (SELECT min(path) FROM repositories)`,
    'V5.1',
  ],
  'a chunk is orphaned': [
    `ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey;
     INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id) VALUES (gen_random_uuid(), '', 1, 1, 'default')`,
    'V5.2',
  ],
  'the file of a chunk is orphaned': [
    `ALTER TABLE code_files DROP CONSTRAINT code_files_repository_id_fkey;
     DELETE FROM repositories WHERE path = (SELECT min(path) FROM repositories)`,
    'V5.2',
  ],
  'a chunk has no project': [
    `ALTER TABLE code_chunks ALTER project_id DROP NOT NULL;
     UPDATE code_chunks SET project_id = NULL WHERE id = (SELECT min(id::text)::uuid FROM code_chunks)`,
    'V1.2',
    ...UNREADABLE,
  ],
  'a repository has no project': [
    `ALTER TABLE repositories ALTER project_id DROP NOT NULL;
     UPDATE repositories SET project_id = NULL WHERE path = (SELECT min(path) FROM repositories)`,
    'V1.1',
    ...UNREADABLE,
  ],
  'the upgrade lost a row': [lost('upgrade'), 'V5.4'],
  'a project_id breaks the pattern': [everywhere(`'my_project'`), 'V2.1', 'V2.2', 'V6.1', 'V6.3'],
  'a project_id has upper case letters': [everywhere(`'Acme'`), 'V2.1', 'V2.2', 'V6.1', 'V6.2', 'V6.3'],
  'a project_id begins with a hyphen': [everywhere(`'-acme'`), 'V2.1', 'V2.2', 'V6.3'],
  'a project_id ends with a hyphen': [everywhere(`'acme-'`), 'V2.1', 'V2.2', 'V6.3'],
  'a project_id has a double hyphen': [everywhere(`'ac--me'`), 'V2.1', 'V2.2', 'V6.3'],
  'a project_id is empty': [everywhere(`''`), 'V2.1', 'V2.2', 'V6.1', 'V6.4'],
  'a project_id is too long': [
    `ALTER TABLE repositories ALTER project_id TYPE text; ALTER TABLE code_chunks ALTER project_id TYPE text;
     ${everywhere(`repeat('a', 51)`)}`,
    'V1.1',
    'V1.2',
    'V2.1',
    'V2.2',
    'V6.1',
    'V6.4',
  ],
};

const AFTER_DOWNGRADE: Sabotage = {
  'repositories.project_id is still there': ['ALTER TABLE repositories ADD project_id text', 'V8.1'],
  'code_chunks.project_id is still there': ['ALTER TABLE code_chunks ADD project_id text', 'V8.1'],
  'a constraint is still there': [
    'ALTER TABLE repositories ADD CONSTRAINT check_repositories_project_id CHECK (true)',
    'V8.2',
  ],
  'the index is still there': ['CREATE INDEX idx_project_repository ON repositories (path)', 'V8.3'],
  'one of the nine tables is missing': ['DROP TABLE archived_work_items', 'V8.4'],
  'one of the nine tables is a view': [
    'ALTER TABLE archived_work_items RENAME TO items; CREATE VIEW archived_work_items AS SELECT * FROM items',
    'V8.4',
  ],
  'the downgrade lost a row': [lost('downgrade'), 'V8.5'],
};

// V5.2 is last, as its line is in the contract.
const IDS_AFTER_UPGRADE = 'V1.1 V1.2 V2.1 V2.2 V3.1 V4.1 V4.2 V5.1 V5.3 V5.4 V6.1 V6.2 V6.3 V6.4 V5.2'.split(
  ' ',
);
const IDS_AFTER_DOWNGRADE = 'V8.1 V8.2 V8.3 V8.4 V8.5'.split(' ');

describe('before the upgrade', () => {
  test('FR-015: V7.1 holds at 005', async () => {
    expect(await holding('before-upgrade')).toEqual(['V7.1']);
  });

  test('FR-015: the verdict is one line, in the words of the quickstart', async () => {
    expect(await verdict('before-upgrade')).toEqual([
      '✓ No foreign keys found from dropped tables to repositories/code_chunks',
    ]);
  });

  test.each([
    ['repositories', 'ALTER TABLE tasks ADD r uuid REFERENCES repositories'],
    ['code_chunks', 'ALTER TABLE deployment_events ADD c uuid REFERENCES code_chunks'],
  ])('V7.1 fails if a foreign key points at %s', async (_, sql) => {
    expect(await failing('before-upgrade', sql)).toEqual(['V7.1']);
  });

  test('V7.1 does not mind a foreign key from elsewhere, or to elsewhere', async () => {
    const keys = `
      CREATE TABLE notes (repository_id uuid REFERENCES repositories);
      ALTER TABLE tasks ADD file_id uuid REFERENCES code_files`;
    expect(await failing('before-upgrade', keys)).toEqual([]);
  });
});

describe('after the upgrade', () => {
  beforeAll(() => upgrade(migratorOn(db), '002'));

  test('FR-015, FR-030: all fifteen hold', async () => {
    expect(await holding('after-upgrade')).toEqual(IDS_AFTER_UPGRADE);
  });

  test('FR-015: the verdict is eight lines, in the words of the execution contract', async () => {
    expect(await verdict('after-upgrade')).toEqual([
      "✓ project_id column exists in repositories (VARCHAR(50), NOT NULL, DEFAULT 'default')",
      '✓ project_id column exists in code_chunks (VARCHAR(50), NOT NULL)',
      '✓ CHECK constraints exist (2 found)',
      '✓ Performance index exists (idx_project_repository)',
      '✓ Unused tables dropped (0 of 9 tables found)',
      '✓ Data integrity check (all code_chunks have matching repository project_id)',
      '✓ Pattern validation (all project_id values match ^[a-z0-9-]{1,50}$)',
      '✓ No orphaned code_chunks',
    ]);
  });

  test.each(Object.entries(AFTER_UPGRADE))('a check fails if %s', async (_, [sql, ...ids]) => {
    expect(await failing('after-upgrade', sql)).toEqual(ids);
  });

  test('each has a sabotage that it must find', () => {
    const found = Object.values(AFTER_UPGRADE).flatMap(([, ...ids]) => ids);
    expect(new Set(found)).toEqual(new Set(IDS_AFTER_UPGRADE));
  });

  test('a failed check says which rows violate it', async () => {
    const copy = await makeDatabase('at005');
    await upgrade(migratorOn(copy), '002');
    await copy.query('CREATE TABLE tasks (); CREATE TABLE vendor_extractors ()');
    const { checks, passed } = await validate(migratorOn(copy), 'after-upgrade');
    const failed = checks.find((check) => !check.passed);
    expect(passed).toBe(false);
    expect(failed).toMatchObject({
      id: 'V4.1',
      violations: 2,
      title: 'all nine tables are gone from public',
    });
    expect(failed?.rows.map((row) => row.table_name).sort()).toEqual(['tasks', 'vendor_extractors']);
    await copy.drop();
  });
});

describe('after the downgrade', () => {
  beforeAll(() => downgrade(migratorOn(db), '005'));

  test('FR-015: all five hold', async () => {
    expect(await holding('after-downgrade')).toEqual(IDS_AFTER_DOWNGRADE);
  });

  test('FR-015: the verdict is six lines, in the words of the execution contract', async () => {
    expect(await verdict('after-downgrade')).toEqual([
      '✓ project_id columns removed (0 columns found)',
      '✓ CHECK constraints removed (0 constraints found)',
      '✓ Performance index removed (idx_project_repository not found)',
      '✓ Dropped tables restored (9 tables found)',
      '✓ repositories data preserved (row count matches baseline)',
      '✓ code_chunks data preserved (row count matches baseline)',
    ]);
  });

  test.each(Object.entries(AFTER_DOWNGRADE))('a check fails if %s', async (_, [sql, ...ids]) => {
    expect(await failing('after-downgrade', sql)).toEqual(ids);
  });
});

describe('after the downgrade of a project_id that the upgrade found in repositories', () => {
  let found: TestDatabase;
  beforeAll(async () => {
    found = await makeDatabase('at005');
    await found.query(`ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default'`);
    await upgrade(migratorOn(found), '002');
    await downgrade(migratorOn(found), '005');
  });
  afterAll(() => found.drop());

  const violating = async () =>
    (await validate(migratorOn(found), 'after-downgrade')).checks.flatMap(({ rows }) => rows);

  test('V8.1 holds', async () => {
    expect(await violating()).toEqual([]);
  });

  test('V8.1 fails if code_chunks has a project_id that it did not have before', async () => {
    await found.query('ALTER TABLE code_chunks ADD project_id varchar(50)');
    expect(await violating()).toEqual([{ table_name: 'code_chunks', column_name: 'project_id' }]);
  });
});

test('FR-030: all fifteen hold after finalize too', async () => {
  await upgrade(migratorOn(db), '002');
  await finalize(migratorOn(db));
  expect(await holding('after-upgrade')).toEqual(IDS_AFTER_UPGRADE);
});
