// The cases of one verb as tests.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';
import { casesOf, type FaultCase } from './cases.ts';
import { discardAll, learn, type Script } from './databases.ts';
import { runCase } from './run-case.ts';
import type { VerbName } from './verbs.ts';

afterAll(discardAll);

// A runner that is killed leaves nothing compiled for the next one; this one does.
execFileSync(process.execPath, [join(ROOT, 'bin/backstop.ts'), '--version'], { env: process.env });

/** Every n-th case, so that several workers share a file. */
export interface Part {
  readonly of: number;
  /** The remainder of the case's number after division by `of`. */
  readonly remainder: number;
}

/** @param select which of the cases, by their number; default: all */
export async function testVerb(
  verb: VerbName,
  select: (fault: FaultCase, script: Script, index: number) => boolean = () => true,
): Promise<void> {
  const script = await learn(verb);
  for (const fault of casesOf(verb, script).filter((one, index) => select(one, script, index))) {
    test.concurrent(describeCase(fault, script), () => runCase(fault));
  }
}

function describeCase({ verb, at, meeting, fault }: FaultCase, { statements }: Script): string {
  const text = (statements[at] ?? '').replace(/\s+/g, ' ').slice(0, 60);
  return `${verb}: ${fault}, statement ${at} ${meeting} (${text})`;
}
