// The cost of a run for the other users of the database, in lines.
import { describeOmitted, textsOf } from '../../lambda/migrator/model/bounded.ts';
import { describeBlockers, describeEvent } from '../../lambda/migrator/model/describe.ts';
import type { HeldLock, RunReport, StepReport } from '../../lambda/migrator/model/report.ts';

/** How many tables a dry run names: the others are locked for no longer. */
export const TABLES_NAMED = 3;

/** @param most how many tables are named; default: all */
export function describeEffort(
  { exclusiveMs, walBytes, steps, attempts, blockers, omitted, unforeseen = [] }: RunReport,
  most = Number.POSITIVE_INFINITY,
): string[] {
  const locks = Object.entries(exclusiveMs).sort(([one, a], [two, b]) => b - a || one.localeCompare(two));
  const rewritten = steps.flatMap((step) => textsOf(step, 'rewritten'));
  return [
    ...locks.slice(0, most).map(([table, ms]) => `ACCESS EXCLUSIVE on ${table} for ${Math.round(ms)} ms`),
    ...describeRest(locks.slice(most), omitted?.exclusiveMs ?? 0),
    `Write-ahead log ${walBytes} bytes; rewritten: ${rewritten.length === 0 ? 'nothing' : rewritten.join(', ')}`,
    ...(attempts > 1 ? [`Took ${attempts} attempts until all locks were granted`] : []),
    ...(unforeseen.length > 0 ? [describeEvent({ type: 'unforeseen', locks: unforeseen })] : []),
    ...(blockers.length > 0 ? [`Blocked by ${describeBlockers(blockers)}`] : []),
  ];
}

/** The tables that are not named, of which the first was locked longest. */
function describeRest(locks: readonly (readonly [table: string, ms: number])[], omitted: number): string[] {
  const [longest] = locks;
  if (longest === undefined) return omitted === 0 ? [] : [describeOmitted(omitted)];
  const count = locks.length + omitted;
  const tables = count === 1 ? '1 more table' : `${count} more tables`;
  return [`and on ${tables} for at most ${Math.round(longest[1])} ms`];
}

/** The locks and writes of one step, in a line. */
export function describeStepEffort(step: StepReport): string {
  const newLocks = textsOf(step, 'locks', ({ relation, mode }: HeldLock) => `${mode} on ${relation}`);
  const rewritten = textsOf(step, 'rewritten');
  return [
    `Write-ahead log ${step.walBytes} bytes`,
    ...(newLocks.length > 0 ? [`new locks: ${newLocks.join(', ')}`] : []),
    ...(rewritten.length > 0 ? [`rewritten: ${rewritten.join(', ')}`] : []),
  ].join('; ');
}
