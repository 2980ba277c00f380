// The words for the state after a downgrade, as it was measured: is the schema as before, and is anything lost?
import { describeChanges } from './differences.ts';
import { describeLosses } from './losing.ts';
import type { RunReport } from './report.ts';

/** A downgrade, as far as these words need it. */
export type Back = Pick<RunReport, 'comparison' | 'losses' | 'to' | 'omitted'>;

/** Whether the schema differs from the one before the upgrade; false if it was not compared. */
export function isIncomplete({ comparison }: Pick<RunReport, 'comparison'>): boolean {
  return comparison !== undefined && !comparison.same;
}

/** `The schema is as it was before the upgrade`, or the objects that differ, or that it is not known. */
export function describeSchema({ comparison, to }: Back): string {
  if (comparison === undefined) {
    return `The schema was not compared: the history has no fingerprint of ${to} from before the upgrade.`;
  }
  return comparison.same
    ? 'The schema is as it was before the upgrade: its fingerprint was compared.'
    : `The schema is not as it was before the upgrade: ${describeChanges(comparison)}.`;
}

/** Everything that upgrade and downgrade have taken away, a line each; empty if nothing is lost, as far as rows are counted. */
export function lossesOf({ comparison, losses = [], omitted }: Back): string[] {
  const { losses: before = [], finalized = [] } = comparison ?? {};
  return [
    ...describeLosses({ losses: before }).map((line) => `${line} before the downgrade`),
    ...describeLosses({ losses, ...(omitted && { omitted }) }).map((line) => `${line} by the downgrade`),
    ...(finalized.length > 0 ? [`the rows and columns that ${finalized.join(', ')} retired: finalized`] : []),
  ];
}

/**
 * `Nothing is lost`, if schema and rows prove it; otherwise the tables and numbers, or that it is not known.
 *
 * @param lossless whether the downgrade was allowed to lose no row that came since the upgrade: a downgrade that a person asks
 *   for may drop such rows with the tables of the upgrade
 */
export function describeLost(back: Back, { lossless }: { readonly lossless: boolean }): string {
  const lines = lossesOf(back);
  if (lines.length > 0) return `Lost or overwritten: ${lines.join('; ')}.`;
  if (back.comparison === undefined) {
    return 'The downgrade itself deleted or overwrote no older row; whether the upgrade did is not known.';
  }
  return back.comparison.same && lossless
    ? 'Nothing is lost: no older row was deleted or overwritten, and no table or column dropped that held any.'
    : 'No older row was deleted or overwritten.';
}
