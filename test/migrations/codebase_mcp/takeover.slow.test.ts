// Databases with foreign objects: 002 takes over objects that others built on, around and into the tables it knows.

import { validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import type { RunReport } from '../../../lambda/migrator/model/report.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { pgDump } from '../../setup/schema-dump.ts';
import { contentsOf } from './contents.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

const up = () => upgrade(migratorOn(db), '002');
const down = () => downgrade(migratorOn(db), '005');
const notices = (report: RunReport) =>
  report.steps.flatMap((step) => step.notices.map(({ message }) => message));
/** The objects that CASCADE drops, as finalize names them. */
const namedIn = (report: RunReport) =>
  notices(report).flatMap((message) => /^CASCADE drops (.*)$/.exec(message)?.[1] ?? []);

/** A foreign key whose rows refer to lost rows comes back, and is not validated. */
const withoutValidity = (all: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(all).map(([name, schema]) => [name, schema.replaceAll(' NOT VALID', '')]),
  );
const schemas = async () => withoutValidity((await contentsOf(db)).schemas);

/** Foreign objects → the SQL that creates them. */
const SURROUNDINGS = {
  'more tables, with foreign keys from outside into the nine': `
    CREATE TABLE comments (id serial PRIMARY KEY, task_id uuid REFERENCES tasks ON DELETE CASCADE, body text);
    INSERT INTO comments (task_id, body) SELECT id, title FROM tasks`,
  'an embedding vector(768) on code_chunks': `
    ALTER TABLE code_chunks ADD embedding vector(768);
    UPDATE code_chunks SET embedding = vector FROM embeddings WHERE chunk_id = code_chunks.id`,
  'views and a materialized view over the nine': `
    CREATE VIEW open_tasks AS SELECT id, title FROM tasks WHERE status <> 'complete';
    CREATE VIEW loud_tasks AS SELECT id, upper(title) AS title FROM open_tasks;
    CREATE MATERIALIZED VIEW task_count AS SELECT count(*) FROM tasks`,
  'views over the core tables': `CREATE VIEW chunks AS SELECT * FROM code_chunks; CREATE VIEW files AS SELECT repository_id, count(*) FROM code_files GROUP BY 1`,
  'foreign keys deferred at will': `
    ALTER TABLE code_chunks ALTER CONSTRAINT code_chunks_code_file_id_fkey DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE code_files ALTER CONSTRAINT code_files_repository_id_fkey DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE tasks ALTER CONSTRAINT fk_work_item_parent DEFERRABLE INITIALLY DEFERRED`,
  'triggers on the core tables and on the nine': `
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch_repositories BEFORE UPDATE ON repositories FOR EACH ROW EXECUTE FUNCTION touched();
    CREATE TRIGGER touch_chunks AFTER INSERT OR UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION touched();
    CREATE TRIGGER touch_tasks BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION touched()`,
  'generated and identity columns': `
    ALTER TABLE code_chunks ADD lines integer GENERATED ALWAYS AS (end_line - start_line + 1) STORED;
    ALTER TABLE tasks ADD number bigint GENERATED ALWAYS AS IDENTITY`,
  'policies, comments, privileges and storage options': `
    ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
    CREATE POLICY everybody ON tasks USING (true);
    COMMENT ON COLUMN tasks.path IS 'from the root';
    GRANT SELECT ON tasks, code_chunks TO PUBLIC;
    ALTER TABLE code_chunks SET (fillfactor = 90)`,
  'one of the nine with partitions': `
    DROP TABLE archived_work_items;
    CREATE TABLE archived_work_items (id uuid, archived_at timestamptz NOT NULL) PARTITION BY RANGE (archived_at);
    CREATE TABLE archived_2025 PARTITION OF archived_work_items FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO archived_work_items VALUES (gen_random_uuid(), '2025-06-01')`,
  'code_chunks with partitions': `
    DROP TABLE embeddings, code_chunks;
    CREATE TABLE code_chunks (code_file_id uuid NOT NULL REFERENCES code_files) PARTITION BY HASH (code_file_id);
    CREATE TABLE even_chunks PARTITION OF code_chunks FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE odd_chunks PARTITION OF code_chunks FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO code_chunks SELECT id FROM code_files`,
  'columns of the nine that no revision added': `ALTER TABLE tasks ADD estimate integer; UPDATE tasks SET estimate = 3 WHERE depth = 0`,
  'a table of another schema that refers to the nine': `
    CREATE SCHEMA billing;
    CREATE TABLE billing.invoices (task_id uuid REFERENCES tasks);
    INSERT INTO billing.invoices SELECT id FROM tasks`,
};

test.each(Object.entries(SURROUNDINGS))(
  'with %s it goes up, comes back without a trace, and goes up for good',
  async (_, sql) => {
    await db.query(sql);
    const before = await contentsOf(db);
    await up();
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
    await down();
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
    expect(await contentsOf(db)).toEqual(before);
    await up();
    await finalize(migratorOn(db));
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
    await down();
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
    expect(await schemas()).toEqual(withoutValidity(before.schemas));
  },
);

describe('a database that Alembic brought to 005, with all of this at once', () => {
  beforeEach(() =>
    db.query(`
      DROP SCHEMA backstop CASCADE;
      DROP TABLE alembic_version, embeddings, code_chunks, code_files, repositories;

      CREATE TABLE alembic_version (
        version_num VARCHAR(32) NOT NULL,
        CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
      );
      INSERT INTO alembic_version (version_num) VALUES ('005');

      CREATE TABLE repositories (id serial PRIMARY KEY, path text NOT NULL UNIQUE, is_active boolean NOT NULL DEFAULT true);
      CREATE TABLE code_files (
        id serial PRIMARY KEY, repository_id integer NOT NULL REFERENCES repositories ON DELETE CASCADE, path text NOT NULL);
      CREATE TABLE code_chunks (
        id serial PRIMARY KEY, code_file_id integer NOT NULL REFERENCES code_files ON DELETE CASCADE,
        content text NOT NULL, embedding vector(768));
      INSERT INTO repositories (path) SELECT '/repo/' || n FROM generate_series(1, 3) AS n;
      INSERT INTO code_files (repository_id, path) SELECT id, 'main.py' FROM repositories;
      INSERT INTO code_chunks (code_file_id, content, embedding)
      SELECT id, 'print()', array_fill(0.5, ARRAY[768])::text::vector FROM code_files, generate_series(1, 4);

      CREATE TABLE change_events (
        id serial PRIMARY KEY, code_file_id integer NOT NULL REFERENCES code_files ON DELETE CASCADE, kind text);
      INSERT INTO change_events (code_file_id, kind) SELECT id, 'added' FROM code_files;
      CREATE TABLE task_planning_references (
        task_id uuid NOT NULL CONSTRAINT fk_planning_task REFERENCES tasks ON DELETE CASCADE, file_path text);
      CREATE TABLE task_status_history (
        id serial PRIMARY KEY, task_id uuid NOT NULL CONSTRAINT fk_history_task REFERENCES tasks ON DELETE CASCADE);
      INSERT INTO task_planning_references SELECT id, 'plan.md' FROM tasks;
      INSERT INTO task_status_history (task_id) SELECT id FROM tasks;
      CREATE VIEW open_deployments AS SELECT id, deployed_at FROM deployment_events`),
  );

  test('goes up and down without a trace, and up for good; names the objects that are dropped with the nine', async () => {
    const before = await contentsOf(db);
    const dumped = await pgDump(db.settings);
    const upgraded = await up();
    expect(upgraded).toMatchObject({ from: '005', to: '002', rows: [] });
    expect(upgraded.steps.flatMap((step) => step.rewritten)).toEqual([]);
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });

    await down();
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
    expect(await contentsOf(db)).toEqual(before);
    expect(await pgDump(db.settings)).toBe(dumped);

    await up();
    const finalized = await finalize(migratorOn(db));
    expect(finalized.dropped).toHaveLength(9);
    expect(namedIn(finalized)).toEqual([
      'foreign key fk_history_task on public.task_status_history',
      'foreign key fk_planning_task on public.task_planning_references',
      'view public.open_deployments',
    ]);
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });

    await down();
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
    expect(await schemas()).toEqual(withoutValidity(before.schemas));
    expect((await pgDump(db.settings))?.replaceAll(' NOT VALID', '')).toBe(dumped);
  });

  test('keeps every row of the tables around it, through finalize too', async () => {
    const others = async () =>
      Object.entries((await contentsOf(db)).rows).filter(([table]) =>
        /change_events|task_planning_references|task_status_history/.test(table),
      );
    const before = await others();
    await up();
    await finalize(migratorOn(db));
    expect(await others()).toEqual(before);
    expect(before).toHaveLength(3);
  });

  test('is left so that Alembic can read where it is', async () => {
    await up();
    expect(await db.query('SELECT * FROM alembic_version')).toEqual([{ version_num: '002' }]);
    await down();
    expect(await db.query('SELECT * FROM alembic_version')).toEqual([{ version_num: '005' }]);
  });
});

test('integer keys are as good as uuids', async () => {
  await db.query(`
    DROP TABLE repositories, code_files, code_chunks, embeddings;
    CREATE TABLE repositories (id serial PRIMARY KEY, path text);
    CREATE TABLE code_files (id bigserial PRIMARY KEY, repository_id integer NOT NULL REFERENCES repositories);
    CREATE TABLE code_chunks (code_file_id bigint NOT NULL REFERENCES code_files);
    INSERT INTO repositories (path) VALUES ('a'), ('b');
    INSERT INTO code_files (repository_id) VALUES (1), (2);
    INSERT INTO code_chunks VALUES (1), (2), (2)`);
  const before = await contentsOf(db);
  await up();
  expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  await down();
  expect(await contentsOf(db)).toEqual(before);
});

/** An UPDATE leaves them pending, and then forbids an ALTER TABLE and a DROP TABLE. */
const LATE_TRIGGERS = `
  CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE CONSTRAINT TRIGGER late_repositories AFTER UPDATE ON repositories
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
  CREATE CONSTRAINT TRIGGER late_chunks AFTER UPDATE ON code_chunks
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`;

test('a constraint trigger that fires at COMMIT does not block an ALTER after an UPDATE', async () => {
  await db.query(`
    ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
    UPDATE repositories SET project_id = 'acme' WHERE path = (SELECT min(path) FROM repositories);
    ${LATE_TRIGGERS}`);
  await up();
  expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
});

test.each([
  ['upgrade', 'CREATE INDEX'],
  ['downgrade', 'DROP INDEX'],
])(
  'FR-017, FR-019: rows that go during the %s are found by its counters, and it is rolled back',
  async (direction, tag) => {
    if (direction === 'downgrade') await up();
    await db.asAdministrator(`
    CREATE FUNCTION public.swallow() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.code_chunks; END';
    CREATE EVENT TRIGGER swallow ON ddl_command_end WHEN TAG IN ('${tag}') EXECUTE FUNCTION public.swallow()`);
    const before = await contentsOf(db);
    await expect(direction === 'upgrade' ? up() : down()).rejects.toMatchObject({
      name: 'MigrationRefused',
      detail: '0 rows inserted into and 60 deleted from code_chunks',
    });
    expect(await contentsOf(db)).toEqual(before);
  },
);

test('a table of the nine that another role owns goes on serving foreign keys from outside', async () => {
  const other = `${db.name}_other`;
  await db.asAdministrator(`
    CREATE ROLE ${other};
    GRANT ${other} TO ${db.settings.user};
    GRANT CREATE ON SCHEMA public TO ${other};
    ALTER TABLE public.tasks OWNER TO ${other}`);
  await db.query('CREATE TABLE comments (task_id uuid REFERENCES tasks)');
  await up();
  const insert = db.query('INSERT INTO comments SELECT id FROM retired_002.tasks LIMIT 1');
  await expect(insert).resolves.toEqual([]);
  await db.asAdministrator(`DROP OWNED BY ${other} CASCADE; DROP ROLE ${other}`);
});

describe('a project_id that the upgrade found', () => {
  const IN_REPOSITORIES = `
    ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
    UPDATE repositories SET project_id = 'acme' WHERE path <> (SELECT min(path) FROM repositories);`;
  const IN_CHUNKS = `
    ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default';
    ALTER TABLE code_chunks ALTER project_id DROP DEFAULT;`;
  const IN_BOTH = `${IN_REPOSITORIES} ${IN_CHUNKS}
    UPDATE code_chunks SET project_id = repository.project_id
    FROM code_files AS file JOIN repositories AS repository ON repository.id = repository_id WHERE file.id = code_file_id;`;

  /** How it was there → the SQL that brings it. */
  const FOUND = {
    'in both tables': IN_BOTH,
    'in repositories': IN_REPOSITORIES,
    'in code_chunks': IN_CHUNKS,
    'with a comment, privileges, a view and columns behind it': `${IN_BOTH}
      COMMENT ON COLUMN repositories.project_id IS 'who pays';
      GRANT SELECT (project_id) ON code_chunks TO PUBLIC;
      CREATE VIEW payers AS SELECT id, project_id FROM repositories;
      ALTER TABLE repositories ADD note text DEFAULT 'n'`,
    'under triggers that fire at COMMIT': `${IN_BOTH} ${LATE_TRIGGERS}`,
    'in chunks with partitions': `
      DROP TABLE embeddings, code_chunks;
      CREATE TABLE code_chunks (code_file_id uuid NOT NULL REFERENCES code_files, project_id varchar(50) NOT NULL)
        PARTITION BY HASH (code_file_id);
      CREATE TABLE even_chunks PARTITION OF code_chunks FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE odd_chunks PARTITION OF code_chunks FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO code_chunks SELECT id, 'default' FROM code_files`,
  };

  const everything = async () => ({ contents: await contentsOf(db), dumped: await pgDump(db.settings) });
  const projects = () =>
    db
      .query('SELECT path, project_id FROM repositories ORDER BY path COLLATE "C"')
      .then((rows) => rows.map((row) => row.project_id));
  const WARNING = `Values of project_id other than 'default' dropped. Restore from backup if needed.`;

  test.each(Object.entries(FOUND))('a project_id %s comes back as it was, twice', async (_, sql) => {
    await db.query(sql);
    const before = await everything();
    for (let time = 0; time < 2; time++) {
      const upgraded = await up();
      expect(upgraded.steps.flatMap((step) => step.rewritten)).toEqual([]);
      expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
      const downgraded = await down();
      expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
      expect(downgraded.steps.flatMap((step) => step.rewritten)).toEqual([]);
      expect(notices(downgraded)).not.toContain(WARNING);
      expect(await everything()).toEqual(before);
    }
  });

  test('a project_id that the upgrade found in both tables costs no row a write', async () => {
    await db.query(IN_BOTH);
    expect((await up()).rows).toEqual([]);
    expect((await down()).rows).toEqual([]);
  });

  test('a project_id that the upgrade found keeps the values that it got after the upgrade, and the rows that came then', async () => {
    await db.query(IN_BOTH);
    await up();
    await db.query(`
      UPDATE repositories SET project_id = 'later', indexed_at = now() WHERE project_id = 'default';
      INSERT INTO repositories (path, indexed_at, project_id) VALUES ('~new', now(), 'new')`);
    const before = await projects();
    await down();
    expect(await projects()).toEqual(before);
  });

  test('a project_id that the upgrade found is kept by a downgrade after finalize', async () => {
    await db.query(IN_BOTH);
    const before = await projects();
    await up();
    await finalize(migratorOn(db));
    expect(notices(await down())).not.toContain(WARNING);
    expect(await projects()).toEqual(before);
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
  });

  test('a project_id that the upgrade found, and that is gone by now, is forgotten: the next downgrade drops its successor', async () => {
    const before = await contentsOf(db);
    await db.query(IN_BOTH);
    await up();
    await down();
    await db.query('ALTER TABLE repositories DROP project_id; ALTER TABLE code_chunks DROP project_id');
    await up();
    await down();
    expect(await contentsOf(db)).toEqual(before);
  });

  test('a project_id that the upgrade found does not hinder a downgrade to base', async () => {
    await db.query(`${IN_BOTH} ${LATE_TRIGGERS}`);
    await up();
    await downgrade(migratorOn(db), 'base');
    expect(Object.keys((await contentsOf(db)).rows).filter((table) => table.startsWith('public.'))).toEqual([
      'public.alembic_version',
    ]);
  });

  test('a project_id without its constraint is not taken for the work of 002: the downgrade keeps its values', async () => {
    await up();
    await db.query(`
      ALTER TABLE repositories DROP CONSTRAINT check_repositories_project_id;
      UPDATE repositories SET project_id = 'acme'`);
    const before = await projects();
    expect(notices(await down())).toContain(
      'Column project_id of repositories kept, revision 002 did not add it',
    );
    expect(await projects()).toEqual(before);
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
  });
});

describe('where some of the nine are absent', () => {
  test('the upgrade retires the others, and the downgrade brings all nine', async () => {
    await db.query('DROP TABLE work_item_dependencies, archived_work_items');
    const upgraded = await up();
    expect(notices(upgraded)).toContain('7 tables retired to retired_002');
    const downgraded = await down();
    expect(downgraded.restored).toHaveLength(7);
    expect(downgraded.created).toEqual(['public.archived_work_items', 'public.work_item_dependencies']);
    expect(await validate(migratorOn(db), 'after-downgrade')).toMatchObject({ passed: true });
  });

  test('the downgrade of a database that lost all nine brings the schema of 005', async () => {
    const whole = await makeDatabase('at005');
    await db.query(
      'DROP TABLE work_item_dependencies, archived_work_items, work_item_deployment_links, vendor_deployment_links, future_enhancements, project_configuration, deployment_events, vendor_extractors, tasks',
    );
    const upgraded = await up();
    expect(notices(upgraded)).toContain('0 tables retired to retired_002');
    await down();
    expect((await contentsOf(db)).schemas).toEqual((await contentsOf(whole)).schemas);
    await whole.drop();
  });
});

describe('finalize', () => {
  test('names every object outside retired_002 that CASCADE takes along, and nothing else', async () => {
    await db.query(`
      CREATE TABLE comments (id serial PRIMARY KEY, task_id uuid CONSTRAINT comments_task REFERENCES tasks);
      CREATE VIEW open_tasks AS SELECT id FROM tasks;
      CREATE VIEW loud AS SELECT id FROM open_tasks;
      CREATE VIEW unrelated AS SELECT id FROM comments;
      CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM tasks;
      CREATE FUNCTION of_task(tasks) RETURNS text LANGUAGE sql AS 'SELECT $1.title';
      CREATE FUNCTION next_configuration() RETURNS bigint LANGUAGE sql
        BEGIN ATOMIC SELECT nextval('project_configuration_id_seq'); END;
      CREATE TABLE numbered (id integer DEFAULT nextval('project_configuration_id_seq'));
      CREATE POLICY by_task ON comments USING (EXISTS (SELECT FROM tasks WHERE id = task_id))`);
    await up();
    const before = await publicObjects();
    const report = await finalize(migratorOn(db));
    const after = new Set(await publicObjects());
    const named = namedIn(report);
    expect(named.sort()).toEqual(before.filter((object) => !after.has(object)).sort());
    expect(named).toContain('view public.loud');
  });

  test('names no object if no other object depends on the nine', async () => {
    await up();
    const report = await finalize(migratorOn(db));
    expect(namedIn(report)).toEqual([]);
    expect(report.dropped).toHaveLength(9);
  });

  /** As finalize names them: relations, defaults, functions, policies and foreign keys of schema public. */
  async function publicObjects(): Promise<string[]> {
    const rows = await db.query(`
      WITH relation AS (
        SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      ), object (classid, objid, part) AS (
        SELECT 'pg_class'::regclass, oid, 0 FROM relation
        UNION ALL
        SELECT 'pg_attrdef', pg_attrdef.oid, 0 FROM pg_attrdef JOIN relation ON relation.oid = adrelid
        WHERE adrelid = 'numbered'::regclass
        UNION ALL
        SELECT 'pg_policy', pg_policy.oid, 0 FROM pg_policy JOIN relation ON relation.oid = polrelid
        UNION ALL
        SELECT 'pg_constraint', pg_constraint.oid, 0 FROM pg_constraint JOIN relation ON relation.oid = conrelid
        WHERE contype = 'f'
        UNION ALL
        SELECT 'pg_proc', oid, 0 FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      )
      SELECT concat(CASE type WHEN 'table constraint' THEN 'foreign key' ELSE type END, ' ', identity) AS name
      FROM object CROSS JOIN LATERAL pg_identify_object(classid, objid, part)`);
    return rows.map((row) => row.name);
  }
});
