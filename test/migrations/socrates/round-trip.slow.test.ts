// The two chains up and down: every revision is taken back without a trace, refuses what it must not touch, and
// says what its way back loses.
import type pg from 'pg';
import { validate } from '../../../lambda/migrator/inspect.ts';
import { lossOfDowngrade } from '../../../lambda/migrator/loss.ts';
import { downgrade, stamp, upgrade } from '../../../lambda/migrator/migrator.ts';
import type { TestDatabase } from '../../setup/database.ts';
import {
  CHAINS,
  COLUMNS,
  checksOf,
  findings,
  makeEmpty,
  migrator,
  rolledBack,
  schemaOf,
  socratesAuth,
  TABLES,
} from './databases.ts';

const REVISIONS = CHAINS.flatMap(([, database]) =>
  database.chain.revisions.map(({ id, revises = 'base' }) => [id, revises, database] as const),
);

const made: TestDatabase[] = [];
afterEach(() => Promise.all(made.splice(0).map((db) => db.drop())));

/** A database that is gone when its test has ended. */
async function makeOne(): Promise<TestDatabase> {
  const db = await makeEmpty();
  made.push(db);
  return db;
}

const tablesOf = async (client: pg.Client): Promise<string[]> =>
  (await client.query(`${TABLES} ORDER BY 1`)).rows.map((row) => row.table_name);

test('the chains are as in the guide, each with its branch', () => {
  const lines = CHAINS.map(([, { chain }]) =>
    chain.revisions.map(({ id, branch = '', title }) => `${id} ${branch} ${title}`),
  );
  expect(lines).toEqual([
    ['001 auth Initial auth schema', '002  Admin management'],
    [
      '003 specs Core specification tables',
      '004  Generated content',
      '005  Tracking & analytics',
      '006  Collaboration & sharing',
      '007  API & LLM integration',
      '008  Analytics & search',
      '009  Activity & project management',
    ],
  ]);
});

test.each(REVISIONS)('%s goes up, down to %s and up again without a trace', async (id, parent, database) => {
  const db = await makeOne();
  const options = migrator(db, database);
  if (parent !== 'base') await upgrade(options, parent);
  const below = await schemaOf(db);
  await upgrade(options, id);
  const at = await schemaOf(db);
  expect(at).not.toEqual(below);
  await downgrade(options, parent);
  expect(await schemaOf(db)).toEqual(below);
  expect(await validate(options, 'after-downgrade', parent)).toMatchObject({ revision: id, passed: true });
  await upgrade(options, id);
  expect(await schemaOf(db)).toEqual(at);
  expect(await validate(options, 'after-upgrade', id)).toMatchObject({ revision: id, passed: true });
});

test.each(CHAINS)('base from the head of %s leaves public as it was', async (_, database) => {
  const db = await makeOne();
  const before = await schemaOf(db);
  await upgrade(migrator(db, database), 'head');
  await downgrade(migrator(db, database), 'base');
  expect(await schemaOf(db)).toEqual(before);
});

describe.each(CHAINS)('at the head of %s', (_, database) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await makeEmpty();
    await upgrade(migrator(db, database), 'head');
  });
  afterAll(() => db.drop());

  test('an upgrade changes nothing', async () => {
    const before = await schemaOf(db);
    expect(await upgrade(migrator(db, database), 'head')).toMatchObject({ outcome: 'nothing to do' });
    expect(await schemaOf(db)).toEqual(before);
  });

  test('V0.2 knows every table of the chain', () =>
    rolledBack(db, async (client) => {
      const [rows = [], ...others] = Object.values(
        await findings(client, checksOf(database, 'before-upgrade')),
      );
      expect(rows.map((row) => row.table_name).sort()).toEqual(await tablesOf(client));
      expect(others).toEqual([]);
    }));

  test('V8.1 fails for every table that is still there', () =>
    rolledBack(db, async (client) => {
      const found = await findings(client, checksOf(database, 'after-downgrade'));
      const rows = found['V8.1 the tables of this revision are gone'] ?? [];
      expect(rows.map((row) => row.table_name).sort()).toEqual(await tablesOf(client));
      expect(found['V8.2 the trigger function is gone']).toEqual([{ function_name: 'set_updated_at()' }]);
    }));

  test('V9.1 loses nothing with empty tables', () =>
    rolledBack(db, async (client) => {
      expect(await findings(client, checksOf(database, 'before-downgrade'))).toEqual({});
    }));

  test('V9.1 counts the rows of every table', () =>
    rolledBack(db, async (client) => {
      await fillEveryTable(client);
      const [rows] = Object.values(await findings(client, checksOf(database, 'before-downgrade')));
      const tables = await tablesOf(client);
      const counts = tables.map((table_name) => ({ table_name, rows: '2' }));
      expect(rows?.sort((a, b) => (a.table_name < b.table_name ? -1 : 1))).toEqual(counts);
    }));
});

test.each(CHAINS)(
  'without a version, an upgrade to the head of %s is refused until the database is stamped',
  async (_, database) => {
    const db = await makeOne();
    const options = migrator(db, database);
    await upgrade(options, 'head');
    await db.query('DELETE FROM alembic_version');
    const before = await schemaOf(db);
    for (const { id } of database.chain.revisions) {
      await expect(upgrade(options, 'head')).rejects.toMatchObject({
        name: 'MigrationFailed',
        message: expect.stringMatching(`^Tables of revision ${id} exist already\n`),
        detail: expect.stringMatching(/^Found in schema public: \w+, \w+/),
        hint: `If the database is certainly at revision ${id} already, run: npx backstop stamp ${id} --database ${database.definition.name}`,
      });
      await stamp(options, id);
    }
    expect(await upgrade(options, 'head')).toMatchObject({ outcome: 'nothing to do' });
    expect(await schemaOf(db)).toEqual(before);
  },
);

test.each(CHAINS)('a downgrade of %s stops at what someone else hung on a table', async (_, database) => {
  const db = await makeOne();
  const options = migrator(db, database);
  await upgrade(options, 'head');
  const { table_name } = (await db.query(`${TABLES} ORDER BY 1 LIMIT 1`))[0] as { table_name: string };
  await db.query(`CREATE VIEW watched AS SELECT id FROM ${table_name}`);
  const before = await schemaOf(db);
  await expect(downgrade(options, 'base')).rejects.toMatchObject({ name: 'MigrationFailed' });
  expect(await schemaOf(db)).toEqual(before);
});

test('each revision on the way reports the data that a downgrade would lose', async () => {
  const db = await makeOne();
  const options = migrator(db, socratesAuth);
  await upgrade(options, 'head');
  await db.query(
    `INSERT INTO users (email, hashed_password) VALUES ('one@example.com', ''), ('two@example.com', '')`,
  );
  await db.query(`INSERT INTO admin_roles (name) VALUES ('auditor')`);
  const { found, unforeseen } = await lossOfDowngrade(options, 'base');
  expect(unforeseen).toEqual([]);
  expect(found).toMatchObject([
    { revision: '002', id: 'V9.1', rows: [{ table_name: 'admin_roles', rows: '1' }] },
    { revision: '001', id: 'V9.1', rows: [{ table_name: 'users', rows: '2' }] },
  ]);
});

test.each(CHAINS)('V9.1 does not mind missing tables in %s', async (_, database) => {
  const db = await makeOne();
  await rolledBack(db, async (client) => {
    expect(await findings(client, checksOf(database, 'before-downgrade'))).toEqual({});
  });
});

/** Drops all foreign keys, and inserts two rows into every table, with the least that their columns require. */
async function fillEveryTable(client: pg.Client): Promise<void> {
  await client.query(`
    DO $do$
    DECLARE target record;
    BEGIN
      FOR target IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE contype = 'f' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', target.name, target.conname);
      END LOOP;
      FOR target IN
        SELECT attrelid::regclass AS name, string_agg(quote_ident(column_name), ', ') AS columns,
          string_agg(CASE
            WHEN type = 'uuid' THEN 'gen_random_uuid()'
            WHEN type LIKE 'timestamp%' THEN 'now()'
            WHEN type LIKE 'character varying%' OR type = 'text' THEN format('n::%s', type)
            ELSE '1'
          END, ', ') AS values
        FROM (${COLUMNS}) AS held JOIN pg_attribute USING (attrelid, attnum)
        WHERE column_name = 'id' OR (attnotnull AND NOT atthasdef)
        GROUP BY attrelid
      LOOP
        EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM generate_series(1, 2) AS n', target.name, target.columns, target.values);
      END LOOP;
    END
    $do$`);
}
