// The verbs that only read: their results, the loss that they foresee, and that they write nothing.

import { current, inspect, log } from '../../../lambda/migrator/inspect.ts';
import { lossOfDowngrade, lossOfFinalize } from '../../../lambda/migrator/loss.ts';
import { finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import type { Loss } from '../../../lambda/migrator/model/losses.ts';
import { NOT_SHOWN } from '../../../lambda/migrator/model/report.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { databaseOf } from '../../setup/revisions.ts';

const chain = databaseOf(
  {
    id: '001',
    upgrade: ['CREATE TABLE one (n int);'],
    checks: { 'before-downgrade': ['SELECT n AS lost FROM one;', "SELECT 'nothing' AS lost WHERE false;"] },
  },
  {
    id: '002',
    revises: '001',
    upgrade: [
      'CREATE SCHEMA retired_002;',
      'CREATE TABLE retired_002."Odd name" (); CREATE TABLE retired_002.two ();',
    ],
    finalize: ['DROP SCHEMA retired_002 CASCADE;'],
    checks: { 'before-downgrade': ["SELECT 'nothing' AS lost WHERE false;"] },
  },
  { id: '003', revises: '002' },
);

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const options = () => migratorOn(database, { database: chain });
const told = ({ found, unforeseen }: Loss) => ({
  found: found.map(({ revision, violations, rows }) => ({ revision, violations, rows })),
  unforeseen,
});
const NOTHING = { found: [], unforeseen: [] };

test('the current revision, before the first run and after each', async () => {
  expect(await current(options())).toBe('base');
  expect(await inspect(options())).toMatchObject({ from: 'base', to: '003', pending: ['001', '002', '003'] });
  await upgrade(options(), '002');
  expect(await current(options())).toBe('002');
  expect(await inspect(options())).toMatchObject({
    from: '002',
    to: '003',
    pending: ['003'],
    finalizePending: ['002'],
    edited: [],
  });
});

test('the runs, the newest first, as many as are asked for', async () => {
  expect(await log(options(), 5)).toEqual([]);
  await upgrade(options(), '001');
  await upgrade(options(), '002');
  const ends = async (limit: number) => (await log(options(), limit)).map(({ from, to }) => [from, to]);
  expect(await ends(5)).toEqual([
    ['001', '002'],
    ['base', '001'],
  ]);
  expect(await ends(1)).toEqual([['001', '002']]);
  expect(await ends(0)).toEqual([]);
});

describe('a downgrade loses', () => {
  beforeEach(() => upgrade(options(), 'head'));

  test.each([
    ['003', NOTHING],
    ['002', { found: [], unforeseen: ['003'] }],
    ['001', { found: [], unforeseen: ['003'] }],
    [
      'base',
      {
        found: [{ revision: '001', violations: 2, rows: [{ lost: NOT_SHOWN }, { lost: NOT_SHOWN }] }],
        unforeseen: ['003'],
      },
    ],
  ])(
    'to %s the rows that its checks find, and it lists the revisions without a check',
    async (target, loss) => {
      await database.query('INSERT INTO one VALUES (1), (2)');
      expect(told(await lossOfDowngrade(options(), target))).toEqual(loss);
    },
  );

  test('nothing that a target forward could lose: it is refused', async () => {
    await expect(lossOfDowngrade(options(), '+1')).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});

describe('a finalize loses', () => {
  test('nothing if no table is retired, or if the retired tables are empty', async () => {
    expect(told(await lossOfFinalize(options()))).toEqual(NOTHING);
    await upgrade(options(), 'head');
    expect(told(await lossOfFinalize(options()))).toEqual(NOTHING);
    await finalize(options());
    expect(told(await lossOfFinalize(options()))).toEqual(NOTHING);
  });

  test('the rows of the retired tables, whatever they are called', async () => {
    await upgrade(options(), 'head');
    await database.query(
      'INSERT INTO retired_002."Odd name" DEFAULT VALUES; INSERT INTO retired_002.two SELECT FROM generate_series(1, 3)',
    );
    expect(told(await lossOfFinalize(options()))).toEqual({
      found: [
        {
          revision: '002',
          violations: 2,
          rows: [
            { table_name: 'Odd name', rows: '1' },
            { table_name: 'two', rows: '3' },
          ],
        },
      ],
      unforeseen: [],
    });
  });

  test('an unknown number of rows, if the upgrade before it retires them', async () => {
    expect(told(await lossOfFinalize(options(), '001'))).toEqual(NOTHING);
    expect(told(await lossOfFinalize(options(), 'head'))).toEqual({ found: [], unforeseen: ['002'] });
  });
});

test('looking leaves no trace', async () => {
  await current(options());
  await inspect(options());
  await log(options(), 1);
  await lossOfDowngrade(options(), 'base');
  await lossOfFinalize(options(), 'head');
  expect(
    await database.query(
      "SELECT to_regclass('alembic_version') AS version, to_regnamespace('backstop') AS memory",
    ),
  ).toEqual([{ version: null, memory: null }]);
});
