// The plan of a database, executed by the deployed state machine: it reaches everything that a run reaches, and changes nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Environment } from './environment.ts';
import { bad, type Finding, good } from './finding.ts';

/** Between two questions, in ms: short at first, because a plan may take only some seconds. */
const PAUSES_MS = { first: 250, longest: 5_000 };

/**
 * Starts the plan and waits for its end: the state machine limits how long that is. Rejects with the error of the SDK.
 *
 * @param database its key in the configuration
 */
export async function checkPlan(
  { clients: { machines } }: Environment,
  stateMachineArn: string,
  database: string,
): Promise<Finding[]> {
  const input = JSON.stringify({ action: 'plan', database });
  const { executionArn } = await machines.send(new StartExecutionCommand({ stateMachineArn, input }));
  for (let pause = PAUSES_MS.first; ; pause = Math.min(2 * pause, PAUSES_MS.longest)) {
    await sleep(pause);
    const execution = await machines.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING') return [judge(execution)];
  }
}

function judge({ status, error, cause = '', output = '{}', executionArn }: DescribeExecutionOutput): Finding {
  if (status === 'SUCCEEDED') return good(String(JSON.parse(output).summary?.message ?? 'Succeeded'));
  const [message = '', hint] = cause.split(/\nHINT: +/);
  return bad(
    `The plan ended as ${error ?? status}: ${message}`,
    hint ?? `Look at the execution: aws stepfunctions describe-execution --execution-arn ${executionArn}`,
  );
}
