// The data of one table, and the words and times that its rows share with other tables.

export type Value = string | number | boolean | null;

/** The rows of one table, made one by one while they are copied. */
export interface TableData {
  readonly table: string;
  readonly columns: readonly string[];
  readonly count: number;
  /** Called once for each index from 0 to `count` - 1, in order. */
  row(index: number): readonly Value[];
}

export const NAMES = [
  'parse',
  'index',
  'search',
  'embed',
  'merge',
  'resolve',
  'collect',
  'walk',
  'score',
  'rank',
] as const;
export const THINGS = [
  'token',
  'chunk',
  'file',
  'node',
  'query',
  'vector',
  'result',
  'batch',
  'cursor',
  'scope',
] as const;

/** A minute for each index, in the year before the migration was written. */
export function moment(index: number): string {
  return new Date(Date.UTC(2025, 0, 1) + (index % 400_000) * 60_000).toISOString();
}
