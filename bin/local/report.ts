// The report of a local run: its events, the present contents of the database, and the next step.
import type { CheckReport, RevisionId, StepReport } from '../../lambda/migrator/model/report.ts';
import { committedMigration, type Snapshot } from '../../lambda/state.ts';
import { summarize } from '../../lambda/summary.ts';
import type { Execution, VisitedState } from '../../lib/twin/execution.ts';
import type { Measured } from '../../lib/twin/worker.ts';

export type Rows = Readonly<Record<string, number>>;

export interface LocalReport {
  /** The outcome of the run, e.g. `upgraded`, or the name of the error if the execution failed. */
  readonly outcome: string;
  /** Three sentences: the events, the present contents of the database, and the next step. */
  readonly message: string;
  readonly execution: Pick<Execution, 'name' | 'status' | 'error' | 'cause' | 'events' | 'durationMs'> & {
    readonly states: readonly VisitedState[];
  };
  readonly from: RevisionId | null;
  readonly to: RevisionId | null;
  /** Where the database is now. */
  readonly revision: RevisionId;
  readonly steps: readonly StepReport[];
  readonly checks: readonly CheckReport[];
  readonly snapshot: Snapshot | null;
  /** Tables that the upgrade retired. */
  readonly retired: readonly string[];
  /** Tables that the downgrade restored, and tables that finalize dropped. */
  readonly restored: readonly string[];
  readonly dropped: readonly string[];
  readonly rows: { readonly before: Rows; readonly after: Rows; readonly unchanged: boolean };
  /** Per table: how long ACCESS EXCLUSIVE was held by the migration, in ms. */
  readonly exclusiveMs: Readonly<Record<string, number>>;
  readonly walBytes: number;
  /** Function → load time and peak memory. */
  readonly functions: Readonly<Record<string, Measured>>;
  /** From the command to this report, in ms. */
  readonly durationMs: number;
}

export interface Findings {
  readonly execution: Execution;
  /** The revision of the database now, and its rows, counted before and after. */
  readonly revision: RevisionId;
  readonly before: Rows;
  readonly after: Rows;
  /** Sentences about permissions that the functions lacked. */
  readonly denials: readonly string[];
  readonly durationMs: number;
}

export function makeReport({
  execution,
  revision,
  before,
  after,
  denials,
  durationMs,
}: Findings): LocalReport {
  const { plan, downgrade, finalization, validation, downgradeValidation, snapshot } = execution.state;
  const migration = committedMigration(execution.state);
  const runs = [migration, downgrade, finalization].filter((run) => run !== undefined);
  const { name, status, error, cause, states } = execution;
  const unchanged = JSON.stringify(before) === JSON.stringify(after);
  return {
    outcome: error ?? (downgrade ?? migration ?? finalization)?.outcome ?? 'nothing to do',
    message: [
      ...whatHappened(execution),
      ...denials,
      whatIsThere(revision, before, after),
      ...whatIsNext(execution),
    ].join('\n'),
    execution: {
      name,
      status,
      ...(error && { error, cause: cause ?? '' }),
      states,
      events: execution.events,
      durationMs: execution.durationMs,
    },
    from: plan?.from ?? null,
    to: plan?.to ?? null,
    revision,
    steps: runs.flatMap(({ steps }) => steps),
    checks: [...(validation?.checks ?? []), ...(downgradeValidation?.checks ?? [])],
    snapshot: snapshot ?? null,
    retired: migration?.retired ?? [],
    restored: downgrade?.restored ?? [],
    dropped: finalization?.dropped ?? [],
    rows: { before, after, unchanged },
    exclusiveMs: migration?.exclusiveMs ?? {},
    walBytes: migration?.walBytes ?? 0,
    functions: execution.functions,
    durationMs,
  };
}

function whatHappened({ state, error, cause }: Execution): string[] {
  return error ? [`${error}: ${cause}`] : [summarize(state).message];
}

function whatIsThere(revision: RevisionId, before: Rows, after: Rows): string {
  const tables = Object.keys(before);
  const kept = tables.filter((table) => after[table] === before[table]);
  const added = Object.keys(after).filter((table) => before[table] === undefined);
  const fate =
    kept.length === tables.length
      ? 'all tables have the rows they had before'
      : `${kept.length} of ${tables.length} tables have the rows they had before: ${kept.join(', ')}`;
  const news = added.length > 0 ? `; new: ${added.join(', ')}` : '';
  return `The database is at ${revision}; ${fate}${news}.`;
}

/** Most errors have a HINT that says what to do; the message of a success says whether a finalize is left. */
function whatIsNext({ state, error, cause = '' }: Execution): string[] {
  if (error) return cause.includes('HINT:') ? [] : ['Correct the cause, then run again.'];
  return summarize(state).finalizePending.length > 0 ? [] : ['There is nothing left to do.'];
}
