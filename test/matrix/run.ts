// `npm run test:matrix`: the chain, the scenarios, the engine and some of the faults on every supported PostgreSQL.
import { spawnSync } from 'node:child_process';
import { ROOT } from '../../lib/paths.ts';
import { installationOf, MAJORS } from './installations.ts';

const SELECTION = [
  'test/matrix',
  'test/migrations',
  'test/scenarios',
  'test/setup',
  'test/lambda/migrator',
  'test/faults/selection',
];

const asked = process.argv.slice(2).map(Number);
const failed: number[] = [];
for (const major of asked.length > 0 ? asked : MAJORS) {
  console.log(`\nPostgreSQL ${major}`);
  // Before the tests, so that a failed installation is reported once and alone.
  await installationOf(major);
  const args = [
    'test',
    '--silent',
    '--',
    '--testRegex',
    '(/[^./]+|\\.slow)\\.test\\.ts$',
    '--testPathPatterns',
    ...SELECTION,
  ];
  const { status } = spawnSync('npm', args, {
    cwd: ROOT,
    env: { ...process.env, TEST_POSTGRES: String(major) },
    stdio: 'inherit',
  });
  if (status !== 0) failed.push(major);
}
console.log(failed.length === 0 ? '\nAll pass.' : `\nFailed on PostgreSQL ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
