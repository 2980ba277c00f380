// The process that reads SQL apart: standard input holds the SQL, standard output gets the window as JSON.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** A thread may have a larger stack than a process: enough for 100,000 terms of one sum. In MB. */
const STACK_MB = 64;
/** Beyond it the thread ends, and not the machine. In MB. */
const HEAP_MB = 4096;

const thread = new Worker(join(import.meta.dirname, 'thread.ts'), {
  workerData: readFileSync(0, 'utf8'),
  resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
});
thread.on('message', (window: string) => process.stdout.write(window));
thread.on('error', () => {
  process.exitCode = 1;
});
