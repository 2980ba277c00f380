// Before all tests: one PostgreSQL server, template databases on it, and the stack synthesised once.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localDatabases } from '../../lib/local/databases.ts';
import { startServer } from '../../lib/local/server/index.ts';
import { synthesize } from '../../lib/synthesize.ts';
import { makeTemplates } from './templates.ts';

/** `TEST_DATABASE_URL` names a server to use; without it one is started. */
export default async function start(): Promise<void> {
  const server = await startServer(process.env.TEST_DATABASE_URL || undefined);
  const { host, port, user, password, tls } = server;
  // Workers inherit the environment.
  process.env.BACKSTOP_TEST_SERVER = JSON.stringify({ host, port, user, password, tls });
  process.env.BACKSTOP_TEST_TEMPLATES = JSON.stringify(await makeTemplates(server));
  process.env.BACKSTOP_TEST_ASSEMBLY = mkdtempSync(join(tmpdir(), 'backstop-test-cdk-'));
  synthesize(process.env.BACKSTOP_TEST_ASSEMBLY, { allowDrills: true, databases: localDatabases() });
  globalThis.backstopTestServer = server;
}
