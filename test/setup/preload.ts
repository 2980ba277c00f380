// Loaded before everything else in each process of jest.
import { appendFileSync } from 'node:fs';

// A deprecated use of node-postgres fails the run (stop.ts): the next major version does not have it any more.
process.on('warning', ({ name, message, stack }) => {
  const { BACKSTOP_TEST_WARNINGS: file } = process.env;
  if (file && name === 'DeprecationWarning' && /\bpg\b/i.test(message)) appendFileSync(file, `${stack}\n`);
});

// A worker with nothing left to do is gone at once. jest allows it half a second, and after its last exit handler Node may
// need longer to free the modules and the compiled WebAssembly of many test files. A worker with an open handle does not
// come here: jest still reports it.
if (process.env.JEST_WORKER_ID) {
  process.on('beforeExit', () => {
    process.on('exit', () => process.kill(process.pid, 'SIGKILL'));
    process.exit();
  });
}
