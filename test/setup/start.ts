// Before all tests: one PostgreSQL server, template databases on it, and the stack synthesised once.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../lib/synthesize.ts';
import { localDatabases } from '../../lib/twin/databases.ts';
import { startTestServer } from './server.ts';
import { makeTemplates } from './templates.ts';

export default async function start(): Promise<void> {
  const server = await startTestServer();
  const { host, port, user, password, tls } = server;
  // Workers inherit the environment.
  process.env.BACKSTOP_TEST_SERVER = JSON.stringify({ host, port, user, password, tls });
  process.env.BACKSTOP_TEST_TEMPLATES = JSON.stringify(await makeTemplates(server));
  process.env.BACKSTOP_TEST_ASSEMBLY = mkdtempSync(join(tmpdir(), 'backstop-test-cdk-'));
  synthesize(process.env.BACKSTOP_TEST_ASSEMBLY, { allowDrills: true, databases: localDatabases() });
  globalThis.backstopTestServer = server;
}
