// The dashboard: how executions end, how long they take, and their cost for the database.
import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  LogQueryWidget,
  SearchExpression,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../../lambda/aws/names.ts';
import type { MetricName } from '../../lambda/runtime/metrics.ts';
import { asText, LAST_ERRORS } from './queries.ts';

/** CloudWatch divides a row into 24. */
const ROW = 24;
const THIRD = { width: ROW / 3, height: 7 };

export function addDashboard(scope: Construct, stateMachine: StateMachine, logGroup: ILogGroup): Dashboard {
  const { MAXIMUM, SUM } = Stats;
  const dashboard = new Dashboard(scope, 'Dashboard', { defaultInterval: Duration.days(7) });
  dashboard.addWidgets(
    graph('Endings', 'executions', search('Endings', SUM, 'ending')),
    graph('Executions by status', 'executions', ...executionsByStatus(stateMachine)),
    graph('Snapshot: until it was available', 'seconds', search('SnapshotDuration', MAXIMUM)),
  );
  dashboard.addWidgets(
    graph('Functions: longest', 'milliseconds', search('Duration', MAXIMUM)),
    graph('Runs: longest, with waiting for locks', 'milliseconds', search('RunDuration', MAXIMUM)),
    graph('Readers locked out: longest, of any table', 'milliseconds', search('ExclusiveLock', MAXIMUM)),
  );
  dashboard.addWidgets(
    graph('Transactions begun for one run: most', 'attempts', search('Attempts', MAXIMUM)),
    graph('Rows written', 'rows', search('RowsWritten', SUM)),
    graph('Write-ahead log', 'bytes', search('WalWritten', SUM)),
  );
  dashboard.addWidgets(
    graph('Checks that did not hold', 'checks', search('FailedChecks', SUM)),
    new LogQueryWidget({
      title: 'The last errors',
      logGroupNames: [logGroup.logGroupName],
      queryString: asText(LAST_ERRORS),
      width: ROW - THIRD.width,
      height: THIRD.height,
    }),
  );
  return dashboard;
}

function graph(title: string, label: string, ...left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, leftYAxis: { label, min: 0, showUnits: false }, ...THIRD });
}

/** A line for each database and step, or ending, that has such a metric: also for databases that come later. */
function search(name: MetricName, statistic: string, by: 'step' | 'ending' = 'step'): SearchExpression {
  return new SearchExpression({
    expression: `SEARCH('{${METRICS_NAMESPACE},service,database,${by}} MetricName="${name}"', '${statistic}')`,
    label: `\${PROP('Dim.database')} \${PROP('Dim.${by}')}`,
  });
}

function executionsByStatus(stateMachine: StateMachine): IMetric[] {
  return [
    stateMachine.metricSucceeded({ label: 'succeeded' }),
    stateMachine.metricFailed({ label: 'failed' }),
    stateMachine.metricTimedOut({ label: 'timed out' }),
    stateMachine.metricAborted({ label: 'stopped by somebody' }),
  ];
}
