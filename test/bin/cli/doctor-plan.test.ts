// The plans that the verb doctor starts, executed by the deployed state machine on a real database.
import { makeTwin, type TwinOptions } from '../../machine/twin.ts';
import { backstop, type Ending } from './program.ts';

/** The lines about the plan, and the last line. */
async function planOn(at: NonNullable<TwinOptions['at']>): Promise<Pick<Ending, 'status' | 'out'>> {
  await using twin = await makeTwin({ at });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: twin.endpoint.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'administrator',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const StateMachineArn = 'arn:aws:states:eu-central-1:111122223333:stateMachine:Backstop';
  twin.endpoint.surroundings.stacks.Backstop = { status: 'CREATE_COMPLETE', outputs: { StateMachineArn } };
  const { status, out } = await backstop(['doctor']);
  expect(out.join('\n')).not.toContain(twin.database.settings.password);
  return { status, out: out.slice(out.findIndex((line) => line.includes('plan of'))) };
}

test('a plan is green, and says which revisions would run', async () => {
  const { out } = await planOn('005');
  expect(out[0]).toBe('✅ plan of codebase_mcp: At 005, target 002: 002 to run.');
});

test('a plan that Preflight refuses is red, with the name of the ending, its cause and its remedy', async () => {
  const { status, out } = await planOn('without extension');
  expect(status).toBe(1);
  expect(out[0]).toMatch(/^❌ plan of codebase_mcp: The plan ended as ExtensionMissing: .*vector/);
  expect(out[1]).toMatch(/^ {3}HINT: {2}.*CREATE EXTENSION/);
});
