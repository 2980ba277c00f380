// The JSON 1.0 protocol of AWS Step Functions: starts an execution of the local state machine, and describes its end.
import { randomUUID } from 'node:crypto';
import { AwsFaultError, type LocalAccount } from './account.ts';
import type { Ending } from './surroundings.ts';

/** The end of each execution by its ARN; undefined while it runs. */
const executions = new Map<string, Ending | undefined>();

/** Performs one action; undefined if it is not known. */
export function callStates(
  { surroundings: { machine } }: LocalAccount,
  action: string,
  { stateMachineArn: arn = '', executionArn = '', input = '{}' }: Readonly<Record<string, string>>,
): object | undefined {
  switch (action) {
    case 'DescribeStateMachine':
      requireMachine(machine, arn);
      return { stateMachineArn: arn, name: arn.split(':').at(-1), status: 'ACTIVE' };
    case 'StartExecution': {
      requireMachine(machine, arn);
      const started = `${arn.replace(':stateMachine:', ':execution:')}:${randomUUID()}`;
      executions.set(started, undefined);
      machine(JSON.parse(input)).then((ending) => executions.set(started, ending));
      return { executionArn: started, startDate: Date.now() / 1000 };
    }
    case 'DescribeExecution': {
      const { status = 'RUNNING', output, ...rest } = executions.get(executionArn) ?? {};
      return {
        executionArn,
        status,
        ...rest,
        ...(output !== undefined && { output: JSON.stringify(output) }),
      };
    }
    default:
      return undefined;
  }
}

type Machine = LocalAccount['surroundings']['machine'];

function requireMachine(machine: Machine, arn: string): asserts machine is NonNullable<Machine> {
  if (machine) return;
  throw new AwsFaultError({
    code: 'StateMachineDoesNotExist',
    message: `State Machine Does Not Exist: '${arn}'`,
  });
}
