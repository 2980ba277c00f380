// The words for what a run takes away, and which of it must be allowed beforehand.
import { describeOmitted, type Shortened } from './bounded.ts';
import { BackstopError } from './errors.ts';
import type { RowLoss } from './losses.ts';
import type { Plan, RunReport } from './report.ts';

/** Rows that go with their table are counted up to here. */
export const ROWS_COUNTED = 10_000;

/** Losses that a sentence names. */
const LOSSES_NAMED = 10;

const WORDS: Readonly<Record<RowLoss['how'], string>> = {
  deleted: 'deleted',
  updated: 'overwritten',
  emptied: 'emptied',
  dropped: 'dropped',
  'columns dropped': 'dropped',
  'columns converted': 'converted',
};

/** Whether rows and columns are still there, with other values: they may be the same again after a downgrade, or not. */
export function isOverwriting({ how }: RowLoss): boolean {
  return how === 'updated' || how === 'columns converted';
}

/** `public.orders: 12 rows deleted`, `public.old: dropped with 1 row`, `public.t: 2 columns dropped`. */
export function describeRowLoss({ relation, how, count }: RowLoss): string {
  if (how === 'columns dropped' || how === 'columns converted')
    return `${relation}: ${counted(count, 'column')} ${WORDS[how]}`;
  if (how === 'deleted' || how === 'updated') return `${relation}: ${counted(count, 'row')} ${WORDS[how]}`;
  return count === null
    ? `${relation}: ${WORDS[how]}, its rows were not counted`
    : `${relation}: ${WORDS[how]} with ${counted(count, 'row')}`;
}

function counted(count: number | null, noun: string): string {
  if (count === null) return `${noun}s`;
  if (count > ROWS_COUNTED && noun === 'row') return `more than ${ROWS_COUNTED.toLocaleString('en-US')} rows`;
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** The losses as texts, the first ten; then how many more there are. */
export function describeLosses(owner: Pick<RunReport | Plan, 'losses'> & Shortened): string[] {
  const { losses = [], omitted } = owner;
  const more = losses.length - LOSSES_NAMED + (omitted?.losses ?? 0);
  const named = losses.slice(0, LOSSES_NAMED).map(describeRowLoss);
  return more > 0 ? [...named, describeOmitted(more)] : named;
}

/**
 * Throws WouldLoseData if the run has taken away rows or columns that were there before it, and that it did not retire. To
 * write other values needs no leave.
 */
export function requireLeave(
  { direction, to, losses = [] }: Pick<RunReport | Plan, 'direction' | 'to' | 'losses'>,
  state = 'Everything was rolled back.',
): void {
  const asked = losses.filter((loss) => !isOverwriting(loss));
  if (asked.length === 0) return;
  throw new BackstopError('WouldLoseData', {
    message: `The ${direction} to ${to} would lose data for good`,
    detail: [...describeLosses({ losses: asked }), state],
    hint: [
      'To keep it where a downgrade finds it, retire the table or column instead of dropping it (docs/revisions.md).',
      'To lose it, allow that: --yes, or "allowLoss": true in the input of an execution.',
    ],
  });
}
