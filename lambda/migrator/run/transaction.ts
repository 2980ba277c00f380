// The transaction of a run, begun again if a lock is not granted, until the time for waiting is used up.
import { readRelations } from '../database/evidence.ts';
import { foresee } from '../database/foresee.ts';
import { failureReport, remember } from '../database/history.ts';
import { secureForWriting } from '../database/secured.ts';
import { describeBlockers, endOf } from '../model/describe.ts';
import { BackstopError, isEnding } from '../model/errors.ts';
import type { Blocker, RunReport } from '../model/report.ts';
import { effectsIn } from '../revisions/effects.ts';
import { answered, pipeline } from '../session/client.ts';
import { Observer } from '../session/observer.ts';
import { Attempt } from './attempt.ts';
import type { AttemptOptions } from './result.ts';
import { nothingToDo, type Run } from './run.ts';

const LONGEST_PAUSE_MS = 2_000;

/**
 * Runs the parts in one transaction. A failure is remembered in the history, unless it was a dry run.
 *
 * @throws DatabaseBusy, MigrationTimeout, MigrationFailed, MigrationRefused, the refusals that revisions declare: rolled
 *   back
 * @throws OutcomeUnknown if COMMIT was sent and its outcome could not be learned
 */
export async function runTransaction(run: Run): Promise<RunReport> {
  if (run.parts.length === 0) return nothingToDo(run);
  const blockers = new Map<number | string, Blocker>();
  const observer = new Observer(run.connect, `backstop observer ${run.runId}`);
  const unwatch = observer.watch(run, (seen, waitedMs) => {
    for (const blocker of seen) blockers.set(blocker.gid ?? blocker.pid, blocker);
    run.listener({ type: 'waiting', lock: 'table', waitedMs, blockers: seen });
  });
  try {
    const { before, foreseen } = await readBefore(run);
    for (let number = 1; ; number++) {
      const result = await new Attempt(run, { number, before, foreseen, blockers }).execute().catch(asValue);
      if (!(result instanceof Error)) return result;
      await pauseOrFail(run, result, number, [...blockers.values()]);
    }
  } finally {
    unwatch();
    await observer.end();
  }
}

function asValue(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Pauses after a lock that was not granted, as long as there is time; throws after anything else. */
async function pauseOrFail(
  run: Run,
  error: Error,
  attempt: number,
  blockers: readonly Blocker[],
): Promise<void> {
  const pauseMs = pauseAfter(attempt);
  const waitedMs = performance.now() - run.started;
  const busy = isEnding(error, 'DatabaseBusy') ? tableLockError(error, blockers, waitedMs) : undefined;
  if (!busy || waitedMs + pauseMs >= run.bounds.lockWaitMs) {
    const ending = busy ?? error;
    if (ending instanceof BackstopError) await tellFailure(run, ending, attempt);
    throw ending;
  }
  run.listener({ type: 'retrying', attempt, pauseMs, reason: busy.summary });
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
}

async function readBefore(run: Run): Promise<Pick<AttemptOptions, 'before' | 'foreseen'>> {
  run.limit(run.bounds.transactionMs);
  pipeline(run.client);
  const effects = effectsIn(run.parts.map(({ script }) => script));
  const foreseen = effects && (await foresee(run, effects));
  return { before: await readRelations(run), foreseen };
}

/** Longer each time, and never the same for two runners. */
function pauseAfter(attempt: number): number {
  return Math.round(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt) * (0.5 + Math.random() / 2));
}

function tableLockError(cause: BackstopError, blockers: readonly Blocker[], waitedMs: number): BackstopError {
  const [blocker] = blockers;
  return new BackstopError(
    'DatabaseBusy',
    {
      message: `A table lock was not granted in ${Math.round(waitedMs / 1000)} s: ${cause.summary}`,
      detail: `Blocked by ${describeBlockers(blockers)}`,
      hint:
        typeof blocker?.gid === 'string'
          ? `Everything was rolled back. Let its application end the prepared transaction, or, as its owner in this database: ${endOf(blocker)} then run again.`
          : `Everything was rolled back. Let that session end, or end it: ${endOf(blocker)} then run again.`,
    },
    { cause },
  );
}

async function tellFailure(run: Run, error: BackstopError, attempts: number): Promise<void> {
  const { direction, from, dryRun, listener } = run;
  if (error.name !== 'OutcomeUnknown')
    listener({ type: 'rolled back', direction, from, reason: error.summary });
  if (!dryRun) await rememberFailure(run, error, attempts);
}

/** The failure itself must be reported: if even the history cannot be written, it stays unwritten. */
async function rememberFailure(run: Run, error: BackstopError, attempts: number): Promise<void> {
  const { runId, execution, direction, from, to, started, startedAt, bounds, connect, database } = run;
  const durationMs = performance.now() - started;
  const what = { runId, execution, direction, from, to, startedAt, durationMs };
  const entry = { ...what, outcome: error.name, checksums: {}, report: failureReport(error, attempts) };
  const client = await connect('backstop history').catch(() => undefined);
  if (!client) return;
  const write = async () => {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '${bounds.lockTimeoutMs}ms'`);
    await secureForWriting(client, database);
    await remember(client, entry);
    await client.query('COMMIT');
  };
  await answered(client, write(), bounds.lockTimeoutMs + bounds.graceMs).catch(() => {});
  await client.end().catch(() => {});
}
