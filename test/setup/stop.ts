// After all tests: the server and what was synthesised go.
import { rmSync } from 'node:fs';

export default async function stop(): Promise<void> {
  await globalThis.backstopTestServer?.stop();
  rmSync(process.env.BACKSTOP_TEST_ASSEMBLY ?? '', { recursive: true, force: true });
}
