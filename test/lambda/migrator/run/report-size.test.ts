// Runs that say or do very much: their reports stay small, and the history has all of it if it is asked to.
import { log } from '../../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { describeEvent } from '../../../../lambda/migrator/model/describe.ts';
import type { Database } from '../../../../lambda/migrator/revisions/databases.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const loop = (count: number, body: string) => `DO $$BEGIN FOR i IN 1..${count} LOOP ${body} END LOOP; END$$;`;
const sizeOf = (report: object) => Buffer.byteLength(JSON.stringify(report));
const historySize = async () => {
  const [row] = await database.query('SELECT octet_length(report::text) AS bytes FROM backstop.history');
  return row?.bytes as number;
};

test.each<[what: string, steps: string[], expected: object]>([
  [
    'notices',
    [loop(20_000, "RAISE NOTICE 'row % is already right', i;")],
    { steps: [{ omitted: { notices: 19_900 } }] },
  ],
  [
    'notices with long texts',
    [loop(200, "RAISE WARNING '%', repeat('ü', 100000);")],
    { steps: [{ omitted: { notices: expect.any(Number) } }] },
  ],
  ['steps', Array.from({ length: 300 }, () => 'SELECT 1;'), { omitted: { steps: 200 } }],
  [
    'tables',
    [
      loop(400, "EXECUTE format('CREATE TABLE t_%s (id integer)', i);"),
      loop(400, "EXECUTE format('INSERT INTO t_%s VALUES (1)', i);"),
    ],
    { omitted: { created: 301, rows: 300, exclusiveMs: 300 }, rowsWritten: 400 },
  ],
])(
  'a run of very many %s has a report below 100 KB, and so has the history',
  async (_what, steps, expected) => {
    const migrator = migratorOn(database, { database: databaseOf({ id: '001', upgrade: steps }) });
    const report = await upgrade(migrator, 'head');
    expect(report).toMatchObject(expected);
    expect(sizeOf(report)).toBeLessThan(100_000);
    expect(await historySize()).toBeLessThan(120_000);
    const [run] = await log(migrator, 1);
    expect(run?.report).toMatchObject({ outcome: 'upgraded' });
  },
);

test('the first and the last notices are printed, and how many are between', async () => {
  const sql = loop(3_000, "RAISE NOTICE 'row %', i;");
  const migrator = migratorOn(database, { database: databaseOf({ id: '001', upgrade: [sql] }) });
  await upgrade(migrator, 'head');
  const lines = migrator.events.map(describeEvent).filter((line) => /row|more/.test(line));
  expect(lines).toHaveLength(101);
  expect(lines.slice(49, 52)).toEqual(['NOTICE: row 50', '… and 2,900 more', 'NOTICE: row 2951']);
});

test('the history has all of it if databases.json asks for it, and the report that is returned stays small', async () => {
  const { definition, chain } = databaseOf({
    id: '001',
    upgrade: [loop(3_000, "RAISE NOTICE 'row %', i;")],
  });
  const whole: Database = { definition: { ...definition, history: 'whole' }, chain };
  const migrator = migratorOn(database, { database: whole });
  const report = await upgrade(migrator, 'head');
  const [row] = await database.query(
    "SELECT jsonb_array_length(report #> '{steps,0,notices}') AS notices FROM backstop.history",
  );
  expect(row).toEqual({ notices: 3_000 });
  expect(report.steps[0]).toMatchObject({ omitted: { notices: 2_900 } });
  expect((await log(migrator, 1))[0]?.report).toMatchObject({ steps: [{ omitted: { notices: 2_900 } }] });
});

test('an error of megabytes is cut', async () => {
  const sql =
    "DO $$BEGIN RAISE EXCEPTION '%', repeat('x', 3000000) USING HINT = repeat('y', 3000000); END$$;";
  const migrator = migratorOn(database, { database: databaseOf({ id: '001', upgrade: [sql] }) });
  const error = await upgrade(migrator, 'head').catch((reason: unknown) => reason as Error);
  expect(error).toMatchObject({ name: 'MigrationRefused' });
  expect((error as Error).message.length).toBeLessThan(20_000);
  expect(await historySize()).toBeLessThan(20_000);
});
