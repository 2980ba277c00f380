// The estimate of large work: it is near what the work takes, on a table of 2,000,000 rows.
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query(`
    CREATE TABLE customers (id integer PRIMARY KEY);
    INSERT INTO customers SELECT generate_series(0, 99999);
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, total integer, state text, note text);
    INSERT INTO orders
    SELECT n, n * 7919::bigint % 100000, n % 10007, 'state ' || n % 5, md5(n::text)
    FROM generate_series(1, 2000000) AS n;
    ANALYZE`);
}, 300_000);
afterAll(() => database.drop());

/** The promise is 2; another process may hold up either of the two measurements. */
const FACTOR = 3;
/** A run that another process holds up takes longer, and never less. */
const RUNS = 3;

test.each([
  'ALTER TABLE orders ALTER total TYPE bigint',
  'CREATE INDEX ON orders (total)',
  'CREATE INDEX ON orders (note)',
  'ALTER TABLE orders ADD CHECK (total >= 0)',
  'ALTER TABLE orders ALTER state SET NOT NULL',
  'ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers',
])(
  'it is near what a run takes: %s',
  async (sql) => {
    const options = migratorOn(database, {
      database: databaseOf({ id: '001', upgrade: [`${sql};`] }),
      bounds: { ...DEFAULT_BOUNDS, maxLockMs: 60_000 },
    });
    const estimates: number[] = [];
    const durations: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { estimate, steps } = await upgrade(options, 'head', { dryRun: true });
      estimates.push(estimate?.lockMs ?? 0);
      durations.push(steps[0]?.durationMs ?? 0);
    }
    const ratio = Math.min(...estimates) / Math.min(...durations);
    expect(ratio).toBeGreaterThan(1 / FACTOR);
    expect(ratio).toBeLessThan(FACTOR);
  },
  300_000,
);
