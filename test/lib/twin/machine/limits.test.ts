// The quotas of Step Functions on the local state machine: bytes of data, events of a history, and time.
import { LARGEST_HISTORY } from '../../../../lib/twin/machine/history.ts';
import { ARN, run, thrown } from './run.ts';

/** A JSON text of exactly so many bytes: each character has two, beside the quotes and one letter. */
const textOf = (bytes: number) => `${'é'.repeat((bytes - 2) >> 1)}${bytes % 2 === 0 ? '' : 'x'}`;
const LARGEST = 262_144;
const work = { Type: 'Task', Resource: ARN, End: true } as const;

describe('data of 262,144 bytes', () => {
  test('is accepted as input, payload, answer and document', async () => {
    const { error } = await run({ Work: work }, textOf(LARGEST), () => textOf(LARGEST));
    expect(error).toBeUndefined();
  });

  test('and one more is refused as input, before there is an execution', async () => {
    await expect(run({ Work: work }, textOf(LARGEST + 1))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("Value at 'input' failed to satisfy constraint"),
    });
  });

  test("and one more as an answer is the function's error, which names its ARN", async () => {
    const ran = await run({ Work: work }, {}, () => textOf(LARGEST + 1));
    expect(ran).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause: expect.stringContaining(`'${ARN}'`),
    });
    expect(ran.events.at(-2)).toBe('LambdaFunctionFailed');
  });

  const caught = { Catch: [{ ErrorEquals: ['States.DataLimitExceeded'], Next: 'End' }] };
  const end = { Type: 'Succeed' } as const;

  test('and more as a payload ends the execution before the call', async () => {
    const Parameters = { 'all.$': '$' };
    const ran = await run({ Work: { ...work, Parameters, ...caught }, End: end }, textOf(LARGEST));
    expect(ran).toMatchObject({ error: 'States.DataLimitExceeded', payloads: [] });
    expect(ran.cause).toContain("'Work'");
  });

  test('and more as a document ends the execution, whatever is caught', async () => {
    const half = textOf(LARGEST / 2);
    const large = { ...work, ResultPath: '$.answer', ...caught };
    const ran = await run({ Work: large, End: end }, { half }, () => half);
    expect(ran).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause: expect.stringContaining("'Work'"),
    });
    const pass = { Type: 'Pass', Parameters: { 'a.$': '$.half', 'b.$': '$.half' }, End: true } as const;
    expect(await run({ Double: pass }, { half })).toMatchObject({ error: 'States.DataLimitExceeded' });
  });
});

describe('a history', () => {
  test('has the events that AWS records', async () => {
    const states = {
      Pass: { Type: 'Pass', Next: 'Wait' },
      Wait: { Type: 'Wait', Seconds: 5, Next: 'Choice' },
      Choice: { Type: 'Choice', Choices: [], Default: 'Work' },
      Work: { ...work, Retry: [{ ErrorEquals: ['A'] }], Catch: [{ ErrorEquals: ['B'], Next: 'Succeeded' }] },
      Succeeded: { Type: 'Succeed' },
    } as const;
    const { events } = await run(states, {}, (call) => {
      throw thrown(call === 1 ? 'A' : 'B');
    });
    const call = ['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionFailed'];
    expect(events).toEqual([
      'ExecutionStarted',
      'PassStateEntered',
      'PassStateExited',
      'WaitStateEntered',
      'WaitStateExited',
      'ChoiceStateEntered',
      'ChoiceStateExited',
      'TaskStateEntered',
      ...call,
      ...call,
      'TaskStateExited',
      'SucceedStateEntered',
      'SucceedStateExited',
      'ExecutionSucceeded',
    ]);
  });

  test('ends a Task with a success of its function', async () => {
    const { events } = await run({ Work: work });
    expect(events.slice(-3)).toEqual(['LambdaFunctionSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
  });

  test('of 25,000 events ends with the failure of the execution', async () => {
    const { events, error, cause } = await run({
      Loop: { Type: 'Choice', Choices: [], Default: 'Loop' },
    });
    expect({ error, cause }).toEqual({
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    expect(events).toHaveLength(LARGEST_HISTORY);
    expect(events.slice(-2)).toEqual(['ChoiceStateExited', 'ExecutionFailed']);
  });

  test('of 25,000 events may end with a success', async () => {
    const retries = 8_331;
    const patient = { ...work, Retry: [{ ErrorEquals: ['A'], MaxAttempts: retries }] };
    const { end, events } = await run({ Work: patient }, {}, (call) => {
      if (call <= retries) throw thrown('A');
    });
    expect({ end, length: events.length }).toEqual({ end: 'ExecutionSucceeded', length: LARGEST_HISTORY });
  });

  test('that is full is caught by no Catch', async () => {
    const endless = {
      ...work,
      Retry: [{ ErrorEquals: ['A'], MaxAttempts: 10_000 }],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'End' }],
    };
    const { error, events } = await run({ Work: endless, End: { Type: 'Succeed' } }, {}, () => {
      throw thrown('A');
    });
    expect({ error, length: events.length }).toEqual({ error: 'States.Runtime', length: LARGEST_HISTORY });
  });
});

test('an execution that takes too long is timed out, and nothing follows a late answer', async () => {
  let answer = () => {};
  const late = new Promise((_, reject) => {
    answer = () => reject(thrown('A'));
  });
  const patient = { ...work, Retry: [{ ErrorEquals: ['A'] }] };
  const ran = await run({ Work: patient }, {}, () => late, { TimeoutSeconds: 0.01 });
  expect(ran.events.slice(-2)).toEqual(['LambdaFunctionStarted', 'ExecutionTimedOut']);
  answer();
  await new Promise(setImmediate);
  expect(ran.payloads).toHaveLength(1);
});
