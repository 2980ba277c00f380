// One invocation of a deployed function, in a separate process with the environment of that function.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { DeployedFunction } from './deployment.ts';
import type { Answer, Invocation, Measured } from './worker.ts';

/** A line that a function wrote: JSON if the logger wrote it, bare text otherwise. */
export type LogListener = (line: Record<string, unknown> | string) => void;

/** An error as Lambda hands it to Step Functions: the name to match, and the JSON of its details. */
class FunctionError extends Error {
  constructor(name: string, details: { errorMessage: string; errorType?: string; trace?: string[] }) {
    super(JSON.stringify({ errorType: name, ...details }));
    this.name = name;
  }
}

/**
 * Invokes a function and waits for its answer.
 *
 * @param environment replaces single variables of the function's own
 * @throws FunctionError with the error that the function threw; `Sandbox.Timedout` and `Runtime.ExitError` as
 *   Lambda names a function that ran out of time or ended without an answer
 */
export async function invoke(
  deployed: DeployedFunction,
  payload: unknown,
  environment: Readonly<Record<string, string>>,
  log: LogListener,
  measured: (measured: Measured) => void,
): Promise<unknown> {
  const requestId = randomUUID();
  const { NODE_COMPILE_CACHE } = process.env;
  const child = fork(join(import.meta.dirname, 'worker.ts'), [], {
    cwd: deployed.folder,
    // Not the environment of this process: a function has the variables of the template and of Lambda.
    env: {
      LAMBDA_TASK_ROOT: deployed.folder,
      // Saves time and changes nothing else.
      ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
      ...deployed.environment,
      ...environment,
    },
    execArgv: [`--max-old-space-size=${deployed.memoryMb}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) readLines(stream, log);
  const timeoutMs = deployed.timeoutSeconds * 1000;
  const { handler, folder, name: functionName } = deployed;
  const invocation: Invocation = {
    folder,
    handler,
    functionName,
    requestId,
    deadline: Date.now() + timeoutMs,
    payload,
  };
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        const errorMessage = `Task timed out after ${deployed.timeoutSeconds} seconds`;
        reject(new FunctionError('Sandbox.Timedout', { errorMessage }));
      }, timeoutMs);
      child.once('message', (message) => resolve(message as Answer));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        const errorMessage = `Runtime exited without an answer: ${signal ?? `exit status ${code}`}`;
        const silent = () => reject(new FunctionError('Runtime.ExitError', { errorMessage }));
        // Its answer may still be on the way.
        if (child.connected) child.once('disconnect', silent);
        else silent();
      });
      child.send(invocation);
    });
    measured(answer);
    if ('error' in answer) throw new FunctionError(answer.error.errorType, answer.error);
    return answer.result;
  } finally {
    child.kill('SIGKILL');
  }
}

function readLines(stream: Readable | null, log: LogListener): void {
  if (!stream) return;
  createInterface({ input: stream }).on('line', (line) => {
    try {
      log(JSON.parse(line));
    } catch {
      log(line);
    }
  });
}
