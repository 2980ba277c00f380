// Every verb, disturbed at every statement. Each part of the run has some of the cases: test/faults/jest.config.js.
import { type Part, testVerb } from './test-verb.ts';
import { VERBS, type VerbName } from './verbs.ts';

const { part } = globalThis as { part?: Part };

for (const verb of Object.keys(VERBS) as VerbName[]) {
  await testVerb(verb, part && ((_fault, _script, index) => index % part.of === part.remainder));
}
