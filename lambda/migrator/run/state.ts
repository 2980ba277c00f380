// The state of a transaction at one moment of a rehearsal: the schema, and the rows that are gone until then.
import { readTouched, type Touched } from '../database/evidence.ts';
import { keepFingerprint } from '../database/fingerprint.ts';
import { readLosses } from '../database/losses.ts';
import type { RowLoss } from '../model/losses.ts';
import { type AttemptOptions, type Begun, finalizesIn } from './result.ts';
import type { Run } from './run.ts';

export interface State {
  readonly fingerprint: string;
  /** Everything that the transaction has taken away. */
  readonly losses: readonly RowLoss[];
  /** Table that was there before → how many rows more it has than before. */
  readonly growth: ReadonlyMap<string, number>;
}

/** The state before the first change. */
export function firstState({ fingerprint }: Pick<Begun, 'fingerprint'>): State {
  return { fingerprint, losses: [], growth: new Map() };
}

/** The state now. */
export async function readState(
  run: Run,
  { before }: Pick<AttemptOptions, 'before'>,
  { writtenBefore, atStake }: Begun,
): Promise<State> {
  const touched = await readTouched(run);
  return {
    fingerprint: await keepFingerprint(run),
    losses: await readLosses(run, { before, writtenBefore, atStake, finalizes: finalizesIn(run) }, touched),
    growth: growthOf(touched, before),
  };
}

function growthOf({ relations }: Touched, before: AttemptOptions['before']): Map<string, number> {
  return new Map(
    relations.flatMap(({ oid, inserted, deleted }) => {
      const was = before.get(oid);
      return was && was.name !== 'alembic_version' ? [[`${was.schema}.${was.name}`, inserted - deleted]] : [];
    }),
  );
}

/** Tables that have fewer rows than at the state before, as losses. */
export function rowsGone(before: State, now: State): RowLoss[] {
  return [...now.growth].flatMap(([relation, growth]) => {
    const count = (before.growth.get(relation) ?? 0) - growth;
    return count > 0 ? [{ relation, how: 'deleted', count } as const] : [];
  });
}

/** The losses that came between two states. */
export function newLosses(before: State | undefined, after: State | undefined): RowLoss[] {
  const known = new Set(before?.losses.map((loss) => JSON.stringify(loss)));
  return (after?.losses ?? []).filter((loss) => !known.has(JSON.stringify(loss)));
}
