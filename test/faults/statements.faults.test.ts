// Every verb, disturbed at every statement. The run has two halves, each with every other case: test/faults/jest.config.js.
import { type Half, testVerb } from './test-verb.ts';
import { VERBS, type VerbName } from './verbs.ts';

const { half } = globalThis as { half?: Half };

for (const verb of Object.keys(VERBS) as VerbName[]) {
  await testVerb(verb, half && ((_fault, _script, index) => index % 2 === half.remainder));
}
