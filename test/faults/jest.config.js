// How the faults run: as the tests do, but only they, several at once, and counted.
import { join } from 'node:path';
import tests from '../../jest.config.js';

const rootDir = join(import.meta.dirname, '../..');
/** So many that no worker is idle for long while another ends. */
const PARTS = 8;
const STATEMENTS = '/statements\\.faults\\.test\\.ts$';

const { maxWorkers, workerIdleMemoryLimit, ...shared } = tests;
const project = {
  ...shared,
  rootDir,
  // A case that hangs ends by itself. A case that starts twenty processes beside nine other cases needs minutes.
  testTimeout: 400_000,
};

/** @type {import('jest').Config} */
export default {
  maxWorkers,
  workerIdleMemoryLimit,
  reporters: ['default', '<rootDir>/test/faults/reporter.ts'],
  rootDir,
  testTimeout: project.testTimeout,
  // Most cases wait for a server or a bound.
  maxConcurrency: 10,
  projects: [
    ...Array.from({ length: PARTS }, (_, remainder) => ({
      ...project,
      displayName: `part ${remainder + 1}`,
      testRegex: STATEMENTS,
      globals: { part: { of: PARTS, remainder } },
    })),
    {
      ...project,
      displayName: 'other',
      testRegex: '\\.faults\\.test\\.ts$',
      testPathIgnorePatterns: ['/node_modules/', STATEMENTS],
    },
  ],
};
