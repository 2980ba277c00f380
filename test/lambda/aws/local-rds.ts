// The functions that ask RDS, in this process, and the local RDS that answers them.
import { type AwsEndpoint, type LocalInstance, startAwsEndpoint } from '../../../lib/twin/aws/endpoint.ts';
import type { LocalServer } from '../../../lib/twin/server.ts';

export type Functions = typeof import('../../../lambda/aws/instance.ts') &
  typeof import('../../../lambda/aws/snapshot.ts');

/** Starts a local RDS without any instance, and points the SDK of this process to it; once in a file. */
export async function startLocalRds(): Promise<{ aws: AwsEndpoint; functions: Functions }> {
  const aws = await startAwsEndpoint();
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_ENDPOINT_URL_RDS: aws.url,
    // A second attempt would get the same answer.
    AWS_MAX_ATTEMPTS: '1',
  });
  const functions = {
    ...(await import('../../../lambda/aws/instance.ts')),
    ...(await import('../../../lambda/aws/snapshot.ts')),
  };
  return { aws, functions };
}

/** Adds an instance that is available. Its backups end at once, unless the test has another `takeSnapshot`. */
export function addInstance(
  aws: AwsEndpoint,
  identifier: string,
  properties: Partial<LocalInstance> = {},
  takeSnapshot: LocalServer['takeSnapshot'] = async () => ({
    restore: () => Promise.reject(),
    delete: async () => {},
  }),
): void {
  const server = { host: '127.0.0.1', port: 5432, user: 'admin', majorVersion: 17, takeSnapshot };
  aws.instances.set(identifier, {
    kind: 'instance',
    // Nothing connects to it.
    server: server as unknown as LocalServer,
    database: 'app',
    status: 'available',
    ...properties,
  });
}
