// What a run tells while it runs: one typed stream that the log, the terminal and the report are made of.
import type { Blocker, CheckReport, Direction, Notice, Outcome, RevisionId, StepReport } from './report.ts';

export type ProgressEvent =
  | { readonly type: 'connected'; readonly server: string; readonly database: string; readonly user: string }
  | {
      readonly type: 'planned';
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly pending: readonly RevisionId[];
    }
  /** Somebody else holds a lock that this run needs; repeated while it waits. */
  | {
      readonly type: 'waiting';
      readonly lock: 'advisory' | 'table';
      readonly waitedMs: number;
      readonly blockers: readonly Blocker[];
    }
  /** A lock was not granted in time: all is rolled back and begun again after the pause. */
  | { readonly type: 'retrying'; readonly attempt: number; readonly pauseMs: number; readonly reason: string }
  | {
      readonly type: 'revision started';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly title: string;
    }
  | {
      readonly type: 'step started';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly number: number;
      readonly of: number;
      readonly title: string;
    }
  | { readonly type: 'notice'; readonly revision: RevisionId; readonly notice: Notice }
  | { readonly type: 'step completed'; readonly direction: Direction; readonly step: StepReport }
  | {
      readonly type: 'revision completed';
      readonly direction: Direction;
      readonly revision: RevisionId;
      readonly durationMs: number;
    }
  | { readonly type: 'check completed'; readonly check: CheckReport }
  | {
      readonly type: 'committed';
      readonly direction: Direction;
      readonly from: RevisionId;
      readonly to: RevisionId;
      readonly outcome: Outcome;
      readonly durationMs: number;
    }
  | {
      readonly type: 'rolled back';
      readonly direction: Direction;
      readonly from: RevisionId;
      readonly reason: string;
    };

export type Listener = (event: ProgressEvent) => void;

/** The event as one line of text, in the words of Alembic and of the execution contract. */
export function describeEvent(event: ProgressEvent): string {
  switch (event.type) {
    case 'connected':
      return `Connected to ${event.database} as ${event.user}, PostgreSQL ${event.server}`;
    case 'planned':
      return event.pending.length === 0
        ? `Already at ${event.to}, nothing to do`
        : `At ${event.from}, target ${event.to}: ${event.pending.join(', ')} to run`;
    case 'waiting':
      return `Waiting ${seconds(event.waitedMs)} for the ${event.lock} lock, held by ${describeBlockers(event.blockers)}`;
    case 'retrying':
      return `Attempt ${event.attempt} rolled back (${event.reason}), next in ${event.pauseMs} ms`;
    case 'revision started':
      return event.direction === 'finalize'
        ? `Running finalize ${event.revision}, ${event.title}`
        : `Running ${event.direction} ${event.from === 'base' ? '' : event.from} -> ${event.to === 'base' ? '' : event.to}, ${event.title}`;
    case 'step started':
      return `${stepName(event.direction)} ${event.number}/${event.of}: ${event.title}...`;
    case 'notice':
      return `${event.notice.severity}:  ${event.notice.message}`;
    case 'step completed':
      return `${stepName(event.direction)} ${event.step.number}/${event.step.of}: Complete`;
    case 'revision completed':
      return event.direction === 'downgrade'
        ? `Migration ${event.revision} rollback completed successfully in ${seconds(event.durationMs)}`
        : `${event.direction === 'finalize' ? 'Finalize' : 'Migration'} ${event.revision} completed successfully in ${seconds(event.durationMs)}`;
    case 'check completed':
      return event.check.passed
        ? `✓ ${event.check.id} ${event.check.title}`
        : `✗ ${event.check.id} ${event.check.title} (${event.check.violations} rows violate it)`;
    case 'committed':
      return event.outcome === 'rehearsed'
        ? `Rolled back as asked: ${event.from} -> ${event.to} would have succeeded in ${seconds(event.durationMs)}`
        : `Committed: ${event.from} -> ${event.to} in ${seconds(event.durationMs)}`;
    case 'rolled back':
      return `Rolled back, still at ${event.from}: ${event.reason}`;
  }
}

/** `pid 42 (alice, psql, idle in transaction): select …`, one for each blocker. */
export function describeBlockers(blockers: readonly Blocker[]): string {
  if (blockers.length === 0) return 'a session that has ended since';
  return blockers
    .map(
      ({ pid, user, application, state, query }) =>
        `pid ${pid} (${[user, application, state].filter(Boolean).join(', ')}): ${query}`,
    )
    .join('; ');
}

function stepName(direction: Direction): string {
  return direction === 'upgrade' ? 'Step' : direction === 'downgrade' ? 'Rollback Step' : 'Finalize Step';
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`;
}
