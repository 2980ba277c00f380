// A sample of the faults, for every run of the tests: all that can happen to the last step and to COMMIT of an upgrade,
// and to COMMIT of the way back. The whole matrix is `npm run test:faults`.
import { codebaseMcp } from '../setup/database.ts';
import { testVerb } from './test-verb.ts';

const lastStep = codebaseMcp.chain.revisions.find(({ id }) => id === '002')?.upgrade.steps.at(-1)?.sql ?? '';

await testVerb('upgrade', ({ at, fault }, { statements }) => {
  if (!statements.includes(lastStep)) throw new Error('the last step of 002 is not among the statements');
  return fault !== 'blackout' && (statements[at] === 'COMMIT' || statements[at] === lastStep);
});
await testVerb(
  'downgrade',
  ({ at, fault }, { statements }) => fault !== 'blackout' && statements[at] === 'COMMIT',
);
