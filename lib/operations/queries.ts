// Saved queries of CloudWatch Logs Insights, for the log of the functions.
import { Stack } from 'aws-cdk-lib';
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { ProgressEvent } from '../../lambda/migrator/model/events.ts';

/** The commands of a query, in order. */
export type Query = readonly string[];

/** A function that Lambda ends cannot log its own error. */
const IS_ERROR = 'level = "ERROR" or @message like /Task timed out|Runtime exited|Runtime\\.ExitError/';
const eventIs = (...types: ProgressEvent['type'][]) => `progress.type in ${JSON.stringify(types)}`;

export const LAST_ERRORS: Query = [
  'fields @timestamp, execution, database, coalesce(message, @message) as error',
  `filter ${IS_ERROR}`,
  'sort @timestamp desc',
  'limit 20',
];

/** The saved queries, by the id of their construct. */
export const QUERIES: Readonly<Record<string, { readonly name: string; readonly query: Query }>> = {
  ExecutionQuery: {
    name: 'Steps of an execution',
    query: [
      'fields @timestamp, database, revision, level, message',
      'filter ispresent(message) and execution = "write the name of the execution here"',
      'sort @timestamp asc',
      'limit 1000',
    ],
  },
  ErrorsQuery: {
    name: 'Errors by ending',
    query: [
      'filter level = "ERROR"',
      'stats count(*) as errors, max(@timestamp) as last by error.name, database',
      'sort errors desc',
    ],
  },
  StepsQuery: {
    name: 'Steps by duration',
    query: [
      `filter ${eventIs('step completed')}`,
      'fields progress.step.durationMs as ms, progress.step.walBytes as wal',
      'stats max(ms) as longestMs, avg(ms) as averageMs, max(wal) as mostWalBytes, count(*) as runs by database, ' +
        'progress.step.direction, progress.step.revision, progress.step.number, progress.step.title',
      'sort longestMs desc',
      'limit 100',
    ],
  },
  LocksQuery: {
    name: 'Locks and waits',
    query: [
      'fields @timestamp, execution, database, message, progress.step.locks.0.relation, progress.step.locks.0.mode',
      `filter ${eventIs('waiting', 'retrying', 'exceeding', 'rolled back')} or ispresent(progress.step.locks.0.relation)`,
      'sort @timestamp desc',
      'limit 200',
    ],
  },
};

/** Saves the queries, in a folder with the stack's name. */
export function addQueries(scope: Construct, { logGroupName }: ILogGroup): void {
  for (const [id, { name, query }] of Object.entries(QUERIES)) {
    new CfnQueryDefinition(scope, id, {
      name: `${Stack.of(scope).stackName}/${name}`,
      queryString: asText(query),
      logGroupNames: [logGroupName],
    });
  }
}

export function asText(query: Query): string {
  return query.join('\n| ');
}
