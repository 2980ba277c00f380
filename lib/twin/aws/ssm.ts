// The JSON 1.1 protocol of AWS Systems Manager: GetParameter.
import { AwsFaultError, type LocalAccount } from './account.ts';

/** Performs one action; undefined if it is not known. */
export function callSsm(
  { surroundings: { parameters } }: LocalAccount,
  action: string,
  { Name: name = '' }: Readonly<Record<string, string>>,
): object | undefined {
  if (action !== 'GetParameter') return undefined;
  const value = parameters[name];
  if (value !== undefined) return { Parameter: { Name: name, Type: 'String', Value: value } };
  throw new AwsFaultError({ code: 'ParameterNotFound', message: `Parameter ${name} not found.` });
}
