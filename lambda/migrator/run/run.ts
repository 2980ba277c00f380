// The parts of one run, and its reports if it does nothing; the same over all attempts.
import { committedRuns } from '../database/history.ts';
import type { Direction, Estimate, RevisionId, RunReport } from '../model/report.ts';
import type { Part } from '../revisions/part.ts';
import type { Runner } from '../session/session.ts';
import { combine } from './combine.ts';

/** The decision of a verb; it has no part if there is nothing to do. */
export interface Decision {
  /** The requested direction; a part may go another way, as the finalize of an upgrade does. */
  readonly direction: Direction;
  readonly from: RevisionId;
  readonly to: RevisionId;
  readonly parts: readonly Part[];
  /** The estimated cost of the run; undefined if it was not requested. */
  readonly estimate?: Estimate | undefined;
  /** Everything up to COMMIT, then ROLLBACK. Default: false. */
  readonly dryRun?: boolean;
  /** Whether rows and columns may be lost. Default: false; not asked of a downgrade or a finalize, whose verbs ask beforehand. */
  readonly allowLoss?: boolean;
  /** Whether it is refused if the schema has changed since the last run. Default: false. */
  readonly strict?: boolean;
  /** Whether a dry run also runs the checks, and takes the upgrade back. Default: false. */
  readonly rehearse?: boolean;
  /** Asked in each transaction as soon as its tables are locked, with its revisions: an error refuses it. */
  readonly onceLocked?: (revisions: readonly RevisionId[]) => Promise<void>;
}

/** Everything that stays the same over all attempts of one run. */
export interface Run extends Runner, Decision {}

/** A run that finds nothing to do: it reports the commit of its execution, if the first answer was lost. */
export async function nothingToDo(run: Run): Promise<RunReport> {
  const { execution, direction, to, runId, started } = run;
  const done = execution === undefined ? [] : await committedRuns(run, execution, direction);
  if (done.length > 0) return combine(done);
  const changes = { revisions: [], steps: [], retired: [], restored: [], created: [], dropped: [], rows: [] };
  const durationMs = performance.now() - started;
  const effort = { exclusiveMs: {}, walBytes: 0, attempts: 0, blockers: [], durationMs };
  return { runId, direction, outcome: 'nothing to do', from: to, to, ...changes, ...effort };
}
