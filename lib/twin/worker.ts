// The process in which one invocation runs: loads the bundled asset as Lambda would, calls it, answers, ends.
import { readFileSync } from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import { join } from 'node:path';

export interface Invocation {
  readonly folder: string;
  readonly handler: string;
  readonly functionName: string;
  readonly requestId: string;
  /** Epoch in ms at which Lambda would end the function. */
  readonly deadline: number;
  readonly payload: unknown;
}

export type Answer = Measured &
  (
    | { readonly result: unknown }
    | { readonly error: { errorType: string; errorMessage: string; trace: string[] } }
  );

export interface Measured {
  /** How long the asset took to load, in ms. */
  readonly loadMs: number;
  /** The most memory that the process ever had, in MiB. */
  readonly peakMemoryMb: number;
}

process.once('message', async (invocation: Invocation) => {
  const answer = await invoke(invocation);
  process.send?.(answer, () => process.exit());
});

async function invoke({
  folder,
  handler,
  functionName,
  requestId,
  deadline,
  payload,
}: Invocation): Promise<Answer> {
  const started = performance.now();
  let loadMs = 0;
  const measured = (): Measured => ({ loadMs, peakMemoryMb: peakMemoryKb() / 1024 });
  try {
    const [file = '', name = ''] = handler.split('.');
    const loaded = createRequire(import.meta.url)(join(folder, `${file}.js`));
    loadMs = performance.now() - started;
    // This process is killed as soon as it has answered; does nothing unless NODE_COMPILE_CACHE is set.
    flushCompileCache();
    const context = {
      functionName,
      awsRequestId: requestId,
      invokedFunctionArn: functionName,
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
    return { result: await loaded[name](payload, context), ...measured() };
  } catch (error) {
    const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    return { error: { errorType: name, errorMessage: message, trace: stack.split('\n') }, ...measured() };
  }
}

/** Linux counts what the parent had at the fork into maxRSS; its high-water mark is the process's own. */
function peakMemoryKb(): number {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
