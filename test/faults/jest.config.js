// How the faults run: as the tests do, but only they, several at once, and counted.
import tests from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...tests,
  rootDir: '../..',
  testRegex: '\\.faults\\.test\\.ts$',
  reporters: ['default', '<rootDir>/test/faults/reporter.ts'],
  // Most cases wait for a server or a bound; a case that hangs ends by itself.
  maxConcurrency: 10,
  testTimeout: 120_000,
};
