// Loaded before everything else in each process of jest: a deprecated use of node-postgres fails the run (stop.ts),
// because the next major version does not have it any more.
import { appendFileSync } from 'node:fs';

process.on('warning', ({ name, message, stack }) => {
  const { BACKSTOP_TEST_WARNINGS: file } = process.env;
  if (file && name === 'DeprecationWarning' && /\bpg\b/i.test(message)) appendFileSync(file, `${stack}\n`);
});
