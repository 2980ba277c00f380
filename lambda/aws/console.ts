// Links to pages of the AWS console.

/** Partition → the host of its console; a region's own is a subdomain of it. */
export const CONSOLE_HOSTS = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
} as const;

/** The page of an execution of Step Functions. */
export function executionLink(arn: string): string {
  const [, partition = '', , region = ''] = arn.split(':');
  const host = partition in CONSOLE_HOSTS ? CONSOLE_HOSTS[partition as keyof typeof CONSOLE_HOSTS] : '';
  return `https://${region}.${host || CONSOLE_HOSTS.aws}/states/home?region=${region}#/v2/executions/details/${arn}`;
}
