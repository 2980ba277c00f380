// What 002 refuses, in which words, without a trace; and that the remedy in the hint, word for word, is one.

import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../lambda/migrator/model/bounds.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { contentsOf, inSession, schemaOf } from './contents.ts';

interface Refusal {
  /** What stands in the way. */
  readonly given: string;
  /** Set by the administrator where the owner may not. */
  readonly asAdministrator?: true;
  readonly name: string;
  readonly message: string | RegExp;
  readonly detail: string | RegExp;
  readonly hint: string | RegExp;
}

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
const otherType = (table: string, type: string) => ({
  name: 'MigrationFailed',
  message: new RegExp(`^Column project_id of table ${table} exists with another type `),
  detail: `Its type is ${type}; this revision adds a project_id character varying(50).`,
  hint: `Run: ALTER TABLE public.${table} RENAME COLUMN project_id TO project_id_before_002;`,
});
const otherIndex = (detail: RegExp) => ({
  name: 'MigrationFailed',
  message: /^Index "idx_project_repository" exists and is not the one this revision creates /,
  detail,
  hint: 'Run: DROP INDEX public.idx_project_repository;',
});
const otherConstraint = (table: string, detail: RegExp) => ({
  name: 'MigrationFailed',
  message: new RegExp(`^Constraint "check_${table}_project_id" exists with another definition `),
  detail,
  hint: `Run: ALTER TABLE public.${table} DROP CONSTRAINT check_${table}_project_id;`,
});
const otherKind = (relation: string, kind: string, word = 'TABLE') => ({
  name: 'MigrationFailed',
  message: new RegExp(`^Relation "${relation}" in schema public is of kind "${kind}", not `),
  detail: /^This revision (creates an index|takes a table) of that name/,
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
  'E2: chunks that a foreign key not yet validated lets stand': {
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
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT 'INVALID_VALUE'`,
    ...violation(
      /^Row with id=[0-9a-f-]{36} has project_id='INVALID_VALUE' which violates pattern \^\[a-z0-9-\]\{1,50\}\$ .*rows in violation: 3\)$/,
    ),
  },
  'E3: an empty project_id': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT ''`,
    ...violation(/has project_id='' which/),
  },
  'E3: nothing but what a project_id may not have': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT '-_-É'`,
    ...violation(/has project_id='-_-É' which/),
  },
  'E3: a project_id of 50 characters that ends in a hyphen': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT '${'a'.repeat(49)}-'`,
    ...violation(/a{49}-' which/),
  },
  'FR-019: a repositories.project_id of type text': {
    given: `ALTER TABLE repositories ADD project_id text DEFAULT 'acme'`,
    ...otherType('repositories', 'text'),
  },
  'FR-019: a repositories.project_id that is longer': {
    given: `ALTER TABLE repositories ADD project_id varchar(100) DEFAULT 'acme'`,
    ...otherType('repositories', 'character varying(100)'),
  },
  'FR-019: a code_chunks.project_id of type uuid': {
    given: 'ALTER TABLE code_chunks ADD project_id uuid',
    ...otherType('code_chunks', 'uuid'),
  },
  'FR-019: a code_chunks.project_id that is generated': {
    given: `ALTER TABLE code_chunks ADD project_id varchar(50) GENERATED ALWAYS AS ('acme') STORED`,
    name: 'MigrationFailed',
    message: /^Column project_id of table code_chunks exists as a generated column /,
    detail: 'This revision adds one that can be written to.',
    hint: 'Run: ALTER TABLE public.code_chunks RENAME COLUMN project_id TO project_id_before_002;',
  },
  'FR-019: an index of that name on another column': {
    given: 'CREATE INDEX idx_project_repository ON repositories (path)',
    ...otherIndex(
      /^It is CREATE INDEX idx_project_repository ON public\.repositories USING btree \(path\); /,
    ),
  },
  'FR-019: an index of that name on another table': {
    given: 'CREATE INDEX idx_project_repository ON code_files (path)',
    ...otherIndex(/public\.code_files/),
  },
  'FR-019: an index of that name that is partial': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT 'acme';
      CREATE INDEX idx_project_repository ON repositories (project_id, id) WHERE project_id <> 'default'`,
    ...otherIndex(/WHERE/),
  },
  'FR-019: an index of that name that CONCURRENTLY left invalid': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT 'acme';
      CREATE INDEX idx_project_repository ON repositories (project_id, id);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.idx_project_repository'::regclass`,
    asAdministrator: true,
    ...otherIndex(/^It is invalid: a CREATE INDEX CONCURRENTLY did not finish\.$/),
  },
  'FR-019: a constraint of that name that says less': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT 'acme',
      ADD CONSTRAINT check_repositories_project_id CHECK (project_id ~ '^[a-z0-9-]{1,50}$')`,
    ...otherConstraint('repositories', /^It is CHECK \(\(\(project_id\)::text ~ /),
  },
  'FR-019: a constraint of that name on code_chunks that says something else': {
    given: `ALTER TABLE code_chunks ADD CONSTRAINT check_code_chunks_project_id CHECK (start_line <= end_line)`,
    ...otherConstraint('code_chunks', /start_line <= end_line/),
  },
  'FR-019: a constraint of that name that is not validated': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) DEFAULT 'acme',
      ADD CONSTRAINT check_repositories_project_id CHECK (project_id = 'default' OR (project_id ~ '^[a-z0-9-]{1,50}$' AND project_id !~ '(^-|-$|--)')) NOT VALID`,
    ...otherConstraint('repositories', /NOT VALID/),
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
    given: `ALTER TABLE repositories ADD project_id varchar(50);
      UPDATE repositories SET project_id = 'acme' WHERE path = (SELECT min(path) FROM repositories);
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER "Keep" BEFORE INSERT OR UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION keep();
      CREATE TRIGGER later AFTER UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION keep()`,
    name: 'MigrationFailed',
    message: /^Rows of code_chunks did not take the project_id of their repository /,
    detail: 'A trigger or a rule keeps an UPDATE from changing them.',
    hint: 'Disable what keeps them for the run: ALTER TABLE public.code_chunks DISABLE TRIGGER "Keep";',
  },
  'FR-019: tables of the same names in retired_002': {
    given: `CREATE SCHEMA retired_002; CREATE TABLE retired_002.tasks (); CREATE TABLE retired_002.vendor_extractors (id integer)`,
    name: 'MigrationFailed',
    message: /^Schema retired_002 holds a table "tasks" already /,
    detail: 'In public and in retired_002 stand: tasks, vendor_extractors',
    hint: 'Run: CREATE SCHEMA IF NOT EXISTS kept_002; ALTER TABLE retired_002.tasks SET SCHEMA kept_002; ALTER TABLE retired_002.vendor_extractors SET SCHEMA kept_002;',
  },
};

const AFTER_UPGRADE: Record<string, Refusal & { readonly run: () => Promise<unknown> }> = {
  'a downgrade: a new table in public that has the name of a retired one': {
    run: () => downgrade(migratorOn(db), '005'),
    given: 'CREATE TABLE tasks (id integer)',
    name: 'MigrationFailed',
    message: /^Table "tasks" was created in public while the retired one of that name waits in retired_002 /,
    detail: 'In public and in retired_002 stand: tasks',
    hint: 'Run: CREATE SCHEMA IF NOT EXISTS kept_002; ALTER TABLE public.tasks SET SCHEMA kept_002;',
  },
  'finalize: a table in retired_002 that no revision put there': {
    run: () => finalize(migratorOn(db)),
    given: `CREATE TABLE retired_002."my notes" (id serial)`,
    name: 'MigrationFailed',
    message: /^Schema retired_002 holds objects that revision 002 did not retire /,
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
    name: 'MigrationFailed',
    message: /^Schema retired_002 holds objects that revision 002 did not retire /,
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

const failureOf = async (run: Promise<unknown>): Promise<BackstopError> => {
  const failure = await run.catch((error) => error);
  if (!(failure instanceof BackstopError)) throw new Error(`not refused: ${JSON.stringify(failure)}`);
  return failure;
};

/** Refused in these words and without a trace; after the hint's SQL, which follows its first colon, no longer. */
async function expectRefusal(run: () => Promise<unknown>, { name, message, detail, hint }: Refusal) {
  const before = await contentsOf(db);
  const failure = await failureOf(run());
  expect(failure).toMatchObject({
    name,
    summary: typeof message === 'string' ? message : expect.stringMatching(message),
    detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
  });
  expect(await contentsOf(db)).toEqual(before);

  await db.query(failure.hint?.replace(/^.*?: /, '') ?? '');
  await run();
}

const prepare = ({ given, asAdministrator }: Refusal) =>
  asAdministrator ? db.asAdministrator(`SET search_path = public; ${given}`) : db.query(given);

describe('an upgrade refuses', () => {
  test.each(Object.entries(UPGRADE))('%s', async (_, refusal) => {
    await prepare(refusal);
    await expectRefusal(() => upgrade(migratorOn(db), '002'), refusal);
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  });

  test('E2: whose remedy deletes the orphans, whether file or repository is missing, and no other chunk', async () => {
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

  test('E4: a run that takes longer than it may, without a trace', async () => {
    await db.query(`
      ALTER TABLE repositories ADD project_id varchar(50);
      CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
      CREATE TRIGGER linger BEFORE UPDATE ON repositories FOR EACH ROW EXECUTE FUNCTION linger()`);
    const before = await contentsOf(db);
    const bounds = { ...DEFAULT_BOUNDS, transactionMs: 2_000 };
    const failure = await failureOf(upgrade(migratorOn(db, { bounds }), '002'));
    expect(failure).toMatchObject({
      name: 'MigrationTimeout',
      summary: 'Migration timeout exceeded (2 seconds)',
      detail:
        'Stopped in step 3/10 of 002 (Adding project_id to repositories table); all was rolled back. Consider running on smaller dataset or optimizing index creation',
    });
    expect(await contentsOf(db)).toEqual(before);
    await db.query(failure.hint?.split(': ')[1] ?? 'no hint');
    await expect(upgrade(migratorOn(db), '002')).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  test('E3: in code_chunks nothing, for chunks take the values of their repositories', async () => {
    await db.query(`ALTER TABLE code_chunks ADD project_id varchar(50) DEFAULT 'INVALID_VALUE'`);
    await expect(upgrade(migratorOn(db), '002')).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  test('FR-019: a core table that lacks what the revision relies on', async () => {
    await db.query(
      'ALTER TABLE code_files RENAME repository_id TO repo_id; DROP TABLE embeddings, code_chunks',
    );
    const before = await contentsOf(db);
    const failure = await failureOf(upgrade(migratorOn(db), '002'));
    expect(failure).toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringContaining('The core tables are not as at revision 005'),
      detail: 'Missing: public.code_files.repository_id, public.code_chunks.code_file_id',
    });
    expect(await contentsOf(db)).toEqual(before);
  });

  test.each(['repositories', 'code_files', 'code_chunks'])(
    'FR-019: policies that hide rows of %s even from the owner',
    async (table) => {
      await db.query(forceRowSecurity(table));
      const before = await schemaOf(db);
      const failure = await failureOf(upgrade(migratorOn(db), '002'));
      expect(failure).toMatchObject({
        name: 'MigrationFailed',
        summary: expect.stringMatching(`^Row-level security of table "${table}" is forced upon its owner `),
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
  ])('FR-019: a %s that has the name of one of the nine, whoever runs the SQL', async (kind, given) => {
    await db.query(`ALTER TABLE tasks RENAME TO todo; ${given}`);
    const step = codebaseMcp.chain.revisions.at(-1)?.upgrade.steps[0]?.sql ?? '';
    const raised = await inSession(db, (client) => client.query(step)).catch((error) => error);
    expect(raised).toMatchObject({
      code: '42809',
      message: `Relation "tasks" in schema public is of kind "${kind}", not "table"`,
    });
    await db.query(raised.hint.replace('Run: ', ''));
    await expect(inSession(db, (client) => client.query(step))).resolves.toBeDefined();
  });

  test('E1: a foreign key that came after the checks, in the same words as they do', async () => {
    await db.query(`
      ALTER TABLE tasks ADD repository_id uuid CONSTRAINT late REFERENCES repositories;
      ALTER TABLE archived_work_items ADD chunk_id uuid CONSTRAINT later REFERENCES code_chunks`);
    const checked = await failureOf(upgrade(migratorOn(db), '002'));
    const step = codebaseMcp.chain.revisions.at(-1)?.upgrade.steps[1]?.sql ?? '';
    const raised = await inSession(db, (client) => client.query(step)).catch((error) => error);
    const { summary: message, detail, hint } = checked;
    expect(raised).toMatchObject({ code: '23503', message, detail, hint });
  });
});

describe('at 002', () => {
  beforeEach(() => upgrade(migratorOn(db), '002'));

  test.each(Object.entries(AFTER_UPGRADE))('refuses %s', async (_, refusal) => {
    await prepare(refusal);
    await expectRefusal(refusal.run, refusal);
  });

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
