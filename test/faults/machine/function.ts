// A fault in the process of a function: it dies, hangs, throws, runs twice, or outlives its caller.
import { spawn } from 'node:child_process';
import { appendFileSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';

/** The fault of an invocation. `after` means: it does its work, and its answer is lost. */
export type Mishap =
  /** It has no fault; a case may kill it from outside. */
  | { readonly does: 'work' }
  | { readonly does: 'throw'; readonly name: string; readonly after?: boolean }
  | { readonly does: 'die'; readonly after?: boolean }
  | { readonly does: 'run out of memory' }
  | { readonly does: 'hang'; readonly after?: boolean }
  /** Lambda delivers one task to two invocations, in turn or at once. */
  | { readonly does: 'work twice'; readonly at?: 'once' }
  /** Lambda gives up waiting for an invocation that goes on. */
  | { readonly does: 'go on'; readonly name: string };

export interface Disturbance {
  /** Folder and handler of the function as deployed. */
  readonly folder: string;
  readonly handler: string;
  readonly mishap: Mishap;
  /** How many invocations have the fault; the next one works. @default all */
  readonly times?: number | undefined;
  /** Replaces variables of the deployed function. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

interface Context {
  getRemainingTimeInMillis(): number;
}
type Handler = (payload: unknown, context: Context) => Promise<unknown>;

/** File with the pid of the last invocation that had the fault. */
export const PID_FILE = 'pid';
/** File with a byte for each invocation. */
const COUNT_FILE = 'count';

/**
 * The handler of a function with a fault.
 *
 * @param load loads the code of the function
 * @param folder of the pid file and the count file
 */
export function disturb(disturbance: Disturbance, load: (file: string) => object, folder: string): Handler {
  const { mishap, times = Number.POSITIVE_INFINITY, environment = {} } = disturbance;
  Object.assign(process.env, environment);
  const [file = '', name = ''] = disturbance.handler.split('.');
  const path = join(disturbance.folder, `${file}.js`);
  return async (payload, context) => {
    const work = async () => {
      const handler = (load(path) as Readonly<Record<string, Handler>>)[name] as Handler;
      // The process is killed after its answer, before Node writes the cache.
      flushCompileCache();
      return handler(payload, context);
    };
    if (count(folder) > times) return work();
    writeFileSync(join(folder, PID_FILE), String(process.pid));
    if ('after' in mishap && mishap.after) await work();
    switch (mishap.does) {
      case 'work':
        return work();
      case 'throw':
        throw named(mishap.name);
      case 'die':
        process.kill(process.pid, 'SIGKILL');
        return new Promise(() => {});
      case 'run out of memory':
        return hoard();
      case 'hang':
        return new Promise(() => {});
      case 'work twice':
        if (mishap.at === 'once') return (await Promise.all([work(), work()]))[1];
        await work();
        return work();
      case 'go on':
        await outlive(path, name, payload, folder);
        throw named(mishap.name);
    }
  };
}

function count(folder: string): number {
  const file = join(folder, COUNT_FILE);
  appendFileSync(file, '.');
  return readFileSync(file).length;
}

/** An error with this name: an ending, or any other error. */
function named(name: string): Error {
  try {
    const text = { message: `${name}, thrown on purpose`, hint: 'Do what the error says.' };
    return new BackstopError(name as never, text);
  } catch {
    return Object.assign(new Error(`${name}, thrown on purpose`), { name });
  }
}

function hoard(): never {
  const all: number[][] = [];
  for (;;) all.push(new Array(1_000_000).fill(Math.PI));
}

/** Does the work in a detached process; resolves when its log shows that it works. */
async function outlive(path: string, name: string, payload: unknown, folder: string): Promise<void> {
  const work = `require(${JSON.stringify(path)}).${name}(${JSON.stringify(payload)}, { getRemainingTimeInMillis: () => 60000 })`;
  const log = join(folder, 'log');
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, ['-e', work], { detached: true, stdio: ['ignore', output, output] });
  child.unref();
  while (statSync(log).size === 0) await setTimeout(20);
}
