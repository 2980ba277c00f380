// Step 4 of 002, branch by branch: the values of the chunks, how many were updated, and that no table is rewritten.
import type pg from 'pg';
import { validate } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import type { RunReport } from '../../../lambda/migrator/model/report.ts';
import { connectorTo } from '../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { contentsOf, rowsOf } from './contents.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

/** A run, and how often its transaction passes over code_chunks, be it by an index. */
async function run(): Promise<{ report: RunReport; scans: number }> {
  const counts: number[] = [];
  const connect = async (name: string) => {
    const client = await db.connect(name);
    const send = client.query.bind(client) as (...args: unknown[]) => Promise<pg.QueryResult>;
    const query = async (...args: unknown[]) => {
      if (args[0] === 'BEGIN' || args[0] === 'COMMIT') counts.push(await countScans(send));
      return send(...args);
    };
    return Object.assign(client, { query });
  };
  const report = await upgrade(migratorOn({ connect }), '002');
  const [before = 0, after = 0] = counts;
  return { report, scans: after - before };
}

async function countScans(send: (sql: string) => Promise<pg.QueryResult>): Promise<number> {
  const { rows } = await send(`
    SELECT seq_scan + coalesce(idx_scan, 0) AS scans
    FROM pg_stat_xact_user_tables WHERE relid = 'public.code_chunks'::regclass`);
  return Number(rows[0]?.scans ?? 0);
}

/** Gives each of the three repositories a project before the migration. */
const projects = (...names: string[]) => `
  ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
  UPDATE repositories SET project_id = ('{${names.join(',')}}'::text[])[place]
  FROM (SELECT id, row_number() OVER (ORDER BY path) AS place FROM repositories) AS placed
  WHERE placed.id = repositories.id;`;
const DIFFER = projects('acme', 'umbrella', 'umbrella');
/** A project_id that chunks have already, with the value of each one's repository. */
const FOUND = `
  ALTER TABLE code_chunks ADD project_id varchar(50);
  UPDATE code_chunks SET project_id = repository.project_id
  FROM code_files AS file JOIN repositories AS repository ON repository.id = repository_id WHERE file.id = code_file_id;
  ALTER TABLE code_chunks ALTER project_id SET NOT NULL;`;

/** The files of repositories and code_chunks, with their partitions and children, indexes and long values. */
const storage = () =>
  db.query(`
    WITH RECURSIVE heir AS (
      SELECT unnest(ARRAY['repositories', 'code_chunks'])::regclass::oid AS oid
      UNION SELECT inhrelid FROM heir JOIN pg_inherits ON inhparent = heir.oid
    )
    SELECT stored.oid, pg_relation_filenode(stored.oid) AS file FROM heir
    JOIN pg_class AS stored ON stored.oid = heir.oid
      OR stored.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = heir.oid)
      OR stored.oid = (SELECT reltoastrelid FROM pg_class WHERE pg_class.oid = heir.oid)
    ORDER BY stored.oid`);
/** The current version of each chunk, which an UPDATE would replace. */
const versions = async () =>
  (await db.query('SELECT tableoid, ctid, xmin FROM code_chunks')).map((row) => JSON.stringify(row));
const chunksByProject = async () =>
  Object.fromEntries(
    (await db.query('SELECT project_id, count(*)::int AS chunks FROM code_chunks GROUP BY 1')).map((row) => [
      row.project_id,
      row.chunks,
    ]),
  );

interface Branch {
  /** The SQL before 002, in addition to three repositories of twenty chunks each. */
  readonly given: string;
  /** Project → how many chunks must have it. */
  readonly chunks: Readonly<Record<string, number>>;
  /** How many chunks must be updated. */
  readonly updated: number;
  /** How often the transaction must pass over code_chunks: once for the CHECK, once more to look for orphans. */
  readonly scans?: number;
}

const SAME: Branch = { given: '', chunks: { default: 60 }, updated: 0 };
const APART: Branch = { given: DIFFER, chunks: { acme: 20, umbrella: 40 }, updated: 20 };

/** The foreign key of one of the two links between chunk and repository, replaced by another. */
const keyed = (table: 'code_chunks' | 'code_files', reference: string, key: string) => `
  ALTER TABLE ${table} DROP CONSTRAINT ${table}_${reference}_fkey;
  ALTER TABLE ${table} ADD CONSTRAINT ${table}_${reference}_fkey FOREIGN KEY (${reference}) ${key};`;
const unkeyed = (table: 'code_chunks' | 'code_files', reference: string) =>
  `ALTER TABLE ${table} DROP CONSTRAINT ${table}_${reference}_fkey;`;

/** Chunks in a table of another build, each of the six files with ten. */
const rebuilt = (table: string, parts: string) => `
  CREATE TABLE kept AS SELECT id, code_file_id FROM code_chunks;
  DROP TABLE embeddings, code_chunks;
  CREATE TABLE code_chunks (id uuid NOT NULL, code_file_id uuid NOT NULL REFERENCES code_files) ${table};
  ${parts};
  INSERT INTO code_chunks SELECT id, code_file_id FROM kept; DROP TABLE kept;`;
const PARTITIONED = rebuilt(
  'PARTITION BY HASH (code_file_id)',
  `CREATE TABLE even_chunks PARTITION OF code_chunks FOR VALUES WITH (MODULUS 2, REMAINDER 0);
   CREATE TABLE odd_chunks PARTITION OF code_chunks FOR VALUES WITH (MODULUS 2, REMAINDER 1)`,
);

const BRANCHES: Record<string, Branch> = {
  'the column is new, no project was known': { ...SAME, scans: 1 },
  'the column is new, all repositories share a project': {
    given: projects('acme', 'acme', 'acme'),
    chunks: { acme: 60 },
    updated: 0,
    scans: 1,
  },
  'the column is new, repositories differ': APART,
  'the column is new, every repository has a different project': {
    given: projects('one', 'two', 'three'),
    chunks: { one: 20, two: 20, three: 20 },
    updated: 40,
  },
  'the column is there, and right': {
    given: DIFFER + FOUND,
    chunks: APART.chunks,
    updated: 0,
    scans: 2,
  },
  'the column was there once and was dropped': {
    ...SAME,
    given: `ALTER TABLE code_chunks ADD project_id text DEFAULT 'gone', ADD other text DEFAULT 'gone';
      ALTER TABLE code_chunks DROP project_id, DROP other`,
    scans: 1,
  },

  'no foreign key leads from chunks to files': {
    ...SAME,
    given: unkeyed('code_chunks', 'code_file_id'),
    scans: 2,
  },
  'no foreign key leads from files to repositories': {
    ...SAME,
    given: unkeyed('code_files', 'repository_id'),
    scans: 2,
  },
  'no foreign key at all, and repositories differ': {
    ...APART,
    given: DIFFER + unkeyed('code_chunks', 'code_file_id') + unkeyed('code_files', 'repository_id'),
  },
  'the foreign key of chunks is not validated': {
    ...SAME,
    given: keyed('code_chunks', 'code_file_id', 'REFERENCES code_files NOT VALID'),
    scans: 2,
  },
  'the foreign key of files is not validated': {
    ...SAME,
    given: keyed('code_files', 'repository_id', 'REFERENCES repositories NOT VALID'),
    scans: 2,
  },
  'the foreign key is on a column that may be null, and none is': {
    ...SAME,
    given: 'ALTER TABLE code_chunks ALTER code_file_id DROP NOT NULL',
    scans: 2,
  },
  'the foreign keys are checked at COMMIT': {
    ...SAME,
    given:
      keyed('code_chunks', 'code_file_id', 'REFERENCES code_files DEFERRABLE INITIALLY DEFERRED') +
      keyed('code_files', 'repository_id', 'REFERENCES repositories DEFERRABLE INITIALLY DEFERRED'),
    scans: 1,
  },

  'there are no repositories': { given: 'DELETE FROM repositories', chunks: {}, updated: 0, scans: 1 },
  'there are no chunks, and repositories differ': {
    given: `${DIFFER} DELETE FROM code_chunks`,
    chunks: {},
    updated: 0,
  },
  'there are no files': { given: 'DELETE FROM code_files', chunks: {}, updated: 0, scans: 1 },

  'chunks have columns that are generated, and an identity': {
    ...APART,
    given: `${DIFFER}
      ALTER TABLE code_chunks ADD size integer GENERATED ALWAYS AS (length(content)) STORED,
        ADD number bigint GENERATED ALWAYS AS IDENTITY`,
  },
  'a generated column depends on the project_id that was there': {
    given: `${DIFFER} ${FOUND} ALTER TABLE code_chunks ADD label text GENERATED ALWAYS AS (project_id || ':' || start_line) STORED`,
    chunks: APART.chunks,
    updated: 0,
  },
  'row-level security is on, but not for the owner': {
    ...APART,
    given: `${DIFFER} ALTER TABLE code_chunks ENABLE ROW LEVEL SECURITY; ALTER TABLE repositories ENABLE ROW LEVEL SECURITY`,
  },
  'chunks have indexes on an expression, on some rows, and on the column that was there': {
    given: `${DIFFER} ${FOUND}
      CREATE INDEX ON code_chunks (lower(left(content, 100)));
      CREATE INDEX ON code_chunks (start_line) WHERE project_id = 'acme'`,
    chunks: APART.chunks,
    updated: 0,
  },
  'chunks have long values, stored apart': {
    ...APART,
    given: `${DIFFER} ALTER TABLE code_chunks ALTER content SET STORAGE EXTERNAL;
      UPDATE code_chunks SET content = repeat(md5(id::text), 1000)`,
  },
  'chunks lie in partitions': { ...SAME, given: PARTITIONED },
  'chunks lie in partitions, and repositories differ': { ...APART, given: DIFFER + PARTITIONED },
  'some chunks lie in a table that inherits': {
    given: `${DIFFER} CREATE TABLE old_chunks () INHERITS (code_chunks);
      INSERT INTO old_chunks (id, code_file_id, content, start_line, end_line)
      SELECT gen_random_uuid(), code_file_id, content, start_line, end_line FROM ONLY code_chunks`,
    chunks: { acme: 40, umbrella: 80 },
    updated: 40,
  },
};

test.each(Object.entries(BRANCHES))('where %s', async (_, { given, chunks, updated, scans }) => {
  await db.query(given);
  const before = {
    storage: await storage(),
    versions: new Set(await versions()),
    rows: await rowsOf(db, ['project_id', 'label']),
  };
  const result = await run();
  const { rows, steps } = result.report;

  expect(await chunksByProject()).toEqual(chunks);
  expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  const written = rows.filter(({ relation }) => /_chunks$/.test(relation));
  expect(written.reduce((sum, table) => sum + table.updated, 0)).toBe(updated);
  expect((await versions()).filter((version) => !before.versions.has(version))).toHaveLength(updated);
  expect(await storage()).toEqual(expect.arrayContaining(before.storage));
  expect(steps.flatMap((step) => step.rewritten)).toEqual([]);
  expect(await rowsOf(db, ['project_id', 'label'])).toMatchObject(
    Object.fromEntries(Object.entries(before.rows).filter(([table]) => /code_|repositories/.test(table))),
  );
  if (scans !== undefined) expect(result.scans).toBe(scans);
});

test.each([
  ['agree, no trigger fires', '', {}],
  [
    'differ, triggers fire once for each chunk that changes, or once',
    DIFFER,
    { before_row: 20, after_row: 20, at_commit: 20, before_statement: 1, after_statement: 1 },
  ],
])('where repositories %s', async (_, given, expected) => {
  await db.query(`${given}
    CREATE TABLE fired (name text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO public.fired VALUES (TG_NAME); RETURN NEW; END';
    CREATE TRIGGER before_row BEFORE UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER after_row AFTER UPDATE ON code_chunks FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER before_statement BEFORE UPDATE ON code_chunks FOR EACH STATEMENT EXECUTE FUNCTION note();
    CREATE TRIGGER after_statement AFTER UPDATE ON code_chunks
      REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION note();
    CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON code_chunks
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()`);
  await run();
  const fired = await db.query('SELECT name, count(*)::int AS times FROM fired GROUP BY 1');
  expect(Object.fromEntries(fired.map(({ name, times }) => [name, times]))).toEqual(expected);
  expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
});

describe('orphans refuse the run as E2', () => {
  const LONE = `INSERT INTO code_chunks (code_file_id, content, start_line, end_line) VALUES (gen_random_uuid(), '', 1, 1);`;
  const STRAY =
    'UPDATE code_files SET repository_id = gen_random_uuid() WHERE id = (SELECT min(id::text)::uuid FROM code_files);';
  const WITHOUT = unkeyed('code_chunks', 'code_file_id');
  const FILES_WITHOUT = unkeyed('code_files', 'repository_id');

  test.each([
    [
      'the foreign key of files is not validated',
      FILES_WITHOUT +
        STRAY +
        'ALTER TABLE code_files ADD FOREIGN KEY (repository_id) REFERENCES repositories NOT VALID',
      10,
    ],
    [
      'files may lack a repository',
      'ALTER TABLE code_files ALTER repository_id DROP NOT NULL; UPDATE code_files SET repository_id = NULL',
      60,
    ],
    [
      'the column is there, without a foreign key',
      `${WITHOUT} ${LONE} ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      ALTER TABLE code_chunks ALTER project_id DROP DEFAULT`,
      1,
    ],
    [
      'the foreign key leads to another table',
      `${WITHOUT} ${LONE} CREATE TABLE archive (id uuid PRIMARY KEY);
      INSERT INTO archive SELECT DISTINCT code_file_id FROM code_chunks;
      ALTER TABLE code_chunks ADD FOREIGN KEY (code_file_id) REFERENCES archive`,
      1,
    ],
    ['there is no repository at all', `${FILES_WITHOUT} TRUNCATE repositories`, 60],
  ])('where %s', async (_, sql, count) => {
    await db.query(sql);
    await expect(run()).rejects.toMatchObject({
      name: 'OrphanedChunks',
      detail: `${count} rows have NULL project_id (orphaned chunks with no parent repository)`,
    });
  });
});

test('a foreign key that is not enforced proves nothing, on a server that knows of such', async () => {
  const [server] = await db.query(`SELECT current_setting('server_version_num')::integer AS number`);
  if (server?.number < 180_000) return;
  await db.query(`${keyed('code_chunks', 'code_file_id', 'REFERENCES code_files NOT ENFORCED')}
    INSERT INTO code_chunks (code_file_id, content, start_line, end_line) VALUES (gen_random_uuid(), '', 1, 1)`);
  await expect(run()).rejects.toMatchObject({ name: 'OrphanedChunks' });
});

describe('links that no foreign key can prove', () => {
  const verdict = async () =>
    (await validate(migratorOn(db), 'after-upgrade')).checks
      .filter(({ passed }) => !passed)
      .map(({ id }) => id);

  test('an orphan that came past a validated foreign key is found by V5.2', async () => {
    await db.asAdministrator(`SET search_path = public; SET session_replication_role = replica;
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line) VALUES (gen_random_uuid(), '', 1, 1)`);
    expect((await run()).scans).toBe(1);
    expect(await verdict()).toEqual(['V5.2']);
  });

  test('E2: an orphan in a table that inherits, to which no foreign key applies, is refused', async () => {
    await db.query(`CREATE TABLE old_chunks () INHERITS (code_chunks);
      INSERT INTO old_chunks (id, code_file_id, content, start_line, end_line)
      VALUES (gen_random_uuid(), gen_random_uuid(), '', 1, 1)`);
    await expect(run()).rejects.toMatchObject({ name: 'OrphanedChunks' });
  });
});

describe('who runs it', () => {
  const role = () => `${db.name}_runner`;
  /** A run by a separate role, which is a member of the owner. */
  const runAs = async (membership: string) => {
    await db.asAdministrator(
      `CREATE ROLE ${role()} LOGIN PASSWORD 'runner' ${membership}; GRANT ${db.settings.user} TO ${role()}`,
    );
    const connect = connectorTo({ ...db.settings, user: role(), password: 'runner' });
    return upgrade(migratorOn({ connect }), '002');
  };
  const SECURED = `${DIFFER} ALTER TABLE code_chunks ENABLE ROW LEVEL SECURITY; ALTER TABLE repositories ENABLE ROW LEVEL SECURITY`;
  afterEach(() => db.asAdministrator(`DROP OWNED BY ${role()} CASCADE; DROP ROLE ${role()}`));

  test('a member of the owner is let past row-level security, as the owner is', async () => {
    await db.query(SECURED);
    await expect(runAs('INHERIT')).resolves.toMatchObject({ outcome: 'upgraded' });
    expect(await chunksByProject()).toEqual(APART.chunks);
    expect(await validate(migratorOn(db), 'after-upgrade')).toMatchObject({ passed: true });
  });

  test('a member that does not inherit the rights of the owner is refused, without a trace', async () => {
    await db.query(SECURED);
    const before = await contentsOf(db);
    await expect(runAs('NOINHERIT')).rejects.toMatchObject({
      name: 'PrivilegeMissing',
      hint: expect.stringContaining('ON public.alembic_version TO'),
    });
    expect(await contentsOf(db)).toEqual(before);
  });
});
