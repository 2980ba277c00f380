// The metrics of the functions: one line of CloudWatch's embedded metric format for each invocation, beside the log.
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE } from '../aws/names.ts';
import { printableDeep } from '../migrator/model/printable.ts';
import { type RunReport, rowsWritten, type ValidationReport } from '../migrator/model/report.ts';
import type { Snapshot } from '../state.ts';
import type { Known } from './logger.ts';

/** Every metric and its unit. */
const UNITS = {
  /** How long a function took. */
  Duration: MetricUnit.Milliseconds,
  /** From the beginning of a snapshot until it was found available. */
  SnapshotDuration: MetricUnit.Seconds,
  /** How long a run took, its waiting for locks included. */
  RunDuration: MetricUnit.Milliseconds,
  /** For how long the table that was locked longest was locked against readers. */
  ExclusiveLock: MetricUnit.Milliseconds,
  RowsWritten: MetricUnit.Count,
  /** Write-ahead log. */
  WalWritten: MetricUnit.Bytes,
  /** How often the transaction was begun. */
  Attempts: MetricUnit.Count,
  FailedChecks: MetricUnit.Count,
  /** One for each execution that ended. */
  Endings: MetricUnit.Count,
} as const;

export type MetricName = keyof typeof UNITS;
export type Measures = Readonly<Partial<Record<MetricName, number>>>;

/** The names of the functions in the metrics. */
export type Step =
  | 'Resolve input'
  | 'Preflight'
  | 'Snapshot'
  | 'Migrate'
  | 'Reconcile'
  | 'Validate'
  | 'Schedule finalize'
  | 'Finalize'
  | 'Downgrade'
  | 'Summarize';

/** The measures of a run; empty if there was nothing to do. */
export function measureRun(run: RunReport): Measures {
  if (run.outcome === 'nothing to do') return {};
  return {
    RunDuration: run.durationMs,
    ExclusiveLock: Math.max(0, ...Object.values(run.exclusiveMs)),
    RowsWritten: run.rowsWritten ?? rowsWritten(run.rows),
    WalWritten: run.walBytes,
    Attempts: run.attempts,
  };
}

/** The measures of a snapshot, once it is available. */
export function measureSnapshot({ status, createdAt }: Snapshot): Measures {
  if (status !== 'available') return {};
  return { SnapshotDuration: Math.max(0, Date.now() - Date.parse(createdAt)) / 1000 };
}

export function measureChecks({ checks }: ValidationReport): Measures {
  return { FailedChecks: checks.filter(({ passed }) => !passed).length };
}

/** The names in a line, besides its numbers. */
export interface Subject {
  /** CloudWatch keeps one series for each set of dimensions; `database` is one of them. */
  readonly dimensions: Readonly<Record<string, string>> & { readonly database: string };
  /** By this the line is found in the log. */
  readonly state: Known;
}

/** Writes the line. Never throws, whatever the measuring does: no execution fails for want of a number. */
export function emitMetrics({ dimensions, state }: Subject, measure: () => Measures): void {
  try {
    const metrics = new Metrics({
      namespace: METRICS_NAMESPACE,
      defaultDimensions: printableDeep({ ...dimensions }),
    });
    metrics.addMetadata('execution', state.execution.name);
    metrics.addMetadata('revision', state.plan?.from ?? 'unknown');
    for (const [name, value] of Object.entries(measure()).filter(([, number]) => Number.isFinite(number))) {
      metrics.addMetric(name, UNITS[name as MetricName], value);
    }
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  } catch {
    // The same facts are in the log and in the report.
  }
}
