// What a run cost those who share the database, in lines.
import { describeBlockers } from '../../lambda/migrator/model/events.ts';
import type { RunReport, StepReport } from '../../lambda/migrator/model/report.ts';
import { backstop } from './logger.ts';

/** @param most how many tables are named; default: all */
export function describeEffort(
  { exclusiveMs, walBytes, steps, attempts, blockers }: RunReport,
  most = Number.POSITIVE_INFINITY,
): string[] {
  const locks = Object.entries(exclusiveMs).sort(([one, a], [two, b]) => b - a || one.localeCompare(two));
  const rewritten = steps.flatMap((step) => step.rewritten);
  return [
    ...locks
      .slice(0, most)
      .map(([table, ms]) => backstop(`ACCESS EXCLUSIVE on ${table} for ${Math.round(ms)} ms`)),
    ...(locks.length > most ? [backstop(`and on ${locks.length - most} more tables, no longer`)] : []),
    backstop(
      `Write-ahead log ${walBytes} bytes; rewritten: ${rewritten.length === 0 ? 'nothing' : rewritten.join(', ')}`,
    ),
    ...(attempts > 1 ? [backstop(`Begun ${attempts} times, until all locks were granted`)] : []),
    ...(blockers.length > 0 ? [backstop(`In the way stood ${describeBlockers(blockers)}`)] : []),
  ];
}

/** What one step did, in a line. */
export function describeStepEffort({ locks, rewritten, walBytes }: StepReport): string {
  const fresh = locks.map(({ relation, mode }) => `${mode} on ${relation}`);
  return [
    `  Write-ahead log ${walBytes} bytes`,
    ...(fresh.length > 0 ? [`new locks: ${fresh.join(', ')}`] : []),
    ...(rewritten.length > 0 ? [`rewritten: ${rewritten.join(', ')}`] : []),
  ].join('; ');
}
