// The server that the tests run on.
import { startEmbedded } from '../../lib/twin/server/embedded.ts';
import { type LocalServer, startServer } from '../../lib/twin/server.ts';
import { installationOf } from '../matrix/installations.ts';

/**
 * `TEST_DATABASE_URL` names a server to use; without it one is started, of the major version that `TEST_POSTGRES`
 * names, or else the newest.
 */
export async function startTestServer(): Promise<LocalServer> {
  const { TEST_DATABASE_URL, TEST_POSTGRES } = process.env;
  if (TEST_DATABASE_URL || !TEST_POSTGRES) return startServer(TEST_DATABASE_URL || undefined);
  return startEmbedded({ installation: await installationOf(Number(TEST_POSTGRES)) });
}
