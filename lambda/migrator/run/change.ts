// The order of every run that changes something: connect, lock out other runs, decide what to do, one transaction.
import { randomUUID } from 'node:crypto';
import { committedRun } from '../database/history.ts';
import type { Direction, Estimate, RevisionId, RunReport } from '../model/report.ts';
import { Observer } from '../session/observer.ts';
import { takeRunnerLock } from '../session/runner-lock.ts';
import { bounded, type MigratorOptions, type Visit, visit } from '../session/visit.ts';
import type { Leg } from './run.ts';
import { runTransaction } from './transaction.ts';

/** What a run is going to do; no leg where there is nothing to do. */
export interface Decision {
  readonly direction: Direction;
  readonly from: RevisionId;
  readonly to: RevisionId;
  readonly legs: readonly Leg[];
  /** What the run is expected to cost, where that was asked. */
  readonly estimate?: Estimate | undefined;
}

/**
 * Carries out what is decided while no other run can change the database.
 *
 * @param verb stands in the server's list of sessions
 * @param dryRun everything up to COMMIT, then ROLLBACK
 * @throws DatabaseBusy where another run holds the lock; what {@link visit}, `decide` and `runTransaction` throw
 */
export async function change(
  options: MigratorOptions,
  verb: string,
  dryRun: boolean,
  decide: (visiting: Visit) => Promise<Decision>,
): Promise<RunReport> {
  const started = performance.now();
  const startedAt = new Date();
  const runId = randomUUID();
  return visit(options, `${verb} ${runId}`, async (visiting) => {
    const { client, pid, connect, bounds, listener, execution } = visiting;
    const decision = await bounded(visiting, lockAndDecide(visiting, decide));
    if (decision.legs.length === 0) {
      const done = await bounded(visiting, findDone(visiting, decision));
      return done ?? nothingToDo(runId, decision, performance.now() - started);
    }
    const observer = new Observer(connect, `backstop observer ${runId}`);
    const what = { runId, execution, ...decision, dryRun, bounds, started, startedAt };
    try {
      return await runTransaction({ ...what, client, pid, connect, observer, listener });
    } finally {
      await observer.end();
    }
  });
}

async function lockAndDecide(
  visiting: Visit,
  decide: (visiting: Visit) => Promise<Decision>,
): Promise<Decision> {
  await takeRunnerLock(visiting.client, visiting.bounds.lockWaitMs, visiting.listener);
  return decide(visiting);
}

/** Asked for twice, because the first answer was lost: the answer is the same. */
async function findDone(
  { client, execution }: Visit,
  { direction }: Decision,
): Promise<RunReport | undefined> {
  return execution === undefined ? undefined : committedRun(client, execution, direction);
}

function nothingToDo(runId: string, { direction, to }: Decision, durationMs: number): RunReport {
  const changes = { revisions: [], steps: [], retired: [], restored: [], created: [], dropped: [], rows: [] };
  const effort = { exclusiveMs: {}, walBytes: 0, attempts: 0, blockers: [], durationMs };
  return { runId, direction, outcome: 'nothing to do', from: to, to, ...changes, ...effort };
}
