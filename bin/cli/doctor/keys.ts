// Whether the configured keys of KMS can encrypt and decrypt.
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import type { Environment } from './environment.ts';
import { bad, type Finding, goodUnless, unlessMissing } from './finding.ts';

/** Nothing if no key is configured. */
export async function checkKeys({ clients, settings }: Environment): Promise<Finding[]> {
  const { kmsKeyArn, databases } = settings;
  const all = [kmsKeyArn, ...Object.values(databases).map(({ secretKeyArn }) => secretKeyArn)];
  const arns = [...new Set(all.filter((arn) => arn !== undefined))];
  const checked = arns.map(async (arn) => {
    const answer = await unlessMissing(
      clients.kms.send(new DescribeKeyCommand({ KeyId: arn })),
      /^NotFoundException$/,
    );
    const { KeyState, KeySpec, KeyUsage } = answer?.KeyMetadata ?? {};
    if (answer === undefined) return [bad(`There is no key ${arn}`, 'Correct its ARN in the configuration.')];
    const faults: Finding[] = [];
    if (KeyState !== 'Enabled') {
      const remedy = KeyState === 'PendingDeletion' ? 'cancel-key-deletion' : 'enable-key';
      faults.push(bad(`The key ${arn} is in state ${KeyState}`, `Run: aws kms ${remedy} --key-id ${arn}`));
    }
    if (KeySpec !== 'SYMMETRIC_DEFAULT' || KeyUsage !== 'ENCRYPT_DECRYPT') {
      const hint = 'Name a symmetric key for encryption.';
      faults.push(bad(`The key ${arn} is of the kind ${KeySpec} for ${KeyUsage}`, hint));
    }
    return goodUnless(faults, arn);
  });
  return (await Promise.all(checked)).flat();
}
