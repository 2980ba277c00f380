// The cases of one verb as tests.
import { casesOf, type FaultCase } from './cases.ts';
import { discardAll, learn, type Script } from './places.ts';
import { runCase } from './run-case.ts';
import type { VerbName } from './verbs.ts';

afterAll(discardAll);

/** @param select which of the cases; default: all */
export async function testVerb(
  verb: VerbName,
  select: (fault: FaultCase, script: Script) => boolean = () => true,
): Promise<void> {
  const script = await learn(verb);
  for (const fault of casesOf(verb, script).filter((one) => select(one, script))) {
    test.concurrent(describeCase(fault, script), () => runCase(fault));
  }
}

function describeCase({ verb, at, meeting, fault }: FaultCase, { statements }: Script): string {
  const text = (statements[at] ?? '').replace(/\s+/g, ' ').slice(0, 60);
  return `${verb}: ${fault}, statement ${at} ${meeting} (${text})`;
}
