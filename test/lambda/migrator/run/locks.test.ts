// Locks are foreseen: taken up front if a statement will take them anyway, and reported if nothing foresaw them.
import { plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { describeEvent } from '../../../../lambda/migrator/model/describe.ts';
import { readDatabase } from '../../../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../../../lib/paths.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft, reader } from '../../../setup/revisions.ts';
import { expectNothingLeft } from '../../../setup/sessions.ts';

let database: TestDatabase;
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const on = (...drafts: RevisionDraft[]) => migratorOn(database, { database: databaseOf(...drafts) });
const warnings = ({ events }: ReturnType<typeof migratorOn>) =>
  events.filter(({ type }) => type === 'unforeseen' || type === 'unknown table').map(describeEvent);

describe('of any revision', () => {
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
    await database.query(`
      CREATE TABLE one (id integer PRIMARY KEY, two text);
      CREATE TABLE two (id integer PRIMARY KEY, one integer REFERENCES one);
      CREATE TABLE parted (id integer) PARTITION BY LIST (id);
      CREATE TABLE parted_1 PARTITION OF parted DEFAULT;
      CREATE VIEW seen AS SELECT two FROM one;
      CREATE FUNCTION change() RETURNS void LANGUAGE sql AS 'ALTER TABLE one ADD extra integer';`);
  });

  test.each([
    ['ALTER TABLE', 'ALTER TABLE one ADD a integer;', ['one']],
    ['a partitioned table', 'ALTER TABLE parted ADD a integer;', ['parted', 'parted_1']],
    ['DROP and what it refers to', 'DROP TABLE two;', ['one', 'two']],
    ['a view is not', 'DROP VIEW seen;', []],
    ['a weaker lock is not', 'CREATE INDEX ON one (two);', []],
    ['a table of the run is not', 'CREATE TABLE three (); ALTER TABLE three ADD a integer;', []],
  ])('locked up front: %s', async (_what, sql, tables) => {
    const options = on({ id: '001', upgrade: ['SELECT 1;', sql] });
    const { steps, exclusiveMs } = await upgrade(options, 'head');
    const locked = Object.keys(exclusiveMs).filter((name) => tables.includes(name.replace('public.', '')));
    expect(locked.map((name) => name.replace('public.', '')).sort()).toEqual(tables);
    const late = steps.flatMap(({ locks }) => locks).filter(({ mode }) => mode === 'AccessExclusiveLock');
    expect(late.filter(({ relation }) => tables.includes(relation.replace('public.', '')))).toEqual([]);
    expect(warnings(options)).toEqual([]);
  });

  test('a table that the user may not lock is locked by the statement alone', async () => {
    await database.query(`REVOKE ALL ON one FROM "${database.settings.user}"`);
    const options = on({ id: '001', upgrade: ['ALTER TABLE one ADD a integer;'] });
    expect((await upgrade(options, 'head')).steps[0]?.locks).toEqual([
      { relation: 'public.one', mode: 'AccessExclusiveLock' },
    ]);
    expect(warnings(options)).toEqual([]);
  });

  test.each([
    ['a DO block', 'DO $$ BEGIN ALTER TABLE one ADD a integer; END $$;', 'AccessExclusiveLock'],
    ['a function', 'SELECT change();', 'AccessExclusiveLock'],
    ['EXECUTE', "DO $$ BEGIN EXECUTE 'CREATE INDEX ON one (two)'; END $$;", 'ShareLock'],
    ['LOCK in a block', 'DO $$ BEGIN LOCK one IN EXCLUSIVE MODE; END $$;', 'ExclusiveLock'],
    [
      'a stronger lock than a statement shows',
      'CREATE INDEX ON one (two); DO $$ BEGIN ALTER TABLE one ADD a integer; END $$;',
      'AccessExclusiveLock',
    ],
  ])('a lock that nothing foresaw is in event, report and history: %s', async (_what, sql, mode) => {
    const options = on({ id: '001', upgrade: [sql] });
    const unforeseen = [{ relation: 'public.one', mode }];
    expect(await upgrade(options, 'head')).toMatchObject({ unforeseen });
    expect(warnings(options)).toEqual([
      `The run locked public.one in ${mode}, which its statements do not show: name it in "Locks:"`,
    ]);
    expect(await database.query("SELECT report -> 'unforeseen' AS unforeseen FROM backstop.history")).toEqual(
      [{ unforeseen }],
    );
  });

  test.each([
    ['the header names it', { locks: 'public.one', upgrade: ['SELECT change();'] }],
    ['it keeps no one from writing', { upgrade: ["DO $$ BEGIN UPDATE one SET two = 'x'; END $$;"] }],
    ['the run made it', { upgrade: ['DO $$ BEGIN CREATE TABLE three (); DROP TABLE three; END $$;'] }],
    [
      'the header names its parent',
      { locks: 'parted', upgrade: ['DO $$ BEGIN DELETE FROM parted_1; END $$;'] },
    ],
  ])('a lock is not reported if %s', async (_why, draft) => {
    const options = on({ id: '001', ...draft });
    expect(await upgrade(options, 'head')).not.toHaveProperty('unforeseen');
    expect(warnings(options)).toEqual([]);
  });

  test('a name in a header that is no table is reported by plan and upgrade', async () => {
    const draft = { id: '001', locks: 'public.oen, public.one, public.three, public.seen' };
    const options = on({ ...draft, upgrade: ['CREATE TABLE three ();'] });
    await plan(options, 'upgrade', 'head');
    await upgrade(options, 'head');
    const line = 'The header of 001 names public.oen, public.seen, but there is no such table';
    expect(warnings(options)).toEqual([line, line]);
  });

  test('a name in a header that an earlier revision of the run makes is not reported', async () => {
    const options = on(
      { id: '001', upgrade: ['CREATE TABLE three (); ALTER TABLE three RENAME TO four;'] },
      { id: '002', revises: '001', locks: 'four', upgrade: ['ALTER TABLE four ADD id integer;'] },
    );
    await upgrade(options, 'head');
    expect(warnings(options)).toEqual([]);
  });
});

describe('the bundled revisions show all their locks, and name only tables:', () => {
  test('codebase_mcp, up, down, and finalized', async () => {
    database = await makeDatabase('empty');
    const options = migratorOn(database, { database: codebaseMcp });
    await upgrade(options, 'head');
    await downgrade(options, 'base');
    await upgrade(options, 'head');
    await finalize(options);
    expect(warnings(options)).toEqual([]);
  });

  test.each(['socrates_auth', 'socrates_specs'])('%s, one by one, and down', async (name) => {
    database = await makeDatabase('empty', { extension: false });
    const options = migratorOn(database, { database: readDatabase(MIGRATIONS, name, reader) });
    for (const _ of options.database.chain.revisions) await upgrade(options, '+1');
    await downgrade(options, 'base');
    expect(warnings(options)).toEqual([]);
  });
});
