// The JSON 1.1 protocol of AWS KMS: DescribeKey.
import { AwsFaultError, type LocalAccount } from './account.ts';

/** Performs one action; undefined if it is not known. */
export function callKms(
  { surroundings: { keys } }: LocalAccount,
  action: string,
  { KeyId: id = '' }: Readonly<Record<string, string>>,
): object | undefined {
  if (action !== 'DescribeKey') return undefined;
  const key = keys[id];
  if (key !== undefined) return { KeyMetadata: { Arn: id, ...key } };
  throw new AwsFaultError({ code: 'NotFoundException', message: `Key '${id}' does not exist` });
}
