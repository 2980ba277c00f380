// The estimate of a run's cost, computed from the sizes of its tables before anything is locked.
import type { Estimate } from '../model/report.ts';
import type { Script } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import { isCancelled, isServerError } from '../session/sqlstate.ts';
import { MOMENT } from './evidence.ts';

/** For a sample, in ms. */
const SAMPLE_MS = 50;
/** For the sizes of all tables, in ms: only the catalogue is read. */
const SIZES_MS = 1_000;
/** For the lock that either needs, in ms: others are kept waiting behind it no longer. */
const LOCK_MS = 10;
/** A small sample overrates a page by half, because reading has only begun; a larger one may take too long. */
const SMALL_SAMPLE_PAGES = 512;
const LARGE_SAMPLE_PAGES = 4_096;
/** For a table whose rows per page are unknown. */
const SMALLEST_SAMPLE_ROWS = 1_000;
const PAGE_BYTES = 8_192;
/** For a page of a table that cannot be sampled, in ms: the speed of storage. Memory is 50 times faster. */
const UNSAMPLED_PAGE_MS = 0.02;

/**
 * The cost of adding a CHECK, in passes that read each row up to its last column. Measured with a CHECK by two patterns: 1.3
 * with 10,000 chunks, which memory holds; 1.05 with 100,000 and 1.0 with 1,000,000, when reading takes the most.
 */
const PASSES_A_SCAN = 1.3;

/**
 * The fixed cost of a step, in queries of the session's locks. Such a query includes the round trip and some work of
 * the server. Measured with a revision of eight steps.
 */
const LOOKS_A_STEP = 3;
const LOOKS_TO_COMMIT = 8;
const LOOKS_BEFORE_LOCKS = 45;

/**
 * Estimates the cost of the scripts as one run. It reads a bounded sample of the tables that their headers declare as
 * scanned, and waits for no lock. It does not know work that depends on the data, such as an update of some of the
 * rows: a dry run measures that.
 */
export async function estimateCost(queries: Queries, scripts: readonly Script[]): Promise<Estimate> {
  const lookMs = await measureLook(queries);
  const scans = scripts.flatMap((script) => script.scans);
  const locks = scripts.flatMap((script) => script.locks);
  const scanned: Scanned[] = [];
  for (const size of await readSizes(queries, [...new Set([...scans, ...locks])])) {
    const passes = scans.filter((scan) => scan === size.name).length * PASSES_A_SCAN;
    const pages = passes * (size.bytes / PAGE_BYTES);
    scanned.push({ ...size, scanMs: pages === 0 ? 0 : pages * (await measurePage(queries, size)) });
  }
  const scanMs = scanned.reduce((sum, table) => sum + table.scanMs, 0);
  const steps = scripts.reduce((sum, script) => sum + script.steps.length, 0);
  // All locks are taken before the first step, and held to the answer of COMMIT.
  const heldMs = scanMs + lookMs * (LOOKS_A_STEP * steps + LOOKS_TO_COMMIT);
  const tables = scanned.map(({ name, rows, bytes, scanMs }) => {
    const lockMs = locks.includes(name) ? heldMs : 0;
    return { relation: name, rows, bytes, scanMs, lockMs };
  });
  return {
    durationMs: heldMs + lookMs * LOOKS_BEFORE_LOCKS,
    lockMs: Math.max(0, ...tables.map(({ lockMs }) => lockMs)),
    // By size, because the time of a few pages is chance.
    tables: tables.sort((a, b) => Number(b.scanMs > 0) - Number(a.scanMs > 0) || b.bytes - a.bytes),
  };
}

/** In ms. The first query of a session takes longer, because it fills caches. */
async function measureLook(queries: Queries): Promise<number> {
  const times: number[] = [];
  for (let look = 0; look < 3; look++) {
    const started = performance.now();
    await queries.query(MOMENT);
    times.push(performance.now() - started);
  }
  return Math.min(...times);
}

interface Size {
  /** As the header has it. */
  readonly name: string;
  readonly sql: string;
  /** As the statistics say. */
  readonly rows: number;
  readonly bytes: number;
  /** To read this column, the server must read all of the row before it. */
  readonly lastColumn: string;
}

interface Scanned extends Size {
  readonly scanMs: number;
}

/** The tables among the names, in their order, with their child tables. If one is locked, its statistics are used. */
async function readSizes(queries: Queries, names: readonly string[]): Promise<Size[]> {
  const exact = 'pg_catalog.pg_relation_size(part.oid)';
  const known = `part.relpages * ${PAGE_BYTES}::float8`;
  return orElse(
    briefly(queries, SIZES_MS, () => querySizes(queries, names, exact)),
    () => querySizes(queries, names, known),
  );
}

async function querySizes(queries: Queries, names: readonly string[], bytes: string): Promise<Size[]> {
  const { rows } = await queries.query<Size>(
    `WITH RECURSIVE tree (place, name, root, oid) AS (
       SELECT wanted.place, wanted.name, c.oid, c.oid
       FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS wanted(name, place)
       JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(wanted.name) AND c.relkind IN ('r', 'p')
       UNION
       SELECT tree.place, tree.name, tree.root, i.inhrelid
       FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid)
     SELECT tree.name, tree.root::regclass::text AS sql,
            coalesce(sum(CASE WHEN part.reltuples < 0 THEN pg_catalog.pg_stat_get_live_tuples(part.oid)
                              ELSE part.reltuples END), 0)::float8 AS rows,
            coalesce(sum(${bytes}), 0)::float8 AS bytes,
            coalesce((SELECT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
                      WHERE attrelid = tree.root AND attnum > 0 AND NOT attisdropped
                      ORDER BY attnum DESC LIMIT 1), 'NULL') AS "lastColumn"
     FROM tree LEFT JOIN pg_catalog.pg_class AS part ON part.oid = tree.oid AND part.relkind = 'r'
     GROUP BY tree.place, tree.name, tree.root ORDER BY tree.place`,
    [names],
  );
  return rows;
}

/** The cost of one page of the table in a pass that reads each row up to its last column, in ms. */
async function measurePage(queries: Queries, table: Size): Promise<number> {
  const pages = table.bytes / PAGE_BYTES;
  const pageMs = await tryPages(queries, table, SMALL_SAMPLE_PAGES);
  if (pages <= SMALL_SAMPLE_PAGES) return pageMs;
  const endsInTime = pageMs * LARGE_SAMPLE_PAGES < SAMPLE_MS / 2;
  if (endsInTime) return tryPages(queries, table, LARGE_SAMPLE_PAGES);
  // The storage is slow, or the server was held up for a moment: sample other pages, which are not yet in memory.
  const first = Math.floor(Math.random() * (pages - SMALL_SAMPLE_PAGES));
  const elsewhere = `WHERE ctid >= '(${first},0)' AND ctid < '(${first + SMALL_SAMPLE_PAGES},0)'`;
  return Math.min(pageMs, await tryPages(queries, table, SMALL_SAMPLE_PAGES, elsewhere));
}

async function tryPages(queries: Queries, table: Size, pages: number, where = ''): Promise<number> {
  return orElse(
    briefly(queries, SAMPLE_MS, () => samplePages(queries, table, pages, where)),
    (error) =>
      // A sample that was cancelled takes at least the time limit.
      Math.max(UNSAMPLED_PAGE_MS, isCancelled(error) ? SAMPLE_MS / pages : 0),
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

/** Reads in a separate transaction, table by table in the order of their pages, with a short lock wait. */
async function briefly<T>(queries: Queries, withinMs: number, read: () => Promise<T>): Promise<T> {
  await queries.query('BEGIN READ ONLY');
  try {
    await queries.query(
      `SELECT pg_catalog.set_config(name, value, true)
       FROM (VALUES ('lock_timeout', $1), ('statement_timeout', $2), ('max_parallel_workers_per_gather', '0'),
                    ('enable_seqscan', 'on'), ('enable_indexscan', 'off'), ('enable_indexonlyscan', 'off'),
                    ('enable_bitmapscan', 'off'), ('enable_tidscan', 'on')) AS setting (name, value)`,
      [`${LOCK_MS}ms`, `${withinMs}ms`],
    );
    return await read();
  } finally {
    await queries.query('ROLLBACK').catch(() => {});
  }
}

/** Where the server refuses it: an estimate is no reason to fail. */
async function orElse<T>(reading: Promise<T>, fallback: (error: Error) => T | Promise<T>): Promise<T> {
  return reading.catch((error: unknown) => {
    if (!isServerError(error)) throw error;
    return fallback(error);
  });
}
