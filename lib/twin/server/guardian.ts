// Runs one PostgreSQL server for as long as the process that asked for it lives, then removes all that it wrote.
//
// It is a separate process because nothing in a process outlives SIGKILL. Its standard input is a pipe that only
// the asking process holds: the system closes it however that process ends, and `stop()` closes it on purpose.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { SystemUser } from './home.ts';

/** The one argument, as JSON. */
export interface GuardianOrder {
  readonly program: string;
  readonly args: readonly string[];
  /** Removed when the server has ended. */
  readonly directory: string;
  readonly user: SystemUser | undefined;
}

const order = JSON.parse(process.argv[2] ?? '') as GuardianOrder;
const server = spawn(order.program, order.args, {
  ...order.user,
  cwd: order.directory,
  stdio: ['ignore', 'ignore', 'inherit'],
});

// At once, without a checkpoint: the data is removed in the next moment.
const quit = () => server.kill('SIGQUIT');
process.stdin.once('end', quit).once('error', quit).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit);

function leave(exitStatus: number): void {
  // Tried again if a backup is still being written into it.
  rmSync(order.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  process.exit(exitStatus);
}
server.once('exit', (code) => leave(code ?? 1));
server.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  leave(1);
});
