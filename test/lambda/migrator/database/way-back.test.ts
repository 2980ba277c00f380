// The way back, asked before it is taken: rows and values that the statements would drop are counted, objects in the way are named.
import { validate } from '../../../../lambda/migrator/inspect.ts';
import { lossOfDowngrade } from '../../../../lambda/migrator/loss.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('empty', { extension: false });
});
afterEach(() => db.drop());

/** A database with a table `kept` at the revision. */
async function at(draft: Omit<RevisionDraft, 'id'>) {
  await db.query('CREATE TABLE kept (id integer PRIMARY KEY); INSERT INTO kept SELECT generate_series(1, 5)');
  const options = migratorOn(db, { database: databaseOf({ id: '001', ...draft }) });
  await upgrade(options, '001');
  return options;
}

/** A line for each row of the engine's own checks before the downgrade. */
async function losses(options: Awaited<ReturnType<typeof at>>): Promise<string[]> {
  const { found } = await lossOfDowngrade(options, 'base');
  return found.flatMap(({ id, rows }) => rows.map((row) => [id, ...Object.values(row)].join(' '))).sort();
}

const LOSSES: Readonly<Record<string, { up: string; rows: string; down: string; lost: string[] }>> = {
  'a table': {
    up: 'CREATE TABLE made (n int);',
    rows: 'INSERT INTO made VALUES (1), (2)',
    down: 'DROP TABLE made;',
    lost: ['V0.4 public.made 2'],
  },
  'a table without rows': { up: 'CREATE TABLE made (n int);', rows: '', down: 'DROP TABLE made;', lost: [] },
  'a table that the downgrade renames first': {
    up: 'CREATE TABLE made (n int);',
    rows: 'INSERT INTO made VALUES (1)',
    down: 'ALTER TABLE made RENAME TO other; DROP TABLE other;',
    lost: ['V0.4 public.made 1'],
  },
  'a partitioned table': {
    up: `CREATE TABLE made (n int) PARTITION BY LIST (n);
      CREATE TABLE made_1 PARTITION OF made FOR VALUES IN (1); CREATE TABLE made_2 PARTITION OF made DEFAULT;`,
    rows: 'INSERT INTO made VALUES (1), (2), (3)',
    down: 'DROP TABLE made;',
    lost: ['V0.4 public.made_1 1', 'V0.4 public.made_2 2'],
  },
  'a partition': {
    up: `CREATE TABLE made (n int) PARTITION BY LIST (n); CREATE TABLE made_2 PARTITION OF made DEFAULT;`,
    rows: 'INSERT INTO made VALUES (2)',
    down: 'DROP TABLE made_2; DROP TABLE made;',
    lost: ['V0.4 public.made_2 1'],
  },
  'a table and its child tables': {
    up: 'CREATE TABLE made (n int); CREATE TABLE child () INHERITS (made);',
    rows: 'INSERT INTO child VALUES (1)',
    down: 'DROP TABLE made CASCADE;',
    lost: ['V0.4 public.child 1'],
  },
  'a schema with its tables': {
    up: 'CREATE SCHEMA made; CREATE TABLE made.one (n int);',
    rows: 'INSERT INTO made.one VALUES (1)',
    down: 'DROP SCHEMA made CASCADE;',
    lost: ['V0.4 made.one 1'],
  },
  'a materialized view': {
    up: 'CREATE MATERIALIZED VIEW made AS SELECT id FROM kept;',
    rows: '',
    down: 'DROP MATERIALIZED VIEW made;',
    lost: ['V0.4 public.made 5'],
  },
  'a column': {
    up: 'ALTER TABLE kept ADD made text;',
    rows: `UPDATE kept SET made = 'secret' WHERE id < 3`,
    down: 'ALTER TABLE kept DROP COLUMN made;',
    lost: ['V0.4 public.kept made 2'],
  },
  'a column with a default, but not the default': {
    up: `ALTER TABLE kept ADD made varchar(9) NOT NULL DEFAULT 'it''s';`,
    rows: `UPDATE kept SET made = 'other' WHERE id = 1; UPDATE kept SET made = 'it''s' WHERE id = 2`,
    down: 'ALTER TABLE kept DROP COLUMN made;',
    lost: ['V0.4 public.kept made 1'],
  },
  'a column whose default is gone since, but not the values that it had then': {
    up: `ALTER TABLE kept ADD made int NOT NULL DEFAULT 7; ALTER TABLE kept ALTER made DROP DEFAULT;`,
    rows: 'INSERT INTO kept VALUES (6, 7), (8, 8)',
    down: 'ALTER TABLE kept DROP COLUMN made;',
    lost: ['V0.4 public.kept made 1'],
  },
  'a column of a type without equality': {
    up: `ALTER TABLE kept ADD made json DEFAULT '{}', ADD place point;`,
    rows: `UPDATE kept SET made = '[]', place = '(1,2)' WHERE id = 1`,
    down: 'ALTER TABLE kept DROP COLUMN made, DROP place;',
    lost: ['V0.4 public.kept made 1', 'V0.4 public.kept place 1'],
  },
  'a column of child tables': {
    up: 'CREATE TABLE child () INHERITS (kept); ALTER TABLE kept ADD made int;',
    rows: 'INSERT INTO child VALUES (1, 1)',
    down: 'ALTER TABLE kept DROP COLUMN made;',
    lost: ['V0.4 public.child made 1'],
  },
  'not a generated column': {
    up: 'ALTER TABLE kept ADD made int GENERATED ALWAYS AS (id * 2) STORED;',
    rows: '',
    down: 'ALTER TABLE kept DROP COLUMN made;',
    lost: [],
  },
  'not a column whose type changes': {
    up: 'ALTER TABLE kept ALTER id TYPE bigint;',
    rows: '',
    down: 'ALTER TABLE kept ALTER id TYPE int;',
    lost: [],
  },
  'columns of a type': {
    up: `CREATE TYPE made AS ENUM ('a'); ALTER TABLE kept ADD used made;`,
    rows: `UPDATE kept SET used = 'a' WHERE id = 1`,
    down: 'DROP TYPE made CASCADE;',
    lost: ['V0.4 public.kept used 1'],
  },
  'rows that TRUNCATE takes': {
    up: 'SELECT 1;',
    rows: '',
    down: 'TRUNCATE kept;',
    lost: ['V0.4 public.kept 5'],
  },
  'rows of tables that TRUNCATE takes by CASCADE': {
    up: 'CREATE TABLE made (id int REFERENCES kept);',
    rows: 'INSERT INTO made VALUES (1)',
    down: 'TRUNCATE kept CASCADE;',
    lost: ['V0.4 public.kept 5', 'V0.4 public.made 1'],
  },
  'rows that DELETE takes, by its condition': {
    up: 'SELECT 1;',
    rows: '',
    down: 'DELETE FROM kept WHERE id > 3;',
    lost: ['V0.4 public.kept 2'],
  },
  'all rows, if the condition of DELETE is beyond a question': {
    up: 'SELECT 1;',
    rows: '',
    down: 'DELETE FROM kept USING pg_class WHERE id = relpages;',
    lost: ['V0.4 public.kept 5'],
  },
};

describe('a downgrade loses', () => {
  test.each(Object.entries(LOSSES))('%s', async (_, { up, rows, down, lost }) => {
    const options = await at({ upgrade: [up], downgrade: [down] });
    await db.query(rows);
    expect(await losses(options)).toEqual(lost);
    await downgrade(options, 'base');
  });

  test('rows that row-level security hides: their number is not known', async () => {
    const options = await at({ upgrade: ['CREATE TABLE made (n int);'], downgrade: ['DROP TABLE made;'] });
    await db.query('ALTER TABLE made ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    expect(await losses(options)).toEqual(['V0.4 public.made not known']);
  });

  test('only tables that its own checks do not name', async () => {
    const options = await at({
      upgrade: ['CREATE TABLE made (n int); CREATE TABLE other (n int);'],
      downgrade: ['DROP TABLE made; DROP TABLE other;'],
      checks: { 'before-downgrade': ['SELECT count(*) AS the_other FROM public.made HAVING count(*) > 1'] },
    });
    await db.query('INSERT INTO made VALUES (1); INSERT INTO other VALUES (1)');
    expect(await losses(options)).toEqual(['V0.4 public.other 1']);
    const { passed, checks } = await validate(options, 'before-downgrade');
    expect([passed, checks.map(({ id }) => id)]).toEqual([false, ['V1.1', 'V0.4']]);
  });
});

describe('in the way of a downgrade', () => {
  const COLUMN = {
    upgrade: ['ALTER TABLE kept ADD made int;'],
    downgrade: ['ALTER TABLE kept DROP COLUMN made;'],
  };
  const TABLE = { upgrade: ['CREATE TABLE made (n int PRIMARY KEY);'], downgrade: ['DROP TABLE made;'] };

  test.each([
    [
      'a view of a column',
      COLUMN,
      'CREATE VIEW seen AS SELECT made FROM kept',
      'view public.seen fails DROP VIEW public.seen;',
    ],
    [
      'a materialized view of a table',
      TABLE,
      'CREATE MATERIALIZED VIEW seen AS SELECT n FROM made',
      'materialized view public.seen fails DROP MATERIALIZED VIEW public.seen;',
    ],
    [
      'a foreign key',
      TABLE,
      'CREATE TABLE child (n int CONSTRAINT "A key" REFERENCES made)',
      'foreign key A key of public.child fails ALTER TABLE public.child DROP CONSTRAINT "A key";',
    ],
    [
      'a child table',
      TABLE,
      'CREATE TABLE child () INHERITS (made)',
      'child table public.child fails ALTER TABLE public.child NO INHERIT public.made;',
    ],
  ])('%s is named with its remedy, which works', async (_, draft, sql, line) => {
    const options = await at(draft);
    await db.query(sql);
    expect(await losses(options)).toEqual([`V0.5 ${line}`]);
    await expect(downgrade(options, 'base', { lossless: true })).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: 'Other objects depend on what a downgrade drops',
    });
    await expect(downgrade(options, 'base')).rejects.toMatchObject({ name: 'MigrationFailed' });
    await db.query(line.slice(line.indexOf('fails ') + 6));
    expect(await losses(options)).toEqual([]);
    await downgrade(options, 'base', { lossless: true });
  });

  test('views that go with a CASCADE are named, and views of these views, but no view of the revision itself', async () => {
    const options = await at({
      upgrade: ['CREATE TABLE made (n int);', 'CREATE VIEW own AS SELECT n FROM made;'],
      downgrade: ['DROP TABLE made CASCADE;'],
    });
    await db.query('CREATE VIEW seen AS SELECT n FROM made; CREATE VIEW seen_twice AS SELECT n FROM seen');
    expect(await losses(options)).toEqual([
      'V0.5 view public.seen drops it DROP VIEW public.seen;',
      'V0.5 view public.seen_twice drops it DROP VIEW public.seen_twice;',
    ]);
  });

  test('is nothing that the downgrade drops itself', async () => {
    const options = await at({
      upgrade: [
        'CREATE TABLE made (n int PRIMARY KEY); CREATE TABLE child (n int REFERENCES made); CREATE VIEW own AS SELECT n FROM made;',
      ],
      downgrade: ['DROP VIEW own; DROP TABLE child; DROP TABLE made;'],
    });
    expect(await losses(options)).toEqual([]);
    await downgrade(options, 'base', { lossless: true });
  });
});

describe('an automatic downgrade', () => {
  const SEEDED = {
    upgrade: ['CREATE TABLE made (n int);', 'INSERT INTO made VALUES (1);'],
    downgrade: ['DROP TABLE made;'],
  };

  test('takes back the rows that the upgrade itself has written', async () => {
    const options = await at(SEEDED);
    expect(await losses(options)).toEqual(['V0.4 public.made 1']);
    await expect(downgrade(options, 'base', { lossless: true })).resolves.toMatchObject({
      outcome: 'downgraded',
    });
  });

  test('refuses if there is a row more', async () => {
    const options = await at(SEEDED);
    await db.query('INSERT INTO made VALUES (2)');
    await expect(downgrade(options, 'base', { lossless: true })).rejects.toMatchObject({
      summary: 'A downgrade would lose data written since the upgrade',
      detail: expect.stringContaining('{"table_name":"public.made","rows":1}'),
    });
  });

  test.each([
    ['the engine asks', {}],
    [
      'a check of the revision asks',
      { checks: { 'before-downgrade': ['SELECT count(*) AS lost FROM public.made HAVING count(*) > 1'] } },
    ],
  ] as const)('refuses a row that comes between the question and the locks: %s', async (_, draft) => {
    const options = await at({ ...SEEDED, ...draft });
    let written = false;
    const connect = async (name: string) => {
      const client = await options.connect(name);
      const send = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
      return Object.assign(client, {
        query: async (...args: unknown[]) => {
          if (String(args[0]).startsWith('LOCK TABLE public.made')) {
            written = true;
            await db.query('INSERT INTO made VALUES (2)');
          }
          return send(...args);
        },
      });
    };
    await expect(downgrade({ ...options, connect }, 'base', { lossless: true })).rejects.toMatchObject({
      summary: 'A downgrade would lose data written since the upgrade',
    });
    expect(written).toBe(true);
    expect(await db.query('SELECT n FROM made ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

test('the question names no value and leaves nothing behind, for a user who may not read the rows too', async () => {
  const options = await at({ upgrade: ['CREATE TABLE made (n text);'], downgrade: ['DROP TABLE made;'] });
  await db.query(`INSERT INTO made VALUES ('secret'); REVOKE ALL ON made FROM "${db.settings.user}"`);
  const { found } = await lossOfDowngrade({ ...options, connect: connectorTo(db.settings) }, 'base');
  expect(JSON.stringify(found)).not.toContain('secret');
  expect(found.map(({ rows }) => rows)).toEqual([[{ table_name: 'public.made', rows: 'not known' }]]);
});
