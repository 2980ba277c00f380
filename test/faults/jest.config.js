// How the faults run: as the tests do, but only they, several at once, and counted.
import tests from '../../jest.config.js';

const STATEMENTS = '/statements\\.faults\\.test\\.ts$';

const project = {
  ...tests,
  rootDir: '../..',
  // A case that hangs ends by itself.
  testTimeout: 120_000,
};
delete project.maxWorkers;

/** @type {import('jest').Config} */
export default {
  maxWorkers: tests.maxWorkers,
  reporters: ['default', '<rootDir>/test/faults/reporter.ts'],
  rootDir: '../..',
  // Most cases wait for a server or a bound.
  maxConcurrency: 10,
  projects: [
    // The statements of the verbs are one file, which two workers share.
    ...[0, 1].map((remainder) => ({
      ...project,
      displayName: `half ${remainder + 1}`,
      testRegex: STATEMENTS,
      globals: { half: { remainder } },
    })),
    {
      ...project,
      displayName: 'other',
      testRegex: '\\.faults\\.test\\.ts$',
      testPathIgnorePatterns: ['/node_modules/', STATEMENTS],
    },
  ],
};
