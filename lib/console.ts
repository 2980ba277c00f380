// The address of the AWS console, in the region and the partition that a stack is deployed into.
import { Aws, CfnMapping, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CONSOLE_HOSTS } from '../lambda/aws/console.ts';

/** The address without a slash at its end. The partition is known at deployment only, so the template has a mapping. */
export function consoleOf(scope: Construct): string {
  const hosts = Object.entries(CONSOLE_HOSTS).map(([partition, host]) => [partition, { host }]);
  const consoles = new CfnMapping(scope, 'Consoles', { mapping: Object.fromEntries(hosts) });
  return `https://${Stack.of(scope).region}.${consoles.findInMap(Aws.PARTITION, 'host')}`;
}
