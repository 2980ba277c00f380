// The verdict over checks as it is printed: checks that prove one thing together share a line.
import type { CheckReport } from './report.ts';

/** One line of the verdict, e.g. `Indexes exist (2 found)` for V2.1 and V2.2. */
export interface VerdictLine {
  readonly text: string;
  /** Whether all checks of the line passed. */
  readonly passed: boolean;
  /** The checks that failed. */
  readonly failed: readonly CheckReport[];
}

/** The lines for the checks, in the order in which their texts first appear. A check may be part of several lines. */
export function verdictLines(checks: readonly CheckReport[]): VerdictLine[] {
  const entries = checks.flatMap((check) => check.shownAs.map((text) => ({ text, check })));
  return [...Map.groupBy(entries, ({ text }) => text)].map(([text, together]) => {
    const failed = together.map(({ check }) => check).filter(({ passed }) => !passed);
    return { text, passed: failed.length === 0, failed };
  });
}
