// Answers and documents above the 256 KiB of Step Functions: an answer is lost as any other, a document ends the execution.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeployedFunction, Deployment } from '../../lib/twin/deployment.ts';
import { deployed, expectEnding, makeTwin } from './twin.ts';

/** The functions of these names answer with so many bytes more. */
function padded(names: readonly string[], bytes: number): Deployment {
  const functions = [...deployed.functions].map(
    ([arn, each]) => [arn, names.includes(each.name) ? pad(each, bytes) : each] as const,
  );
  return { ...deployed, functions: new Map(functions) };
}

function pad(original: DeployedFunction, bytes: number): DeployedFunction {
  const [file = '', name = ''] = original.handler.split('.');
  const folder = mkdtempSync(join(process.env.BACKSTOP_TEST_ASSEMBLY ?? '', 'padded-'));
  writeFileSync(
    join(folder, 'index.js'),
    `exports.handler = async (...input) => ({
       ...(await require(${JSON.stringify(join(original.folder, `${file}.js`))}).${name}(...input)),
       padding: 'x'.repeat(${bytes}),
     });`,
  );
  const environment = { ...original.environment, LAMBDA_TASK_ROOT: original.folder };
  return { ...original, folder, handler: 'index.handler', environment };
}

const visited = (run: { execution: { states: readonly { name: string }[] } }) =>
  run.execution.states.map(({ name }) => name);

test('of the migration: the database is asked, and the execution goes on', async () => {
  await using twin = await makeTwin({ deployment: padded(['Migrate'], 262_144) });
  const run = await twin.execute({ snapshot: false });
  expect(visited(run)).toContain('Reconcile');
  expect(run.execution.status).toBe('SUCCEEDED');
  expect(run.after.revision).toBe('002');
});

test('of the checks: the upgrade is taken back', async () => {
  await using twin = await makeTwin({ deployment: padded(['Validate'], 262_144) });
  const run = await twin.execute({ snapshot: false });
  expect(run.after).toMatchObject({ revision: '005', rows: run.before.rows, schema: run.before.schema });
  expect(run.execution.error).toBe('DowngradeFailed');
  expect(run.execution.cause).toContain('States.DataLimitExceeded');
});

test('of Preflight: nothing is changed', async () => {
  await using twin = await makeTwin({ deployment: padded(['Preflight'], 262_144) });
  expectEnding(await twin.execute({ snapshot: false }), 'DatabaseUnreachable');
});

test('a document that outgrows it ends the execution by no ending of ours', async () => {
  await using twin = await makeTwin({ deployment: padded(['Preflight', 'Migrate'], 140_000) });
  const { execution } = await twin.execute({ snapshot: false });
  expect(execution).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  expect(execution.cause).toContain("'Migrate'");
});
