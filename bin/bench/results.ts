// The results of a benchmark: the shape of latest.json. All times are in ms, all figures are medians over the runs.

import type { Measured } from '../../lib/twin/worker.ts';
import type { Bundle } from '../bundles/measure.ts';

/** One of the two methods, or a downgrade, on one database. */
export interface Figures {
  /** The whole wait of the user: the connection, the checks before, the transaction, the disconnection. */
  readonly wallMs: number;
  /** From BEGIN to the answer of COMMIT. */
  readonly databaseMs: number;
  /** Title of a step → how long it took, to its answer. */
  readonly steps: Readonly<Record<string, number>>;
  /** Table → how long ACCESS EXCLUSIVE was held on it. */
  readonly exclusiveMs: Readonly<Record<string, number>>;
  /** Growth of the server's write-ahead log, COMMIT included. */
  readonly walBytes: number;
  /** Tables that were rewritten. */
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
  /** One pass over code_chunks by one process, in memory as far as it fits, which only counts the rows. */
  readonly passMs: number;
  /** The same, but each row is read up to its last column, as a CHECK on a new column must. */
  readonly fullPassMs: number;
  /** An empty SELECT. */
  readonly roundTripMs: number;
  readonly threePhase: Figures;
  readonly backstop: Figures;
  /** Before finalize: every row of the nine tables is restored. */
  readonly downgrade: Figures;
  readonly finalize: Figures;
  /** After finalize: the nine tables are created again, empty. */
  readonly downgradeFinalized: Figures;
  /** All checks after the upgrade, outside of locks. */
  readonly validateMs: number;
  readonly checks: number;
  /** Reading the current revision on an open connection. */
  readonly currentMs: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  /** Setting → value, for the settings that influence the figures. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Results {
  /** ISO date. */
  readonly date: string;
  readonly machine: Machine;
  readonly sizes: readonly SizeResults[];
  /** Absent if only the database was measured. */
  readonly functions?: undefined | readonly (Bundle & Partial<Pick<Measured, 'peakMemoryMb'>>)[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? Number.NaN, sorted[Math.floor(middle)] ?? Number.NaN];
  return (low + high) / 2;
}

/** The medians of equal runs. */
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
