// A sample of the faults, for every run of the tests: all that can happen to the last step and to COMMIT of an upgrade,
// and to COMMIT of the way back. The whole matrix is `npm run test:faults`.
import { testVerb } from './test-verb.ts';

await testVerb('upgrade', ({ at, fault }, { statements }) => {
  const commit = statements.indexOf('COMMIT');
  return fault !== 'blackout' && (at === commit || at === commit - 7);
});
await testVerb(
  'downgrade',
  ({ at, fault }, { statements }) => fault !== 'blackout' && statements[at] === 'COMMIT',
);
