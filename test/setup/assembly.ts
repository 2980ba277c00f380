// The stack as the twin deploys it: synthesized once a run, in a process beside the first tests, and waited for by the
// tests that need it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudAssembly } from 'aws-cdk-lib/cx-api';

/** Much longer than a synthesis takes, in ms; a test run that was killed leaves nothing to wait for. */
const PATIENCE_MS = 300_000;

export interface Synthesis {
  /** Where the assembly will be. */
  readonly folder: string;
  /** Ends the process if it still runs. */
  stop(): Promise<void>;
}

/** Starts a process that synthesizes cdk.json, with drills allowed, into a new folder of `parent`. */
export function startSynthesis(parent: string): Synthesis {
  const folder = join(parent, 'assembly');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'synthesize.ts'), folder], {
    // Its own process group, so that the bundlers end with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(([status]) =>
    writeWhole(endOf(folder), status === 0 ? '' : output),
  );
  return {
    folder,
    async stop() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}

/** The assembly of this run, as soon as it is complete; throws what the synthesis printed if it failed. */
export async function readAssembly(folder: string): Promise<CloudAssembly> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!existsSync(endOf(folder))) {
    if (performance.now() > giveUpAt) throw new Error(`there is no cloud assembly in ${folder}`);
    await sleep(50);
  }
  const failure = readFileSync(endOf(folder), 'utf8');
  if (failure) throw new Error(`The stack cannot be synthesized:\n${failure}`);
  return new CloudAssembly(folder);
}

/** The file that says how the synthesis has ended: empty, or the output of a failed synthesis. */
function endOf(folder: string): string {
  return `${folder}.ended`;
}

/** The file is there whole or not at all. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
