// The tests of the implementation guide, and the effects of its patterns on rows: both databases at their heads.
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { COLUMNS, makeEmpty, migrator, socratesAuth, socratesSpecs, TABLES } from './databases.ts';

let auth: TestDatabase;
let specs: TestDatabase;
beforeAll(async () => {
  [auth, specs] = await Promise.all([makeEmpty(), makeEmpty()]);
  await Promise.all([
    upgrade(migrator(auth, socratesAuth), 'auth@head'),
    upgrade(migrator(specs, socratesSpecs), 'specs@head'),
  ]);
});
afterAll(() => Promise.all([auth.drop(), specs.drop()]));

/** The one value of the one row. */
async function single(db: TestDatabase, sql: string, values?: unknown[]): Promise<unknown> {
  return Object.values((await db.query(sql, values))[0] ?? {})[0];
}

const count = async (db: TestDatabase, from: string): Promise<number> =>
  Number(await single(db, `SELECT count(*) FROM ${from}`));

const insertUser = (name: string): Promise<unknown> =>
  single(
    auth,
    `INSERT INTO users (email, username, hashed_password, name, surname)
     VALUES ($1, $2, 'hashed_pwd', 'Test', 'User') RETURNING id`,
    [`${name}@example.com`, name],
  );

const insertProject = (userId: unknown): Promise<unknown> =>
  single(
    specs,
    `INSERT INTO projects (user_id, name, description, phase, status)
     VALUES ($1, 'Test Project', 'Test', 'discovery', 'active') RETURNING id`,
    [userId],
  );

describe('the examples of the guide', () => {
  const tablesOf = async (db: TestDatabase) => (await db.query(TABLES)).map((row) => row.table_name);

  test('the tables and columns of the auth database exist', async () => {
    expect(await tablesOf(auth)).toEqual(expect.arrayContaining(['users', 'refresh_tokens', 'admin_roles']));
    const columns = await auth.query(
      `SELECT column_name FROM (${COLUMNS}) AS held WHERE table_name = 'users'`,
    );
    expect(columns.map((row) => row.column_name)).toEqual(
      expect.arrayContaining(['id', 'email', 'hashed_password']),
    );
  });

  test('the core tables of the specs database exist', async () => {
    expect(await tablesOf(specs)).toEqual(
      expect.arrayContaining(['projects', 'sessions', 'questions', 'specifications']),
    );
  });

  test('projects has no foreign key: its user is in the other database', async () => {
    expect(await count(specs, `pg_constraint WHERE conrelid = 'projects'::regclass AND contype = 'f'`)).toBe(
      0,
    );
  });

  test('a user in one database has a project in the other', async () => {
    const userId = await insertUser('testuser');
    await insertProject(userId);
    expect(await auth.query(`SELECT id FROM users WHERE email = 'testuser@example.com'`)).toEqual([
      { id: userId },
    ]);
    expect(await specs.query(`SELECT phase, metadata FROM projects WHERE user_id = $1`, [userId])).toEqual([
      { phase: 'discovery', metadata: {} },
    ]);
  });
});

describe('the contents of the two databases', () => {
  test.each([
    ['tables', TABLES, 5, 24],
    ['columns', COLUMNS, 43, 298],
    [
      'foreign keys that cascade',
      `SELECT FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c'`,
      2,
      14,
    ],
    [
      'foreign keys that restrict',
      `SELECT FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'r'`,
      2,
      0,
    ],
    [
      'foreign keys that set null',
      `SELECT FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'n'`,
      1,
      4,
    ],
    ['foreign keys of any kind', `SELECT FROM pg_constraint WHERE contype = 'f'`, 5, 18],
    [
      'unique constraints',
      `SELECT FROM pg_constraint WHERE contype = 'u' AND connamespace = 'public'::regnamespace`,
      5,
      7,
    ],
    [
      'check constraints',
      `SELECT FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace`,
      2,
      0,
    ],
    [
      'indexes beside those of primary keys and unique constraints',
      `SELECT FROM pg_index JOIN (${TABLES}) AS made ON indrelid = to_regclass(table_name) WHERE NOT indisunique`,
      24,
      166,
    ],
    [
      'references across databases',
      `${COLUMNS} WHERE col_description(attrelid, attnum) ~ 'cross-database'`,
      0,
      16,
    ],
  ])('%s', async (_, sql, inAuth, inSpecs) => {
    expect(await Promise.all([auth, specs].map((db) => count(db, `(${sql}) AS counted`)))).toEqual([
      inAuth,
      inSpecs,
    ]);
  });

  test.each([
    [
      'a table has no comment',
      `SELECT table_name FROM (${TABLES}) AS made WHERE obj_description(to_regclass(table_name), 'pg_class') IS NULL`,
    ],
    ['a column has no comment', `${COLUMNS} WHERE col_description(attrelid, attnum) IS NULL`],
    [
      'two indexes are the same',
      'SELECT indrelid::regclass, indkey FROM pg_index GROUP BY indrelid, indkey, indclass, indpred, indexprs HAVING count(*) > 1',
    ],
    [
      'two columns of one reference differ in type',
      `SELECT conrelid::regclass, conname FROM pg_constraint
       JOIN pg_attribute AS child ON child.attrelid = conrelid AND child.attnum = conkey[1]
       JOIN pg_attribute AS parent ON parent.attrelid = confrelid AND parent.attnum = confkey[1]
       WHERE contype = 'f' AND child.atttypid <> parent.atttypid`,
    ],
  ])('nowhere %s', async (_, sql) => {
    expect(await auth.query(sql)).toEqual([]);
    expect(await specs.query(sql)).toEqual([]);
  });
});

describe('the effects of the patterns on rows', () => {
  const updatedAt = (id: unknown) => single(auth, 'SELECT updated_at FROM users WHERE id = $1', [id]);

  test('updated_at follows a change, whatever the client says', async () => {
    const id = await insertUser('changing');
    const created = await updatedAt(id);
    await auth.query(`UPDATE users SET name = 'Other', updated_at = '2000-01-01Z' WHERE id = $1`, [id]);
    const updated = await updatedAt(id);
    expect((updated as Date).getTime()).toBeGreaterThan((created as Date).getTime());
  });

  test('updated_at stays where an update changes nothing', async () => {
    const id = await insertUser('constant');
    const created = await updatedAt(id);
    await auth.query('UPDATE users SET name = name WHERE id = $1', [id]);
    expect(await updatedAt(id)).toEqual(created);
  });

  test('rows that depend on a project are deleted with it, rows that only mention it stay', async () => {
    const userId = await insertUser('deleting');
    const projectId = await insertProject(userId);
    await specs.query(`INSERT INTO sessions (project_id, user_id) VALUES ('${projectId}', '${userId}')`);
    const [question] = await specs.query(
      `INSERT INTO questions (project_id, text) VALUES ('${projectId}', 'Who uses it?') RETURNING id`,
    );
    await specs.query(`INSERT INTO question_effectiveness (question_id) VALUES ($1)`, [question?.id]);
    await specs.query(
      `INSERT INTO llm_usage_tracking (user_id, project_id, model_name, input_tokens, output_tokens, total_tokens)
       VALUES ('${userId}', '${projectId}', 'model', 1, 1, 2)`,
    );
    await specs.query('DELETE FROM projects WHERE id = $1', [projectId]);
    expect(await count(specs, `sessions WHERE project_id = '${projectId}'`)).toBe(0);
    expect(await count(specs, `questions WHERE project_id = '${projectId}'`)).toBe(0);
    expect(await count(specs, 'question_effectiveness WHERE question_id IS NULL')).toBe(1);
    expect(await count(specs, `llm_usage_tracking WHERE user_id = '${userId}' AND project_id IS NULL`)).toBe(
      1,
    );
  });

  test('a user in the audit log and a granted role cannot be deleted', async () => {
    const adminId = await insertUser('admin');
    const roleId = await single(auth, `INSERT INTO admin_roles (name) VALUES ('auditor') RETURNING id`);
    await auth.query('INSERT INTO admin_users (user_id, role_id) VALUES ($1, $2)', [adminId, roleId]);
    await auth.query(
      `INSERT INTO admin_audit_logs (admin_id, action, resource_type, resource_id) VALUES ($1, 'create', 'user', '1')`,
      [adminId],
    );
    const refusal = { code: expect.stringMatching(/^23(001|503)$/) };
    await expect(auth.query('DELETE FROM users WHERE id = $1', [adminId])).rejects.toMatchObject(refusal);
    await expect(auth.query('DELETE FROM admin_roles WHERE id = $1', [roleId])).rejects.toMatchObject(
      refusal,
    );
  });

  test('a role is granted by a user who may be gone by now', async () => {
    const [granter, holder] = [await insertUser('granter'), await insertUser('holder')];
    const roleId = await single(auth, `INSERT INTO admin_roles (name) VALUES ('helper') RETURNING id`);
    await auth.query('INSERT INTO admin_users (user_id, role_id, granted_by_id) VALUES ($1, $2, $3)', [
      holder,
      roleId,
      granter,
    ]);
    await auth.query('DELETE FROM users WHERE id = $1', [granter]);
    expect(await count(auth, `admin_users WHERE user_id = '${holder}' AND granted_by_id IS NULL`)).toBe(1);
  });

  test.each([
    ['role', 'root'],
    ['status', 'asleep'],
  ])('a user has no %s that the guide does not know', async (column, value) => {
    const id = await insertUser(`user-${column}`);
    await expect(
      auth.query(`UPDATE users SET ${column} = $2 WHERE id = $1`, [id, value]),
    ).rejects.toMatchObject({ code: '23514' });
  });
});
