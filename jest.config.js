// How jest runs: TypeScript through swc, one PostgreSQL for all files (test/setup), two workers.

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // x.test.ts, but not x.slow.test.ts or x.faults.test.ts, which are run separately.
  testRegex: '/[^./]+\\.test\\.ts$',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/setup/start.ts',
  globalTeardown: '<rootDir>/test/setup/stop.ts',
  setupFiles: ['<rootDir>/test/setup/environment.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // A test that hangs ends by itself. On a busy machine, a test that starts processes may need more than a minute.
  testTimeout: 180_000,
  maxWorkers: 2,
  // Node frees the modules of a test file late or never: a worker that has grown makes room for a new one.
  workerIdleMemoryLimit: '500MB',
};
