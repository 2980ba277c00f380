// The REST protocol of AWS Lambda: GetAccountSettings.
import type { LocalAccount } from './account.ts';

/** The limits of the account, and how much of them is used. */
export function callLambda({ surroundings }: LocalAccount): object {
  return surroundings.lambda;
}
