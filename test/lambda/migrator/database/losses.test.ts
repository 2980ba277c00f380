// Losses: everything that a run takes away from older tables is counted by its own transaction, and nothing else is.
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import type { RowLoss } from '../../../../lambda/migrator/model/losses.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(`
    CREATE TABLE one (id integer PRIMARY KEY, two text DEFAULT 'x', three integer);
    INSERT INTO one SELECT generate_series(1, 100);
    CREATE TABLE child (four integer) INHERITS (one);
    INSERT INTO child SELECT generate_series(1, 7);
    CREATE TABLE referring (id integer REFERENCES one (id) ON DELETE CASCADE);
    INSERT INTO referring SELECT generate_series(1, 5);
    CREATE TABLE many (id integer) PARTITION BY RANGE (id);
    CREATE TABLE many_1 PARTITION OF many FOR VALUES FROM (0) TO (50);
    CREATE TABLE many_2 PARTITION OF many FOR VALUES FROM (50) TO (1000);
    INSERT INTO many SELECT generate_series(1, 99);
    CREATE TABLE nothing (id integer);
    CREATE SCHEMA other;
    CREATE TABLE other.large AS SELECT generate_series(1, 10050) AS id;
    CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM one;
    CREATE FUNCTION empty_it() RETURNS void LANGUAGE sql AS 'TRUNCATE public.nothing, other.large';`);
});
afterEach(() => database.drop());

async function lossesOf(...steps: string[]): Promise<readonly RowLoss[] | undefined> {
  const draft = { id: '001', upgrade: steps };
  return (await upgrade(migratorOn(database, { database: databaseOf(draft) }), 'head', { allowLoss: true }))
    .losses;
}

const lost = (relation: string, how: RowLoss['how'], count: number | null) => ({ relation, how, count });

beforeEach(() =>
  database.query(`
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE public.referring SET id = id; RETURN NEW; END';
    CREATE TRIGGER touch BEFORE INSERT ON other.large FOR EACH ROW EXECUTE FUNCTION touch()`),
);

describe('named are', () => {
  test.each<[string, readonly string[], readonly RowLoss[]]>([
    ['rows deleted', ['DELETE FROM one WHERE id > 90;'], [lost('public.one', 'deleted', 10)]],
    [
      'a column whose values are converted',
      [
        'ALTER TABLE referring ADD s text; ALTER TABLE referring DROP CONSTRAINT referring_id_fkey;',
        'ALTER TABLE referring ALTER id TYPE numeric(1) USING id % 2;',
      ],
      [lost('public.referring', 'columns converted', 1)],
    ],
    [
      'a column whose values a DO block converts',
      ['DO $$ BEGIN ALTER TABLE ONLY child ALTER four TYPE text USING NULL; END $$;'],
      [lost('public.child', 'columns converted', 1)],
    ],
    [
      'rows that a trigger of another table may have overwritten',
      [`ALTER TABLE referring ADD n integer; UPDATE referring SET n = id; INSERT INTO other.large SELECT 0;`],
      [lost('public.referring', 'updated', 10)],
    ],
    [
      'rows overwritten beside a column that the run itself made',
      [
        'ALTER TABLE referring ADD n integer;',
        'UPDATE referring SET n = id;',
        'UPDATE referring SET id = id;',
      ],
      [lost('public.referring', 'updated', 10)],
    ],
    [
      'rows overwritten by a DO block',
      ['ALTER TABLE referring ADD n integer;', 'DO $$ BEGIN UPDATE referring SET n = id; END $$;'],
      [lost('public.referring', 'updated', 5)],
    ],
    [
      'rows overwritten',
      ["UPDATE ONLY one SET two = 'y' WHERE id > 90;"],
      [lost('public.one', 'updated', 10)],
    ],
    [
      'rows that a foreign key deletes',
      ['DELETE FROM one WHERE id < 3;'],
      [
        lost('public.child', 'deleted', 2),
        lost('public.one', 'deleted', 2),
        lost('public.referring', 'deleted', 2),
      ],
    ],
    [
      'rows of partitions',
      ['DELETE FROM many;'],
      [lost('public.many_1', 'deleted', 49), lost('public.many_2', 'deleted', 50)],
    ],
    ['a table emptied', ['TRUNCATE referring;'], [lost('public.referring', 'emptied', 5)]],
    [
      'a table emptied and filled again',
      ['TRUNCATE referring;', 'INSERT INTO referring SELECT 1;'],
      [lost('public.referring', 'emptied', 5)],
    ],
    [
      'a table emptied by a function',
      ['SELECT empty_it();'],
      [lost('other.large', 'emptied', null), lost('public.nothing', 'emptied', null)],
    ],
    ['a table dropped', ['DROP TABLE referring;'], [lost('public.referring', 'dropped', 5)]],
    ['a large table dropped', ['DROP TABLE other.large;'], [lost('other.large', 'dropped', 10_001)]],
    [
      'a table dropped with its partitions',
      ['DROP TABLE many;'],
      [lost('public.many_1', 'dropped', 49), lost('public.many_2', 'dropped', 50)],
    ],
    ['a partition dropped', ['DROP TABLE many_2;'], [lost('public.many_2', 'dropped', 50)]],
    [
      'a table that a DO block drops',
      ['DO $$ BEGIN DROP TABLE referring; END $$;'],
      [lost('public.referring', 'dropped', null)],
    ],
    [
      'a table that goes with its schema',
      ['DROP SCHEMA other CASCADE;'],
      [lost('other.large', 'dropped', null)],
    ],
    [
      'a child that goes with CASCADE',
      ['DROP TABLE one CASCADE;'],
      [lost('public.child', 'dropped', 7), lost('public.one', 'dropped', 100)],
    ],
    [
      'a column dropped',
      ['ALTER TABLE ONLY referring DROP id;'],
      [lost('public.referring', 'columns dropped', 1)],
    ],
    [
      'columns that a DO block drops',
      ['DO $$ BEGIN ALTER TABLE one DROP two, DROP three; END $$;'],
      [lost('public.child', 'columns dropped', 2), lost('public.one', 'columns dropped', 2)],
    ],
  ])('%s', async (_what, steps, losses) => {
    expect(await lossesOf(...steps)).toEqual(losses);
  });
});

describe('not named are', () => {
  test.each<[string, readonly string[]]>([
    ['rows inserted', ['INSERT INTO one SELECT 1000;']],
    [
      'values of a column that the run itself made',
      [
        'ALTER TABLE referring ADD n integer;',
        'UPDATE referring SET n = id;',
        'ALTER TABLE referring ALTER n SET NOT NULL;',
      ],
    ],
    [
      'a rewritten table',
      ['ALTER TABLE one ADD t uuid DEFAULT gen_random_uuid();', 'ALTER TABLE nothing ALTER id TYPE bigint;'],
    ],
    [
      'a rewritten table to which rows come',
      ['ALTER TABLE referring ADD t uuid DEFAULT gen_random_uuid();', 'INSERT INTO referring SELECT 6;'],
    ],
    ['an empty table dropped', ['DROP TABLE nothing;']],
    [
      'a table that the run itself made',
      ['CREATE TABLE t (id) AS SELECT 1;', 'DELETE FROM t;', 'DROP TABLE t;'],
    ],
    [
      'a column that the run itself made',
      ['ALTER TABLE referring ADD n integer;', 'ALTER TABLE referring DROP n;'],
    ],
    [
      'a table with another name, schema or column name',
      [
        'ALTER TABLE one RENAME TO uno;',
        'ALTER TABLE uno SET SCHEMA other;',
        'ALTER TABLE other.uno RENAME two TO deux;',
      ],
    ],
    [
      'a view, an index, a constraint or a materialized view',
      [
        'REFRESH MATERIALIZED VIEW sums;',
        'DROP MATERIALIZED VIEW sums;',
        'ALTER TABLE referring DROP CONSTRAINT referring_id_fkey;',
      ],
    ],
    ['a partition that is detached', ['ALTER TABLE many DETACH PARTITION many_1;']],
  ])('%s', async (_what, steps) => {
    expect(await lossesOf(...steps)).toBeUndefined();
  });
});

describe('asked for', () => {
  const run = (steps: readonly string[], options = {}) =>
    upgrade(migratorOn(database, { database: databaseOf({ id: '001', upgrade: steps }) }), 'head', options);

  test.each([
    ['a table that holds rows', 'DROP TABLE referring;', 'public.referring: dropped with 5 rows'],
    ['a column that holds values', 'ALTER TABLE one DROP id CASCADE;', 'public.one: 1 column dropped'],
    ['a table emptied', 'TRUNCATE other.large;', 'other.large: emptied with more than 10,000 rows'],
  ])('before anything is locked, if the statements show it: %s', async (_what, sql, detail) => {
    const dead = run(['SELECT 1/0;', sql]);
    await expect(dead).rejects.toMatchObject({
      name: 'WouldLoseData',
      detail: `${detail}\nNothing was changed.`,
    });
  });

  test('before COMMIT, if only the run shows it', async () => {
    const sql = "DO $$ BEGIN DELETE FROM one WHERE id > 95; END $$; UPDATE one SET two = 'y';";
    await expect(run([sql])).rejects.toMatchObject({
      name: 'WouldLoseData',
      detail: 'public.one: 5 rows deleted\nEverything was rolled back.',
    });
  });

  test('not for a column without a value, or an empty table, or a table that the run itself made', async () => {
    const sql =
      'ALTER TABLE ONLY child DROP four; DROP TABLE nothing; CREATE TABLE t AS SELECT 1; DROP TABLE t;';
    await run([sql]);
  });

  test('not of a dry run, which says it', async () => {
    expect(await run(['DROP TABLE referring;'], { dryRun: true })).toMatchObject({
      losses: [lost('public.referring', 'dropped', 5)],
    });
  });
});
