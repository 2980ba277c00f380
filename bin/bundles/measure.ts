// The size of each function's bundle, and the time that Node takes to load it at a cold start.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CA_VARIABLE } from '../../lib/functions.ts';
import { STACK, synthesize } from '../../lib/synthesize.ts';
import { REGION } from '../../lib/twin/aws/account.ts';
import { type DeployedFunction, readDeployment } from '../../lib/twin/deployment.ts';

export interface Bundle {
  /** The name of the function. */
  readonly name: string;
  /** Size of the code, without the revisions, which are not loaded with it. */
  readonly bytes: number;
  /** Median over several processes. */
  readonly loadMs: number;
}

/** Synthesizes the stack of cdk.json, and loads every bundle `runs` times, each time in a new process. */
export function measureBundles(runs: number): Bundle[] {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-cdk-'));
  try {
    const { functions } = readDeployment(synthesize(folder), STACK);
    return [...functions.values()].map((deployed) => ({
      name: deployed.name,
      bytes: statSync(join(deployed.folder, 'index.js')).size,
      loadMs: median(Array.from({ length: runs }, () => loadMs(deployed))),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const LOAD =
  'const before = performance.now(); require("./index.js"); console.log(performance.now() - before)';

function loadMs({ folder, environment }: DeployedFunction): number {
  // The authorities of Lambda's own runtime are not on this machine.
  const env = { ...environment, [CA_VARIABLE]: '', AWS_REGION: REGION };
  return Number(execFileSync(process.execPath, ['--eval', LOAD], { cwd: folder, env, encoding: 'utf8' }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
