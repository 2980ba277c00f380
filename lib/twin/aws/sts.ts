// The Query protocol of AWS STS: GetCallerIdentity.
import type { LocalAccount } from './account.ts';

/** Performs one action; undefined if it is not known. */
export function callSts({ surroundings }: LocalAccount, action: string): object | undefined {
  if (action !== 'GetCallerIdentity') return undefined;
  const { account, arn } = surroundings.caller;
  return { UserId: 'local', Account: account, Arn: arn };
}
