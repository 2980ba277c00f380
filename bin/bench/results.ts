// What a benchmark finds out: the shape of latest.json. All times in ms, all figures medians over the runs.

import type { Measured } from '../../lib/twin/worker.ts';
import type { Bundle } from '../bundles/measure.ts';

/** One of the two methods, or a way back, on one database. */
export interface Figures {
  /** As who runs it waits: the connection, the checks before it, the transaction, the goodbye. */
  readonly wallMs: number;
  /** From BEGIN to the answer of COMMIT. */
  readonly databaseMs: number;
  /** Title of a step → how long it took, to its answer. */
  readonly steps: Readonly<Record<string, number>>;
  /** Table → for how long ACCESS EXCLUSIVE was held on it. */
  readonly exclusiveMs: Readonly<Record<string, number>>;
  /** By how much the server's write-ahead log grew, COMMIT included. */
  readonly walBytes: number;
  /** Tables that were written anew. */
  readonly rewritten: readonly string[];
  /** Size of code_chunks afterwards, with its indexes. */
  readonly tableBytes: number;
}

export interface SizeResults {
  readonly chunks: number;
  /** The index on a vector column of code_chunks. */
  readonly vectorIndex: 'none' | 'hnsw';
  readonly runs: number;
  /** Size of code_chunks before, with its indexes. */
  readonly tableBytes: number;
  /** One pass over code_chunks by one process, in memory as far as it fits, which counts the rows and reads none. */
  readonly passMs: number;
  /** The same, but each row is read up to its last column: what a CHECK on a new column cannot do without. */
  readonly fullPassMs: number;
  /** SELECT with nothing to do. */
  readonly roundTripMs: number;
  readonly threePhase: Figures;
  readonly backstop: Figures;
  /** Before finalize: every row of the nine tables comes back. */
  readonly downgrade: Figures;
  readonly finalize: Figures;
  /** After finalize: the nine tables come back empty. */
  readonly downgradeFinalized: Figures;
  /** All checks after the upgrade, outside of locks. */
  readonly validateMs: number;
  readonly checks: number;
  /** Where the database is, asked on a connection that is open. */
  readonly currentMs: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  /** Setting → value, as far as it bears on the figures. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Results {
  /** ISO date. */
  readonly date: string;
  readonly machine: Machine;
  readonly sizes: readonly SizeResults[];
  /** Absent where only the database was measured. */
  readonly functions?: undefined | readonly (Bundle & Partial<Pick<Measured, 'peakMemoryMb'>>)[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? Number.NaN, sorted[Math.floor(middle)] ?? Number.NaN];
  return (low + high) / 2;
}

/** The medians of runs that did the same. */
export function medianFigures(runs: readonly Figures[]): Figures {
  const number = (read: (figures: Figures) => number) => median(runs.map(read));
  const record = (read: (figures: Figures) => Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.keys(runs.map(read)[0] ?? {}).map((key) => [
        key,
        number((figures) => read(figures)[key] ?? Number.NaN),
      ]),
    );
  return {
    wallMs: number(({ wallMs }) => wallMs),
    databaseMs: number(({ databaseMs }) => databaseMs),
    steps: record(({ steps }) => steps),
    exclusiveMs: record(({ exclusiveMs }) => exclusiveMs),
    walBytes: number(({ walBytes }) => walBytes),
    rewritten: [...new Set(runs.flatMap(({ rewritten }) => rewritten))],
    tableBytes: number(({ tableBytes }) => tableBytes),
  };
}
