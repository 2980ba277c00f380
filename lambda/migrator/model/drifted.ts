// The refusal of a run on a schema that somebody else has changed since the last run.
import { textsOf } from './bounded.ts';
import { describeChange } from './differences.ts';
import { BackstopError } from './errors.ts';
import type { Plan } from './report.ts';

/** Throws Drifted if the schema has changed since the last run. */
export function requireNoDrift({ drift }: Pick<Plan, 'drift'>): void {
  if (drift === undefined) return;
  throw new BackstopError('Drifted', {
    message: 'The schema has changed since the last run, and not by a run of Backstop',
    detail: [...textsOf(drift, 'changes', describeChange), 'Nothing of the run is committed.'],
    hint: 'Take these changes back, or put them into a revision; or run once without --strict, or with {"drift": "warn"}: the next run compares with its schema.',
  });
}
