// The server of the local twin: the one in DATABASE_URL, or else a new one.
import { startEmbedded } from './server/embedded.ts';
import { useGiven } from './server/given.ts';
import type { LocalServer } from './server/server.ts';

export type {
  Credentials,
  LocalServer,
  LocalSnapshot,
  ServerAddress,
} from './server/server.ts';

/**
 * @param databaseUrl the value of DATABASE_URL; without one a server is started
 * @param settings of the server that is started
 */
export async function startServer(
  databaseUrl: string | undefined,
  settings: readonly string[] = [],
): Promise<LocalServer> {
  return databaseUrl ? useGiven(databaseUrl) : startEmbedded({ settings });
}
