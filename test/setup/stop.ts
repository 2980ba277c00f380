// After all tests: the server and the files of the run go; a deprecated use of node-postgres fails the run.
import { existsSync, readFileSync, rmSync } from 'node:fs';

export default async function stop(): Promise<void> {
  const { folder = '', server, synthesis } = globalThis.backstopTestRun ?? {};
  await synthesis?.stop();
  await server?.stop();
  const { BACKSTOP_TEST_WARNINGS: file = '' } = process.env;
  const warnings = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  if (warnings)
    throw new Error(`Tests use what node-postgres will not have in its next version:\n${warnings}`);
}
