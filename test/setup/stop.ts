// After all tests: the server and the files of the run go.
import { rmSync } from 'node:fs';

export default async function stop(): Promise<void> {
  const { folder, server, synthesis } = globalThis.backstopTestRun ?? {};
  await synthesis?.stop();
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
