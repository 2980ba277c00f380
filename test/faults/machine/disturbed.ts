// The deployment with one disturbed function: the state calls it as before, and a fault happens in it.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeployedFunction, Deployment } from '../../../lib/twin/deployment.ts';
import { type Disturbance, PID_FILE } from './function.ts';

const ASSEMBLY = process.env.BACKSTOP_TEST_ASSEMBLY ?? '';

/** Enough to start a function. */
const LITTLE_MEMORY_MB = 64;

export interface Disturbed {
  readonly deployment: Deployment;
  /** Ends the invocation that is at work. */
  kill(): void;
}

/** Gives one state a separate function; other states still call the undisturbed function. */
export function disturbState(
  deployment: Deployment,
  state: string,
  how: Pick<Disturbance, 'mishap' | 'times' | 'environment'>,
): Disturbed {
  const { States: states } = deployment.definition;
  const task = states[state] as { Resource: string };
  const original = deployment.functions.get(task.Resource) as DeployedFunction;
  const { folder: code, handler } = original;
  const folder = mkdtempSync(join(ASSEMBLY, 'disturbed-'));
  const disturbance: Disturbance = { ...how, folder: code, handler };
  writeFileSync(
    join(folder, 'index.js'),
    `const { disturb } = require(${JSON.stringify(join(import.meta.dirname, 'function.ts'))});
     exports.handler = disturb(${JSON.stringify(disturbance)}, require, __dirname);`,
  );
  const disturbed: DeployedFunction = {
    ...original,
    arn: `${original.arn}:disturbed`,
    folder,
    handler: 'index.handler',
    environment: { ...original.environment, LAMBDA_TASK_ROOT: code },
    ...(how.mishap.does === 'hang' && { timeoutSeconds: how.mishap.after ? 10 : 1 }),
    ...(how.mishap.does === 'run out of memory' && { memoryMb: LITTLE_MEMORY_MB }),
  };
  return {
    deployment: {
      definition: {
        ...deployment.definition,
        States: { ...states, [state]: { ...task, Resource: disturbed.arn } },
      } as Deployment['definition'],
      functions: new Map([...deployment.functions, [disturbed.arn, disturbed] as const].map(cached)),
    },
    kill() {
      process.kill(Number(readFileSync(join(folder, PID_FILE))), 'SIGKILL');
    },
  };
}

/** Halves the time that a function takes to load: the cases make thousands of invocations. */
function cached([arn, each]: readonly [string, DeployedFunction]): [string, DeployedFunction] {
  const environment = { ...each.environment, NODE_COMPILE_CACHE: join(ASSEMBLY, 'compiled') };
  return [arn, { ...each, environment }];
}
