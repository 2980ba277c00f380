// Before all tests: one PostgreSQL server, template databases on it, and the stack, which is synthesized meanwhile.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSynthesis } from './assembly.ts';
import { startTestServer } from './server.ts';
import { makeTemplates } from './templates.ts';

/** Workers, and the processes that tests start, inherit this environment. */
export default async function start(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  process.env.BACKSTOP_TEST_WARNINGS = join(folder, 'warnings.txt');
  // Node compiles each program once a run, not once a process.
  process.env.BACKSTOP_TEST_COMPILED = join(folder, 'compiled');
  // The rules of CloudFormation take seconds a test file; nag.test.ts and `npm run synth` apply them.
  process.env.CDK_VALIDATION = 'false';
  const synthesis = startSynthesis(folder);
  process.env.BACKSTOP_TEST_ASSEMBLY = synthesis.folder;
  const server = await startTestServer();
  const { host, port, user, password, tls } = server;
  process.env.BACKSTOP_TEST_SERVER = JSON.stringify({ host, port, user, password, tls });
  process.env.BACKSTOP_TEST_TEMPLATES = JSON.stringify(await makeTemplates(server));
  globalThis.backstopTestRun = { folder, server, synthesis };
}
