// The refusals of 002 and their words. A refusal leaves no trace, and the SQL in its hint, word for word, is a remedy.

import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../lambda/migrator/model/bounds.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { contentsOf, inSession, schemaOf } from './contents.ts';
import {
  CHUNKS,
  everyRepository,
  expectRefusal,
  failureOf,
  prepare,
  REPOSITORIES,
  type Refusal,
} from './refusal.ts';

const ORPHAN_HINT =
  'Fix data integrity: DELETE FROM public.code_chunks AS chunk WHERE NOT EXISTS (SELECT FROM public.code_files AS file JOIN public.repositories AS repository ON repository.id = file.repository_id WHERE file.id = chunk.code_file_id);';
const orphans = (count: number) => ({
  name: 'OrphanedChunks',
  message: 'Cannot add NOT NULL constraint to code_chunks.project_id',
  detail: `${count} rows have NULL project_id (orphaned chunks with no parent repository)`,
  hint: ORPHAN_HINT,
});
const violation = (detail: RegExp) => ({
  name: 'PatternViolation',
  message: 'Check constraint "check_repositories_project_id" violated',
  detail,
  hint: /^Run: UPDATE public\.repositories SET project_id = /,
});
const otherKind = (relation: string, kind: string, word = 'TABLE') => ({
  name: 'MigrationRefused',
  message: new RegExp(`^Relation "${relation}" in schema public is of kind "${kind}"$`),
  detail: 'This revision and its downgrade need the name for a table or an index.',
  hint: `Run: ALTER ${word} public.${relation} RENAME TO ${relation}_before_002;`,
});
const UPGRADE: Record<string, Refusal> = {
  'E1, FR-003: a foreign key from one of the nine to repositories': {
    given: 'ALTER TABLE tasks ADD repository_id uuid CONSTRAINT tasks_of_repository REFERENCES repositories',
    name: 'ForeignKeyBlocked',
    message: "Foreign key constraint detected from 'tasks' to 'repositories'",
    detail:
      'Cannot safely drop tables. Remove foreign key first. Found: tasks_of_repository (tasks to repositories)',
    hint: 'Run: ALTER TABLE public.tasks DROP CONSTRAINT tasks_of_repository;',
  },
  'E1, FR-003: foreign keys to both core tables, one with a name that must be quoted': {
    given: `ALTER TABLE future_enhancements ADD chunk_id uuid CONSTRAINT "Points at" REFERENCES code_chunks;
      ALTER TABLE archived_work_items ADD repository_id uuid, ADD CONSTRAINT plain FOREIGN KEY (repository_id) REFERENCES repositories NOT VALID`,
    name: 'ForeignKeyBlocked',
    message: "Foreign key constraint detected from 'archived_work_items' to 'repositories'",
    detail:
      'Cannot safely drop tables. Remove foreign key first. Found: plain (archived_work_items to repositories), "Points at" (future_enhancements to code_chunks)',
    hint: 'Run: ALTER TABLE public.archived_work_items DROP CONSTRAINT plain; ALTER TABLE public.future_enhancements DROP CONSTRAINT "Points at";',
  },
  'E2: chunks whose file is gone': {
    given: `ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey;
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line) SELECT gen_random_uuid(), '', 1, 1 FROM generate_series(1, 3)`,
    ...orphans(3),
  },
  'E2: orphaned chunks under a foreign key that is not validated': {
    given: `ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey;
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line) VALUES (gen_random_uuid(), '', 1, 1);
      ALTER TABLE code_chunks ADD CONSTRAINT code_chunks_code_file_id_fkey FOREIGN KEY (code_file_id) REFERENCES code_files NOT VALID`,
    ...orphans(1),
  },
  'E2: chunks without a file': {
    given: `ALTER TABLE code_chunks ALTER code_file_id DROP NOT NULL;
      INSERT INTO code_chunks (content, start_line, end_line) VALUES ('', 1, 1)`,
    ...orphans(1),
  },
  'E2: chunks whose file has no repository': {
    given: `ALTER TABLE code_files DROP CONSTRAINT code_files_repository_id_fkey;
      WITH gone AS (SELECT id FROM code_files ORDER BY id LIMIT 1)
      UPDATE code_files SET repository_id = gen_random_uuid() WHERE id IN (SELECT id FROM gone)`,
    ...orphans(10),
  },
  'E3: a project_id in upper case': {
    given: everyRepository('INVALID_VALUE'),
    ...violation(
      /^Row with id=[0-9a-f-]{36} has project_id='INVALID_VALUE' which violates pattern \^\[a-z0-9-\]\{1,50\}\$ .*rows in violation: 3\)$/,
    ),
  },
  'E3: an empty project_id': {
    given: everyRepository(''),
    ...violation(/has project_id='' which/),
  },
  'E3: a project_id of forbidden characters only': {
    given: everyRepository('-_-É'),
    ...violation(/has project_id='-_-É' which/),
  },
  'E3: a project_id of 50 characters that ends in a hyphen': {
    given: everyRepository(`${'a'.repeat(49)}-`),
    ...violation(/a{49}-' which/),
  },
  'FR-019: a table that has the name of the index': {
    given: 'CREATE TABLE idx_project_repository ()',
    ...otherKind('idx_project_repository', 'table'),
  },
  'FR-019: a type that has the name of the index': {
    given: 'CREATE TYPE idx_project_repository AS (id integer)',
    ...otherKind('idx_project_repository', 'composite type', 'TYPE'),
  },
  'FR-019: a view that has the name of one of the nine': {
    given: 'ALTER TABLE tasks RENAME TO todo; CREATE VIEW tasks AS SELECT * FROM todo',
    ...otherKind('tasks', 'view'),
  },
  'FR-019: a trigger that keeps chunks from taking the value of their repository': {
    given: `${REPOSITORIES}
      UPDATE repositories SET project_id = 'acme' WHERE path = (SELECT min(path) FROM repositories);
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER "Keep" BEFORE INSERT OR UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION keep();
      CREATE TRIGGER later AFTER UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION keep()`,
    name: 'MigrationRefused',
    message: /^Rows of code_chunks do not have the project_id of their repository$/,
    detail: 'Rows in violation: 20',
    hint: 'Disable the trigger that keeps them: ALTER TABLE public.code_chunks DISABLE TRIGGER USER;',
  },
  'FR-019: tables of the same names in retired_002': {
    given: `CREATE SCHEMA retired_002; CREATE TABLE retired_002.tasks (); CREATE TABLE retired_002.vendor_extractors (id integer)`,
    name: 'MigrationRefused',
    message: /^Schema retired_002 holds a table "tasks" already$/,
    detail: 'In public and in retired_002: tasks, vendor_extractors',
    hint: 'Run: CREATE SCHEMA IF NOT EXISTS kept_002; ALTER TABLE retired_002.tasks SET SCHEMA kept_002; ALTER TABLE retired_002.vendor_extractors SET SCHEMA kept_002;',
  },
};

const AFTER_UPGRADE: Record<string, Refusal & { readonly run: () => Promise<unknown> }> = {
  'a downgrade: a new table in public that has the name of a retired one': {
    run: () => downgrade(migratorOn(db), '005'),
    given: 'CREATE TABLE tasks (id integer)',
    name: 'MigrationRefused',
    message: /^Table "tasks" was created in public while the retired one of that name waits in retired_002$/,
    detail: 'In public and in retired_002: tasks',
    hint: 'Run: CREATE SCHEMA IF NOT EXISTS kept_002; ALTER TABLE public.tasks SET SCHEMA kept_002;',
  },
  'finalize: a table in retired_002 that no revision put there': {
    run: () => finalize(migratorOn(db)),
    given: `CREATE TABLE retired_002."my notes" (id serial)`,
    name: 'MigrationRefused',
    message: /^Schema retired_002 holds objects that revision 002 did not retire$/,
    detail: 'Found: table retired_002."my notes"',
    hint: 'Run: CREATE SCHEMA IF NOT EXISTS kept_002; ALTER TABLE retired_002."my notes" SET SCHEMA kept_002;',
  },
  'finalize: a view, a sequence, a function and a type in retired_002': {
    run: () => finalize(migratorOn(db)),
    given: `CREATE VIEW retired_002.open AS SELECT * FROM retired_002.tasks;
      CREATE SEQUENCE retired_002.numbers;
      CREATE FUNCTION retired_002.twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * $1';
      CREATE TYPE retired_002.mood AS ENUM ('sad', 'glad');
      CREATE MATERIALIZED VIEW retired_002.counted AS SELECT count(*) FROM public.repositories`,
    name: 'MigrationRefused',
    message: /^Schema retired_002 holds objects that revision 002 did not retire$/,
    detail:
      'Found: materialized view retired_002.counted, type retired_002.mood, sequence retired_002.numbers, view retired_002.open, function retired_002.twice(integer)',
    hint: /^Run: CREATE SCHEMA IF NOT EXISTS kept_002; /,
  },
};

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

/** The owner then sees no row any more, for there is no policy that shows one. */
const forceRowSecurity = (table: string) =>
  `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`;

describe('an upgrade refuses', () => {
  test.each(Object.entries(UPGRADE))(
    '%s: refused in these words, with a remedy that works',
    async (_, refusal) => {
      await prepare(db, refusal);
      await expectRefusal(db, () => upgrade(migratorOn(db), '002'), refusal);
      expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
    },
  );

  test('E2: the remedy deletes the orphans, whether file or repository is missing, and no other chunk', async () => {
    const chunks = async () => (await db.query('SELECT id FROM code_chunks ORDER BY id')).map(({ id }) => id);
    const sound = await chunks();
    await db.query(`
      ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey, ALTER code_file_id DROP NOT NULL;
      ALTER TABLE code_files DROP CONSTRAINT code_files_repository_id_fkey;
      WITH lone AS (
        INSERT INTO code_files (repository_id, path) VALUES (gen_random_uuid(), 'lone.py') RETURNING id
      )
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line)
      SELECT file, '', 1, 1 FROM (SELECT id FROM lone UNION ALL VALUES (gen_random_uuid()), (NULL)) AS orphaned (file)`);
    const { name, detail, hint } = await failureOf(upgrade(migratorOn(db), '002'));
    expect([name, detail]).toEqual(['OrphanedChunks', orphans(3).detail]);
    await db.query(hint?.replace(/^.*?: /, '') ?? '');
    expect(await chunks()).toEqual(sound);
    await expect(upgrade(migratorOn(db), '002')).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  test('E4: a run that takes longer than it may is stopped without a trace', async () => {
    await db.query(`
      ${REPOSITORIES}
      UPDATE repositories SET project_id = 'acme' WHERE path = (SELECT min(path) FROM repositories);
      CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NULL; END';
      CREATE TRIGGER linger BEFORE UPDATE ON code_chunks FOR EACH STATEMENT EXECUTE FUNCTION linger()`);
    const before = await contentsOf(db);
    const bounds = { ...DEFAULT_BOUNDS, transactionMs: 2_000 };
    const failure = await failureOf(upgrade(migratorOn(db, { bounds }), '002'));
    expect(failure).toMatchObject({
      name: 'MigrationTimeout',
      summary: 'The transaction took longer than the 2 s that it may',
      detail:
        'Stopped in step 4/8 of 002 (Adding project_id to code_chunks table); everything was rolled back.',
    });
    expect(await contentsOf(db)).toEqual(before);
    await db.query(failure.hint?.split(': ')[1] ?? 'no hint');
    await expect(upgrade(migratorOn(db), '002')).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  test('E3: a project_id that repositories and chunks share is refused in repositories, then in chunks', async () => {
    await db.query(
      `${everyRepository('INVALID_VALUE')} ${CHUNKS} UPDATE code_chunks SET project_id = 'INVALID_VALUE'`,
    );
    const refused = [];
    for (;;) {
      const outcome = await upgrade(migratorOn(db), '002').catch((error) => error);
      if (!(outcome instanceof BackstopError)) break;
      refused.push(outcome.name);
      await db.query(outcome.hint?.replace(/^.*?: /, '') ?? '');
    }
    expect(refused).toEqual(['PatternViolation', 'MigrationRefused']);
    expect(await db.query('SELECT DISTINCT project_id FROM code_chunks')).toEqual([
      { project_id: 'invalid-value' },
    ]);
  });

  test('FR-019: a core table that lacks what the revision relies on is refused', async () => {
    await db.query(
      'ALTER TABLE code_files RENAME repository_id TO repo_id; DROP TABLE embeddings, code_chunks',
    );
    const before = await contentsOf(db);
    const failure = await failureOf(upgrade(migratorOn(db), '002'));
    expect(failure).toMatchObject({
      name: 'MigrationRefused',
      summary: expect.stringContaining('The core tables are not as at revision 005'),
      detail: 'Missing: public.code_files.repository_id, public.code_chunks.code_file_id',
    });
    expect(await contentsOf(db)).toEqual(before);
  });

  test.each(['repositories', 'code_files', 'code_chunks'])(
    'FR-019: policies that hide rows of %s even from the owner are refused',
    async (table) => {
      await db.query(forceRowSecurity(table));
      const before = await schemaOf(db);
      const failure = await failureOf(upgrade(migratorOn(db), '002'));
      expect(failure).toMatchObject({
        name: 'MigrationRefused',
        summary: expect.stringMatching(`^Row-level security of table "${table}" is forced for its owner$`),
        hint: `Run: ALTER TABLE public.${table} NO FORCE ROW LEVEL SECURITY;`,
      });
      expect(await schemaOf(db)).toBe(before);
      await db.query(failure.hint?.replace('Run: ', '') ?? '');
      await expect(upgrade(migratorOn(db), '002')).resolves.toMatchObject({ outcome: 'upgraded' });
    },
  );

  test.each([
    ['materialized view', 'CREATE MATERIALIZED VIEW tasks AS SELECT 1 AS id'],
    ['sequence', 'CREATE SEQUENCE tasks'],
    ['index', 'CREATE INDEX tasks ON repositories (indexed_at)'],
    ['composite type', 'CREATE TYPE tasks AS (id integer)'],
  ])(
    'FR-019: a %s that has the name of one of the nine is refused, no matter who runs the SQL',
    async (kind, given) => {
      await db.query(`ALTER TABLE tasks RENAME TO todo; ${given}`);
      const step = codebaseMcp.chain.revisions.at(-1)?.upgrade.steps[0]?.sql ?? '';
      const raised = await inSession(db, (client) => client.query(step)).catch((error) => error);
      expect(raised).toMatchObject({
        code: '42809',
        message: `Relation "tasks" in schema public is of kind "${kind}"`,
      });
      await db.query(raised.hint.replace('Run: ', ''));
      await expect(inSession(db, (client) => client.query(step))).resolves.toBeDefined();
    },
  );

  test('E1: a foreign key that came after the checks is refused in the same words', async () => {
    await db.query(`
      ALTER TABLE tasks ADD repository_id uuid CONSTRAINT late REFERENCES repositories;
      ALTER TABLE archived_work_items ADD chunk_id uuid CONSTRAINT later REFERENCES code_chunks`);
    const checked = await failureOf(upgrade(migratorOn(db), '002'));
    const steps = codebaseMcp.chain.revisions.at(-1)?.upgrade.steps.slice(0, 2) ?? [];
    const script = steps.map(({ sql }) => sql).join('\n');
    const raised = await inSession(db, (client) => client.query(script)).catch((error) => error);
    const { summary: message, detail, hint } = checked;
    expect(raised).toMatchObject({ code: '23503', message, detail, hint });
  });
});

describe('at 002', () => {
  beforeEach(() => upgrade(migratorOn(db), '002'));

  test.each(Object.entries(AFTER_UPGRADE))(
    '%s: refused in these words, with a remedy that works',
    async (_, refusal) => {
      await prepare(db, refusal);
      await expectRefusal(db, refusal.run, refusal);
    },
  );

  test('a downgrade is not refused for policies that hide repositories from their owner', async () => {
    await db.query(forceRowSecurity('repositories'));
    await expect(downgrade(migratorOn(db), '005')).resolves.toMatchObject({ outcome: 'downgraded' });
  });

  test('a downgrade keeps retired_002 for what no revision put there', async () => {
    await db.query('CREATE TABLE retired_002.notes (id integer)');
    const report = await downgrade(migratorOn(db), '005');
    expect(report.restored).toHaveLength(9);
    expect(report.steps.flatMap((step) => step.notices)).toContainEqual({
      severity: 'NOTICE',
      message: 'Schema retired_002 kept, it holds objects that revision 002 did not retire',
    });
    expect(await db.query('SELECT FROM retired_002.notes')).toEqual([]);
  });
});
