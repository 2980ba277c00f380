// The rows and values that the statements of a run will take away, as their text shows: asked before anything is locked.
import type { RowLoss } from '../model/losses.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Script } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import { briefly, orElse } from './briefly.ts';
import { type Foreseen, foresee } from './foresee.ts';
import { countOf, findReadable } from './losses.ts';

/** For one table, in ms. */
const WITHIN_MS = 2_000;

/**
 * The tables that will go or be emptied and hold rows, and the columns that will go and hold values. Before the run it is
 * not known which rows dynamic SQL, CASCADE and DELETE take away.
 */
export async function readForeseenLosses(queries: Queries, scripts: readonly Script[]): Promise<RowLoss[]> {
  const effects = effectsIn(scripts);
  if (effects === undefined) return [];
  const losses: RowLoss[] = [];
  for (const lock of await foresee(queries, effects)) losses.push(...(await lossOf(queries, lock)));
  return merged(losses);
}

async function lossOf(queries: Queries, lock: Foreseen): Promise<RowLoss[]> {
  const { kind, relation, loses } = lock;
  const isColumn = typeof loses === 'object';
  // A partitioned table is read with its partitions if a column goes; otherwise each of them is named by itself.
  if (loses === undefined || !(kind === 'r' || (kind === 'p' && isColumn))) return [];
  const count = await countLost(queries, lock);
  if (count === 0) return [];
  if (isColumn) return [{ relation, how: 'columns dropped', count: 1 }];
  return [{ relation, how: loses === 'itself' ? 'dropped' : 'emptied', count }];
}

/** Rows that will go; null if they cannot be counted in time, or not at all. */
async function countLost(queries: Queries, { oid, sql, loses }: Foreseen): Promise<number | null> {
  const from = typeof loses === 'object' ? `${sql} WHERE ${loses.column} IS NOT NULL` : `ONLY ${sql}`;
  const read = async () => {
    if (!(await findReadable(queries, [oid])).has(oid)) return null;
    const { rows } = await queries.query<{ count: number | null }>(`SELECT ${countOf(from)} AS count`);
    return rows[0]?.count ?? null;
  };
  return orElse<number | null>(briefly(queries, { withinMs: WITHIN_MS }, read), () => null);
}

/** A line for each table and kind. */
function merged(losses: readonly RowLoss[]): RowLoss[] {
  const found = new Map<string, RowLoss>();
  for (const loss of losses) {
    const key = `${loss.relation} ${loss.how}`;
    const known = found.get(key);
    const isSum = known && loss.how === 'columns dropped';
    found.set(key, isSum ? { ...loss, count: (known.count ?? 0) + (loss.count ?? 0) } : loss);
  }
  return [...found.values()].sort((one, other) => (one.relation < other.relation ? -1 : 1));
}
