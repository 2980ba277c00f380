// The estimate of a run's cost, computed from the sizes of its tables before anything is locked.
import { blocksWrites } from '../grammar/effect.ts';
import { workMs } from '../model/estimated.ts';
import type { Estimate, TableEstimate } from '../model/report.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Script } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import { MOMENT } from './evidence.ts';
import { type Foreseen, foresee } from './foresee.ts';
import { type Evaluated, LARGE_SAMPLE_PAGES, measurePage } from './pages.ts';
import { measureRebuild } from './rebuild.ts';
import { PAGE_BYTES, readSizes, type Size } from './sizes.ts';
import { decideWork, type Job } from './work.ts';

/**
 * The cost of adding a CHECK, in passes that read each row up to its last column. Measured with a CHECK by two patterns: 1.3
 * with 10,000 chunks, which memory holds; 1.05 with 100,000 and 1.0 with 1,000,000, when reading takes the most.
 */
const PASSES_A_SCAN = 1.3;
const PASSES_A_LARGE_SCAN = 1.05;
/** The cost of a foreign key, in passes over both of its tables: measured with 2,000,000 rows and 100,000. */
const PASSES_A_KEY = 1.3;

/**
 * The fixed cost of a step, in queries of the session's locks. Such a query includes the round trip and some work of
 * the server. Measured with a revision of eight steps.
 */
const LOOKS_A_STEP = 3;
const LOOKS_TO_COMMIT = 8;
const LOOKS_BEFORE_LOCKS = 45;

/** The work on one table, in ms. */
type Cost = Required<Pick<TableEstimate, 'scanMs' | 'rewriteMs' | 'indexMs' | 'keyMs'>>;

/**
 * Estimates the cost of the scripts as one run: the work that their statements show and the scans that their headers
 * declare, each measured with a bounded sample. It waits for no lock. It does not know work that depends on the data,
 * such as an update of some of the rows: a dry run measures that.
 */
export async function estimateCost(queries: Queries, scripts: readonly Script[]): Promise<Estimate> {
  const lookMs = await measureLook(queries);
  const scans = scripts.flatMap((script) => script.scans);
  const locks = scripts.flatMap((script) => script.locks);
  const foreseen = await foresee(queries, effectsIn(scripts) ?? []);
  const jobs = await decideWork(queries, foreseen);
  const locked = new Set(foreseen.filter(isInTheWay).map(({ oid }) => oid));
  const oids = [
    ...locked,
    ...jobs.flatMap(({ oid, foreignKeys }) => [oid, ...foreignKeys.flatMap(Object.values)]),
  ];
  const sizes = await readSizes(queries, [...new Set([...scans, ...locks])], [...new Set(oids)] as string[]);
  const tables: (TableEstimate & { readonly isLocked: boolean })[] = [];
  for (const size of sizes) {
    const declared = scans.filter((scan) => scan === size.name).length;
    const mine = jobs.filter(({ oid }) => oid === size.oid);
    const cost = await costOf(queries, { size, sizes, declared, jobs: mine, lookMs });
    const { name: relation, rows, bytes } = size;
    const isLocked = locks.includes(relation) || locked.has(size.oid);
    tables.push({ relation, rows, bytes, ...cost, lockMs: 0, isLocked });
  }
  const allMs = tables.reduce((sum, table) => sum + workMs(table), 0);
  const steps = scripts.reduce((sum, script) => sum + script.steps.length, 0);
  // Locks are taken before the first step or by one of the steps, and held to the answer of COMMIT.
  const heldMs = allMs + lookMs * (LOOKS_A_STEP * steps + LOOKS_TO_COMMIT);
  const all = tables
    .filter((table) => table.isLocked || workMs(table) > 0 || scans.includes(table.relation))
    .map(({ isLocked, ...table }) => ({ ...table, lockMs: isLocked ? heldMs : 0 }));
  return {
    durationMs: heldMs + lookMs * LOOKS_BEFORE_LOCKS,
    lockMs: Math.max(0, ...all.map(({ lockMs }) => lockMs)),
    // By size, because the time of a few pages is chance.
    tables: all.sort((a, b) => Number(workMs(b) > 0) - Number(workMs(a) > 0) || b.bytes - a.bytes),
  };
}

/** Children are counted with the table that is named. */
function isInTheWay({ mode, isChild }: Foreseen): boolean {
  return blocksWrites(mode) && !isChild;
}

interface Costed {
  readonly size: Size;
  readonly sizes: readonly Size[];
  /** How many scans the headers declare. */
  readonly declared: number;
  readonly jobs: readonly Job[];
  readonly lookMs: number;
}

async function costOf(
  queries: Queries,
  { size, sizes, declared, jobs, lookMs }: Costed,
): Promise<Partial<Cost> & { scanMs: number }> {
  const passes = jobs.filter(({ isPass, isRewrite }) => isPass && !isRewrite);
  const keys = jobs.flatMap(({ foreignKeys }) => foreignKeys);
  const cost: { -readonly [Field in keyof Cost]: number } = { scanMs: 0, rewriteMs: 0, indexMs: 0, keyMs: 0 };
  // A scan that is declared and found is one scan.
  for (const pass of passes) cost.scanMs += await passMs(queries, size, pass);
  const undetected = Math.max(0, declared - passes.length);
  if (undetected > 0) cost.scanMs += undetected * (await passMs(queries, size));
  for (const job of jobs) {
    const { rewriteMs, indexMs } = await measureRebuild(queries, size, job, lookMs);
    cost.rewriteMs += rewriteMs;
    cost.indexMs += indexMs;
  }
  for (const { table, references } of keys) {
    for (const one of sizes.filter(({ oid }) => oid === table || oid === references))
      cost.keyMs += (await passMs(queries, one)) * PASSES_A_KEY;
  }
  const { scanMs, ...others } = cost;
  return { scanMs, ...Object.fromEntries(Object.entries(others).filter(([, ms]) => ms > 0)) };
}

/** The time of one pass over the table, in ms. */
async function passMs(queries: Queries, size: Size, evaluated?: Evaluated): Promise<number> {
  const pages = size.bytes / PAGE_BYTES;
  const passes = pages > 4 * LARGE_SAMPLE_PAGES ? PASSES_A_LARGE_SCAN : PASSES_A_SCAN;
  return pages === 0 ? 0 : passes * pages * (await measurePage(queries, size, evaluated));
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
