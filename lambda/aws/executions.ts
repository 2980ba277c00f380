// Reads ended executions of Step Functions.
import {
  DescribeExecutionCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  SFNClient,
} from '@aws-sdk/client-sfn';

const client = new SFNClient({});

/** An event may carry a whole document: at most so many of them are in memory at once. */
const EVENTS_A_PAGE = 100;

/** The input of an execution, as JSON text, and the error that ended it, if any. Rejects with the error of the SDK. */
export async function describeExecution(
  arn: string,
): Promise<{ input?: string | undefined; error?: string | undefined; cause?: string | undefined }> {
  const { input, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn: arn }));
  return { input, error, cause };
}

/**
 * The newest output of a state that `isWanted`; undefined if no state did. Rejects with the error of the SDK.
 *
 * @param isWanted called with an output as it was before it became JSON text
 */
export async function newestOutput<T>(
  arn: string,
  isWanted: (output: unknown) => output is T,
): Promise<T | undefined> {
  const newestFirst = { executionArn: arn, reverseOrder: true };
  for await (const { events = [] } of paginateGetExecutionHistory(
    { client, pageSize: EVENTS_A_PAGE },
    newestFirst,
  )) {
    const found = events.map(outputOf).find(isWanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

function outputOf({ stateExitedEventDetails }: HistoryEvent): unknown {
  try {
    return JSON.parse(stateExitedEventDetails?.output ?? '');
  } catch {
    return undefined;
  }
}
