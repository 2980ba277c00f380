// The time that a pass over a table takes, from a bounded sample of its pages.
import type { Queries } from '../session/client.ts';
import { isCancelled } from '../session/sqlstate.ts';
import { briefly, orElse } from './briefly.ts';
import { PAGE_BYTES, type Size } from './sizes.ts';

/** For a sample, in ms. */
const SAMPLE_MS = 50;
const LONG_SAMPLE_MS = 300;
/** A small sample overrates a page by half, because reading has only begun; a larger one may take too long. */
const SMALL_SAMPLE_PAGES = 512;
export const LARGE_SAMPLE_PAGES = 4_096;
/** For a table whose rows per page are unknown. */
const SMALLEST_SAMPLE_ROWS = 1_000;
/** For a page of a table that cannot be sampled, in ms: the speed of storage. Memory is 50 times faster. */
const UNSAMPLED_PAGE_MS = 0.02;

/** The expressions of a pass. */
export interface Evaluated {
  /** Expressions; without any, the pass reads each row up to its last column. */
  readonly checks: readonly string[];
  /** Where their names are looked up. */
  readonly schemas: readonly string[];
}

/** The cost of one page of the table in a pass, in ms. */
export async function measurePage(
  queries: Queries,
  table: Size,
  { checks, schemas }: Evaluated = { checks: [], schemas: [] },
): Promise<number> {
  const plain = await measureRead(queries, table);
  if (checks.length === 0) return plain;
  // An expression may need what the run makes first, and then cannot be tried.
  const value = `(${checks.map((check) => `(${check}) IS TRUE`).join(' AND ')})`;
  const evaluated = { ...table, lastColumn: `CASE WHEN ${value} THEN 1 END` };
  const checked = await briefly(queries, { withinMs: LONG_SAMPLE_MS, searchPath: schemas }, () =>
    samplePages(queries, evaluated, SMALL_SAMPLE_PAGES, ''),
  ).catch(() => 0);
  return Math.max(plain, checked);
}

async function measureRead(queries: Queries, table: Size): Promise<number> {
  const pages = table.bytes / PAGE_BYTES;
  const pageMs = await tryPages(queries, table, SMALL_SAMPLE_PAGES);
  if (pages <= SMALL_SAMPLE_PAGES) return pageMs;
  // The error of a small sample matters most for a large table.
  const withinMs = pages > 4 * LARGE_SAMPLE_PAGES ? LONG_SAMPLE_MS : SAMPLE_MS;
  const endsInTime = pageMs * LARGE_SAMPLE_PAGES < withinMs / 2;
  if (endsInTime) return Math.min(pageMs, await tryPages(queries, table, LARGE_SAMPLE_PAGES, '', withinMs));
  // The storage is slow, or the server was held up for a moment: sample other pages, which are not yet in memory.
  const first = Math.floor(Math.random() * (pages - SMALL_SAMPLE_PAGES));
  const elsewhere = `WHERE ctid >= '(${first},0)' AND ctid < '(${first + SMALL_SAMPLE_PAGES},0)'`;
  return Math.min(pageMs, await tryPages(queries, table, SMALL_SAMPLE_PAGES, elsewhere));
}

/** A sample that takes too long is tried once more with more time: the server may have been held up for a moment. */
async function tryPages(
  queries: Queries,
  table: Size,
  pages: number,
  where = '',
  withinMs = SAMPLE_MS,
): Promise<number> {
  return orElse(
    briefly(queries, { withinMs }, () => samplePages(queries, table, pages, where)),
    (error) => {
      if (isCancelled(error) && withinMs < LONG_SAMPLE_MS)
        return tryPages(queries, table, pages, where, LONG_SAMPLE_MS);
      // A sample that was cancelled takes at least the time limit.
      return Math.max(UNSAMPLED_PAGE_MS, isCancelled(error) ? withinMs / pages : 0);
    },
  );
}

/** The part of EXPLAIN's document that we read. */
interface Explained {
  readonly 'Execution Time': number;
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

/**
 * Timed by the server, without the round trip. Each sample of a large table begins where the last scan ended
 * (synchronize_seqscans), so that it does not read pages that an earlier sample has brought into memory.
 */
async function samplePages(
  queries: Queries,
  { sql, rows, bytes, lastColumn }: Size,
  wanted: number,
  where: string,
): Promise<number> {
  const rowsAPage = rows / Math.max(1, bytes / PAGE_BYTES);
  const limit = Math.max(SMALLEST_SAMPLE_ROWS, Math.ceil(rowsAPage * wanted));
  const { rows: answer } = await queries.query<{ 'QUERY PLAN': readonly [Explained] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, BUFFERS, FORMAT JSON)
     SELECT pg_catalog.count(value) FROM (SELECT ${lastColumn} AS value FROM ${sql} ${where} LIMIT ${limit}) AS sample`,
  );
  const explained = (answer[0] as (typeof answer)[number])['QUERY PLAN'][0];
  const pages = explained.Plan['Shared Hit Blocks'] + explained.Plan['Shared Read Blocks'];
  return explained['Execution Time'] / Math.max(1, pages);
}
