// The time that a rewrite and the builds of indexes take, from a copy of some rows that is rolled back.
import type { Queries } from '../session/client.ts';
import { briefly, orElse } from './briefly.ts';
import { PAGE_BYTES, type Size } from './sizes.ts';
import type { Job, NewIndex } from './work.ts';

/** For each statement of a sample, in ms. */
const SAMPLE_MS = 500;
const SAMPLE_ROWS = 20_000;
const SAMPLE_PAGES = 2_048;
/** A table and its indexes are written to the write-ahead log, too; the copy is not. Measured with 2,000,000 rows. */
const LOGGED = 1.3;
/** For a row that cannot be sampled, in ms: measured on a machine with slow cores. */
const UNSAMPLED_ROW_MS = 0.003;
/** A smaller sample is mostly the fixed cost of a statement, and sorting one row takes nothing. */
const FEWEST_ROWS = 2;

/** In ms. */
export interface Rebuild {
  readonly rewriteMs: number;
  readonly indexMs: number;
}

/** The time of the job's rewrite and of its index builds. Rolled back, and unlike all else here not read-only. */
export async function measureRebuild(
  queries: Queries,
  table: Size,
  job: Job,
  lookMs: number,
): Promise<Rebuild> {
  const indexes = [...job.indexes, ...(await readIndexes(queries, job))];
  if (!job.isRewrite && indexes.length === 0) return { rewriteMs: 0, indexMs: 0 };
  const unsampled = table.rows * UNSAMPLED_ROW_MS;
  const reading = { withinMs: SAMPLE_MS, searchPath: job.schemas, begin: 'BEGIN' } as const;
  const measured = briefly(queries, reading, () => sample(queries, table, indexes, lookMs));
  const { copyMs, indexMs } = await orElse(measured, () => ({
    copyMs: unsampled,
    indexMs: unsampled * indexes.length,
  }));
  return { rewriteMs: job.isRewrite ? copyMs * LOGGED : 0, indexMs };
}

async function sample(
  queries: Queries,
  { sql, rows, bytes }: Size,
  indexes: readonly NewIndex[],
  lookMs: number,
): Promise<{ copyMs: number; indexMs: number }> {
  const timed = async (statement: string) => {
    const started = performance.now();
    const { rowCount } = await queries.query(statement);
    return { ms: Math.max(0, performance.now() - started - lookMs), count: rowCount ?? 0 };
  };
  const pages = Math.max(1, bytes / PAGE_BYTES);
  const limit = Math.ceil(Math.min(SAMPLE_ROWS, SAMPLE_PAGES * Math.max(1, rows / pages)));
  const copy = await timed(
    `CREATE TEMPORARY TABLE backstop_sample ON COMMIT DROP AS SELECT * FROM ${sql} LIMIT ${limit}`,
  );
  const sampled = Math.max(copy.count, FEWEST_ROWS);
  const all = Math.max(rows, copy.count);
  let indexMs = 0;
  for (const index of indexes) {
    // Another name may be of a column that the run makes first: such an index holds hardly anything to compare.
    await queries.query('SAVEPOINT one');
    const build = () => timed(`CREATE INDEX ON pg_temp.backstop_sample ${definition(index)}`);
    // Twice, because the time of a few ms is chance.
    const built = build().then(async (first) => ({ ms: (LOGGED * (first.ms + (await build()).ms)) / 2 }));
    const ms = await orElse(
      built.then(
        (one) => (one.ms * all * Math.log2(Math.max(all, FEWEST_ROWS))) / (sampled * Math.log2(sampled)),
      ),
      async () => {
        await queries.query('ROLLBACK TO SAVEPOINT one');
        return all * UNSAMPLED_ROW_MS;
      },
    );
    indexMs += ms;
  }
  return { copyMs: (copy.ms * all) / sampled, indexMs };
}

/** Sorting takes more than in proportion to the rows; only a btree is tried. */
function definition({ method, keys, predicate }: NewIndex): string {
  const list = keys.map((key) => `(${key})`).join(', ');
  return `USING ${method} (${list})${predicate === undefined ? '' : ` WHERE ${predicate}`}`;
}

/** The indexes that are there and are built again. */
async function readIndexes(queries: Queries, { oid, isRewrite, rebuilds }: Job): Promise<NewIndex[]> {
  if (!isRewrite && rebuilds === false) return [];
  const { rows } = await queries.query<{ method: string; keys: string[]; predicate: string | null }>(
    `SELECT am.amname AS method,
            ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, true)
                  FROM pg_catalog.generate_series(1, i.indnkeyatts) AS k) AS keys,
            pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate
     FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
     JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
     WHERE i.indrelid = $1 AND ($2::text IS NULL OR i.indexrelid = pg_catalog.to_regclass($2))`,
    [oid, typeof rebuilds === 'string' && !isRewrite ? rebuilds : null],
  );
  return rows.map(({ predicate, ...index }) => ({ ...index, ...(predicate !== null && { predicate }) }));
}
