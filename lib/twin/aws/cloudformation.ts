// The Query protocol of AWS CloudFormation: DescribeStacks, for one stack.
import { AwsFaultError, type LocalAccount } from './account.ts';

/** Performs one action; undefined if it is not known. */
export function callCloudFormation(
  { surroundings: { stacks } }: LocalAccount,
  action: string,
  { StackName: name = '' }: Readonly<Record<string, string>>,
): object | undefined {
  if (action !== 'DescribeStacks') return undefined;
  const stack = stacks[name];
  if (stack === undefined) {
    throw new AwsFaultError({
      code: 'ValidationError',
      message: `Stack with id ${name} does not exist`,
    });
  }
  const outputs = Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({
    OutputKey,
    OutputValue,
  }));
  return {
    Stacks: {
      member: [{ StackName: name, StackStatus: stack.status, Outputs: { member: outputs } }],
    },
  };
}
