// FR-019: a column, a constraint or an index that exists already is kept if 002 would make the same, and refused otherwise.

import { validate } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { CHUNKS, everyRepository, expectRefusal, prepare, REPOSITORIES, type Refusal } from './refusal.ts';

const exists = (object: string, detail: RegExp, remedy: string) => ({
  name: 'MigrationRefused',
  message: new RegExp(`^${object} exists with another definition$`),
  detail,
  hint: `Run: ${remedy}`,
});
const otherType = (table: string, found: string) =>
  exists(
    `Column project_id of table ${table}`,
    new RegExp(`^It is ${found}; this revision makes character varying\\(50\\) NOT NULL`),
    `ALTER TABLE public.${table} RENAME COLUMN project_id TO project_id_before_002;`,
  );
const DEFAULTS = { repositories: `SET DEFAULT 'default'`, code_chunks: 'DROP DEFAULT' };
const otherColumn = (table: keyof typeof DEFAULTS, found: string) =>
  exists(
    `Column project_id of table ${table}`,
    new RegExp(`^It is ${found}; this revision makes character varying\\(50\\) NOT NULL`),
    `UPDATE public.${table} SET project_id = 'default' WHERE project_id IS NULL; ALTER TABLE public.${table} ALTER COLUMN project_id SET NOT NULL, ALTER COLUMN project_id ${DEFAULTS[table]};`,
  );
const otherValues = (rows: number, value: string) => ({
  name: 'MigrationRefused',
  message: /^Rows of code_chunks do not have the project_id of their repository$/,
  detail: `Rows in violation: ${rows}`,
  hint: `Run: UPDATE public.code_chunks AS chunk SET project_id = ${value} FROM public.code_files AS file JOIN public.repositories AS repository ON repository.id = file.repository_id WHERE file.id = chunk.code_file_id AND chunk.project_id IS DISTINCT FROM ${value};`,
});
const otherIndex = (detail: RegExp) =>
  exists('Index "idx_project_repository"', detail, 'DROP INDEX public.idx_project_repository;');
const otherConstraint = (table: string, detail: RegExp) =>
  exists(
    `Constraint "check_${table}_project_id"`,
    detail,
    `ALTER TABLE public.${table} DROP CONSTRAINT check_${table}_project_id;`,
  );

const REFUSED: Record<string, Refusal> = {
  'FR-019: a repositories.project_id of type text': {
    given: `ALTER TABLE repositories ADD project_id text DEFAULT 'acme'`,
    ...otherType('repositories', `text DEFAULT 'acme'::text`),
  },
  'FR-019: a repositories.project_id that is longer': {
    given: `ALTER TABLE repositories ADD project_id varchar(100) DEFAULT 'acme'`,
    ...otherType('repositories', `character varying\\(100\\) DEFAULT 'acme'::character varying`),
  },
  'FR-019: a code_chunks.project_id of type uuid': {
    given: 'ALTER TABLE code_chunks ADD project_id uuid',
    ...otherType('code_chunks', 'uuid'),
  },
  'FR-019: a code_chunks.project_id that is generated': {
    given: `ALTER TABLE code_chunks ADD project_id varchar(50) GENERATED ALWAYS AS ('acme') STORED`,
    ...otherType('code_chunks', `character varying\\(50\\) GENERATED ALWAYS AS 'acme'::character varying`),
  },
  'FR-019: a repositories.project_id that compares by another collation': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) COLLATE "C" NOT NULL DEFAULT 'default'`,
    ...otherType('repositories', 'character varying\\(50\\) COLLATE "C" NOT NULL .*'),
  },
  'FR-019: a repositories.project_id that may be null, and is null in one row': {
    given: `${REPOSITORIES} ALTER TABLE repositories ALTER project_id DROP NOT NULL;
      UPDATE repositories SET project_id = NULL WHERE path = (SELECT min(path) FROM repositories)`,
    ...otherColumn('repositories', `character varying\\(50\\) DEFAULT 'default'::character varying`),
  },
  'FR-019: a repositories.project_id without a default': {
    given: `${everyRepository('acme')} ALTER TABLE repositories ALTER project_id DROP DEFAULT`,
    ...otherColumn('repositories', 'character varying\\(50\\) NOT NULL'),
  },
  'FR-019: a repositories.project_id with another default': {
    given: `ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT lower('ACME')`,
    ...otherColumn('repositories', `character varying\\(50\\) NOT NULL DEFAULT lower\\('ACME'::text\\)`),
  },
  'FR-019: a code_chunks.project_id that is null in every row': {
    given: 'ALTER TABLE code_chunks ADD project_id varchar(50)',
    ...otherColumn('code_chunks', 'character varying\\(50\\)'),
  },
  'FR-019: a code_chunks.project_id with a default': {
    given: `ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default'`,
    ...otherColumn('code_chunks', `character varying\\(50\\) NOT NULL DEFAULT 'default'::character varying`),
  },
  'FR-019: chunks with another project_id than the default, although repositories have no project_id': {
    given: `${CHUNKS} UPDATE code_chunks SET project_id = 'stale' WHERE start_line = 1`,
    ...otherValues(6, `'default'`),
  },
  'FR-019: chunks with another project_id than their repositories': {
    given: `${everyRepository('acme')} ${CHUNKS} UPDATE code_chunks SET project_id = 'acme' WHERE start_line > 1`,
    ...otherValues(6, 'repository.project_id'),
  },
  'FR-019: chunks with a project_id that violates the pattern': {
    given: `${CHUNKS} UPDATE code_chunks SET project_id = 'INVALID_VALUE'`,
    ...otherValues(60, `'default'`),
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
    given: `${REPOSITORIES}
      CREATE INDEX idx_project_repository ON repositories (project_id, id) WHERE project_id <> 'default'`,
    ...otherIndex(/WHERE/),
  },
  'FR-019: an index of that name that CONCURRENTLY left invalid': {
    given: `${REPOSITORIES}
      CREATE INDEX idx_project_repository ON repositories (project_id, id);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.idx_project_repository'::regclass`,
    asAdministrator: true,
    ...otherIndex(/ \(invalid: CREATE INDEX CONCURRENTLY did not finish\); /),
  },
  'FR-019: a constraint of that name that says less': {
    given: `${REPOSITORIES} ALTER TABLE repositories
      ADD CONSTRAINT check_repositories_project_id CHECK (project_id ~ '^[a-z0-9-]{1,50}$')`,
    ...otherConstraint('repositories', /^It is CHECK \(\(\(project_id\)::text ~ /),
  },
  'FR-019: a constraint of that name on code_chunks that says something else': {
    given: `ALTER TABLE code_chunks ADD CONSTRAINT check_code_chunks_project_id CHECK (start_line <= end_line)`,
    ...otherConstraint('code_chunks', /start_line <= end_line/),
  },
  'FR-019: a constraint of that name that is not validated': {
    given: `${REPOSITORIES} ALTER TABLE repositories
      ADD CONSTRAINT check_repositories_project_id CHECK (project_id = 'default' OR (project_id ~ '^[a-z0-9-]{1,50}$' AND project_id !~ '(^-|-$|--)')) NOT VALID`,
    ...otherConstraint('repositories', /NOT VALID/),
  },
};

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

test.each(Object.entries(REFUSED))(
  '%s: refused in these words, with a remedy that works',
  async (_, refusal) => {
    await prepare(db, refusal);
    await expectRefusal(db, () => upgrade(migratorOn(db), '002'), refusal);
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  },
);
