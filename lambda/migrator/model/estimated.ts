// The work on a table in an estimate: its sum and its words.
import { seconds } from './describe.ts';
import type { TableEstimate } from './report.ts';

const WORKS = {
  scanMs: 'scanned',
  rewriteMs: 'rewritten',
  indexMs: 'its indexes built',
  keyMs: 'its foreign keys looked up',
} as const;
type Kind = keyof typeof WORKS;
const KINDS = Object.keys(WORKS) as Kind[];

/** All the work on the table, in ms. */
export function workMs(table: Pick<TableEstimate, Kind>): number {
  return KINDS.reduce((sum, kind) => sum + (table[kind] ?? 0), 0);
}

/** The work on the table in words: `scanned (0.21s), rewritten (7.90s)`; undefined if there is none. */
export function describeWork(table: TableEstimate): string | undefined {
  const works = KINDS.filter((kind) => (table[kind] ?? 0) > 0);
  if (works.length === 0) return undefined;
  return works.map((kind) => `${WORKS[kind]} (${seconds(table[kind] ?? 0)})`).join(', ');
}

/** The same table in two estimates: the work adds up, and the longer lock counts. */
export function bothOf(one: TableEstimate, other: TableEstimate): TableEstimate {
  const works = KINDS.map((kind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)] as const);
  return {
    ...one,
    ...Object.fromEntries(works.filter(([kind, ms]) => kind === 'scanMs' || ms > 0)),
    lockMs: Math.max(one.lockMs, other.lockMs),
  };
}
