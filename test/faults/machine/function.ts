// What happens to a function, as it happens in its own process: it dies, hangs, throws, runs twice, or outlives its caller.
import { spawn } from 'node:child_process';
import { appendFileSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';

/** What an invocation does. `after` means: its work is done, and the answer does not arrive. */
export type Mishap =
  /** Nothing goes wrong in it; something from outside may. */
  | { readonly does: 'work' }
  | { readonly does: 'throw'; readonly name: string; readonly after?: boolean }
  | { readonly does: 'die'; readonly after?: boolean }
  | { readonly does: 'run out of memory' }
  | { readonly does: 'hang'; readonly after?: boolean }
  /** One task delivered to two invocations, one behind the other or both at once. */
  | { readonly does: 'work twice'; readonly at?: 'once' }
  /** Lambda gives up waiting for an invocation that goes on. */
  | { readonly does: 'go on'; readonly name: string };

export interface Disturbance {
  /** Folder and handler of the function as deployed. */
  readonly folder: string;
  readonly handler: string;
  readonly mishap: Mishap;
  /** How many invocations it happens to; the later ones go well. */
  readonly times?: number | undefined;
  /** Set in this process, over what the function has been given. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

interface Context {
  getRemainingTimeInMillis(): number;
}
type Handler = (payload: unknown, context: Context) => Promise<unknown>;

/** The process of the last invocation to which something happened. */
export const PID_FILE = 'pid';
/** A byte for each invocation. */
const COUNT_FILE = 'count';

/**
 * The handler of a function to which something happens.
 *
 * @param load loads the code of the function
 * @param folder where the invocations leave their traces
 */
export function disturb(disturbance: Disturbance, load: (file: string) => object, folder: string): Handler {
  const { mishap, times = Number.POSITIVE_INFINITY, environment = {} } = disturbance;
  Object.assign(process.env, environment);
  const [file = '', name = ''] = disturbance.handler.split('.');
  const path = join(disturbance.folder, `${file}.js`);
  return async (payload, context) => {
    const work = async () => {
      const handler = (load(path) as Readonly<Record<string, Handler>>)[name] as Handler;
      // What is answered is killed, too soon to write it itself.
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

/** An ending as a function throws it, or an error of another name. */
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
  for (;;) all.push(new Array(100_000).fill(0).map(Math.random));
}

/** Does the work in a process that nobody waits for; resolves when it is at work, and says so in its log. */
async function outlive(path: string, name: string, payload: unknown, folder: string): Promise<void> {
  const work = `require(${JSON.stringify(path)}).${name}(${JSON.stringify(payload)}, { getRemainingTimeInMillis: () => 60000 })`;
  const log = join(folder, 'log');
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, ['-e', work], { detached: true, stdio: ['ignore', output, output] });
  child.unref();
  while (statSync(log).size === 0) await setTimeout(20);
}
