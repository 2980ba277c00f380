// An execution on the local twin: the states that it reports, its end, and the waits that are shorter than in AWS.
import { type ExecutionEvent, execute } from '../../../lib/twin/execution.ts';
import type { State } from '../../../lib/twin/machine/definition.ts';

async function run(States: Readonly<Record<string, State>>, input: unknown = {}) {
  const events: ExecutionEvent[] = [];
  const [StartAt = ''] = Object.keys(States);
  const execution = await execute({
    name: 'run-1',
    input,
    deployment: { definition: { StartAt, States }, functions: new Map() },
    environment: {},
    listener: (event) => events.push(event),
  });
  return { execution, events };
}

test('that fails ends with its Fail, and has the document before it', async () => {
  const { execution, events } = await run({
    Begin: { Type: 'Pass', Result: { a: 1 }, Next: 'Failed' },
    Failed: { Type: 'Fail', Error: 'A', Cause: 'b' },
  });
  expect(execution).toMatchObject({ status: 'FAILED', error: 'A', cause: 'b', state: { a: 1 }, events: 5 });
  expect(execution.states).toMatchObject([
    { name: 'Begin', type: 'Pass' },
    { name: 'Failed', type: 'Fail', error: 'A' },
  ]);
  expect(events.map(({ type }) => type)).toEqual(['entered', 'left', 'entered', 'left']);
});

test('that cannot go on ends with the last state that it left', async () => {
  const { execution } = await run({
    Begin: { Type: 'Pass', Next: 'Lost' },
    Lost: { Type: 'Pass', Parameters: { 'a.$': '$.missing' }, End: true },
  });
  expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime', states: [{ name: 'Begin' }] });
});

test('says how long AWS waits if a wait is shortened', async () => {
  const { execution } = await run({
    Wait: { Type: 'Wait', Seconds: 15, Next: 'End' },
    End: { Type: 'Succeed' },
  });
  expect(execution.status).toBe('SUCCEEDED');
  expect(execution.states[0]).toMatchObject({ name: 'Wait', waited: { inAws: 15, here: 0.2 } });
  expect(execution.states[1]).not.toHaveProperty('waited');
});

test('with a Task whose function is not deployed does not begin', async () => {
  const work = { Type: 'Task', Resource: 'arn:missing', End: true } as const;
  await expect(run({ Work: work })).rejects.toThrow(
    'Work invokes a function that the template does not have',
  );
});

test('with an input that is too large is refused as by StartExecution', async () => {
  await expect(run({ End: { Type: 'Succeed' } }, 'x'.repeat(262_144))).rejects.toThrow('validation error');
});
