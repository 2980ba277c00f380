// Retry and Catch on the local state machine: which errors they match, when a retry follows, and the error in the document.
import type { Catcher, Retrier, TaskState } from '../../../../lib/twin/machine/definition.ts';
import { ARN, run, type Script, thrown } from './run.ts';

const throwing =
  (name: string, cause?: string): Script =>
  () => {
    throw thrown(name, cause);
  };

/** One Task, and a state for each error list, which its Catch leads to. */
function task(how: Partial<TaskState>, ...lists: string[][]) {
  const catchers = lists.map(
    (ErrorEquals): Catcher => ({ ErrorEquals, ResultPath: '$.failure', Next: ErrorEquals.join() }),
  );
  return {
    Work: { Type: 'Task', Resource: ARN, End: true, Catch: catchers, ...how },
    ...Object.fromEntries(
      lists.map((names) => [
        names.join(),
        { Type: 'Pass', Result: names.join(), ResultPath: '$.caughtBy', End: true },
      ]),
    ),
  } as const;
}

/** The Catch that matched; undefined if the execution failed. */
async function caughtBy(error: string, ...lists: string[][]): Promise<unknown> {
  const { output } = await run(task({}, ...lists), {}, throwing(error));
  return (output as { caughtBy: string } | undefined)?.caughtBy;
}

describe('Catch', () => {
  test.each([
    ['the first that names the error', 'B', [['A'], ['B', 'C'], ['B'], ['States.ALL']], 'B,C'],
    ['States.ALL for every other error', 'Sandbox.Timedout', [['A'], ['States.ALL']], 'States.ALL'],
    ['States.ALL for a timeout', 'States.Timeout', [['States.ALL']], 'States.ALL'],
    ['States.TaskFailed for an error of a function', 'A', [['States.TaskFailed']], 'States.TaskFailed'],
    ['no States.TaskFailed for a timeout', 'States.Timeout', [['States.TaskFailed']], undefined],
    ['no States.ALL for data that is too large', 'States.DataLimitExceeded', [['States.ALL']], undefined],
    ['no States.TaskFailed for it', 'States.DataLimitExceeded', [['States.TaskFailed']], undefined],
    [
      'its name for it',
      'States.DataLimitExceeded',
      [['States.ALL'], ['States.DataLimitExceeded']],
      'States.DataLimitExceeded',
    ],
    ['nothing for States.Runtime', 'States.Runtime', [['States.Runtime'], ['States.ALL']], undefined],
    ['nothing for an error that is not named', 'A', [['B']], undefined],
  ])('is %s', async (_, error, lists, expected) => {
    expect(await caughtBy(error, ...lists)).toBe(expected);
  });

  test("passes the JSON of a function's error as text", async () => {
    const cause = '{"errorType":"A","errorMessage":"a \\"b\\"","trace":[]}';
    const { output } = await run(task({}, ['A']), { kept: 1 }, throwing('A', cause));
    expect(output).toEqual({ kept: 1, failure: { Error: 'A', Cause: cause }, caughtBy: 'A' });
  });

  test('passes no cause of a timeout', async () => {
    const slow = task({ TimeoutSeconds: 0.01 }, ['States.Timeout']);
    const ran = await run(slow, {}, () => new Promise(() => {}));
    expect(ran.output).toMatchObject({ failure: { Error: 'States.Timeout', Cause: '' } });
    expect(ran.events).toContain('LambdaFunctionTimedOut');
  });

  test('without a ResultPath replaces the document by the error, and with null keeps it', async () => {
    const states = (ResultPath: null | undefined) =>
      ({
        Work: {
          Type: 'Task',
          Resource: ARN,
          End: true,
          Catch: [{ ErrorEquals: ['A'], Next: 'End', ...(ResultPath === null && { ResultPath }) }],
        },
        End: { Type: 'Succeed' },
      }) as const;
    expect((await run(states(undefined), { kept: 1 }, throwing('A', 'c'))).output).toEqual({
      Error: 'A',
      Cause: 'c',
    });
    expect((await run(states(null), { kept: 1 }, throwing('A'))).output).toEqual({ kept: 1 });
  });

  test('catches a result that has no place in the document', async () => {
    const states = task({ ResultPath: '$.result' }, ['States.ResultPathMatchFailure']);
    const { error } = await run(states, 'a text');
    // The error has no place either.
    expect(error).toBe('States.ResultPathMatchFailure');
    const { output } = await run(
      {
        ...states,
        Work: { ...states.Work, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'End' }] },
        End: { Type: 'Succeed' },
      },
      'a text',
    );
    expect(output).toMatchObject({ Error: 'States.ResultPathMatchFailure' });
  });
});

describe('Retry', () => {
  const retry = (...Retry: Retrier[]) => task({ Retry, Catch: [] });

  test('waits longer each time, and at most MaxDelaySeconds', async () => {
    const { pauses } = await run(
      retry({ ErrorEquals: ['A'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 4, MaxDelaySeconds: 20 }),
      {},
      throwing('A'),
    );
    expect(pauses).toEqual([2, 6, 18, 20]);
  });

  test('tries three times more after 1, 2 and 4 seconds unless it says otherwise', async () => {
    const { pauses, payloads } = await run(retry({ ErrorEquals: ['A'] }), {}, throwing('A'));
    expect({ pauses, calls: payloads.length }).toEqual({ pauses: [1, 2, 4], calls: 4 });
  });

  test('counts each retrier by itself, and goes on to no later one', async () => {
    const retriers: Retrier[] = [
      { ErrorEquals: ['A'], IntervalSeconds: 10, MaxAttempts: 1 },
      { ErrorEquals: ['States.ALL'], IntervalSeconds: 20, MaxAttempts: 2, BackoffRate: 1 },
    ];
    const alternating: Script = (call) => {
      throw thrown(call % 2 === 1 ? 'A' : 'B');
    };
    expect((await run(retry(...retriers), {}, alternating)).pauses).toEqual([10, 20]);
  });

  test('does not try again with MaxAttempts 0, whatever a later retrier says', async () => {
    const { pauses, error } = await run(
      retry({ ErrorEquals: ['A'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }),
      {},
      throwing('A'),
    );
    expect({ pauses, error }).toEqual({ pauses: [], error: 'A' });
  });

  test.each(['States.Runtime', 'States.DataLimitExceeded'])(
    'does not mean %s by States.ALL',
    async (error) => {
      expect((await run(retry({ ErrorEquals: ['States.ALL'] }), {}, throwing(error))).pauses).toEqual([]);
    },
  );

  test('begins again each time that the state is entered', async () => {
    const again = {
      Work: {
        Type: 'Task',
        Resource: ARN,
        Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1 }],
        ResultPath: '$.result',
        Next: 'Enough?',
      },
      'Enough?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.result', NumericEquals: 4, Next: 'End' }],
        Default: 'Work',
      },
      End: { Type: 'Succeed' },
    } as const;
    const { end, pauses } = await run(again, {}, (call) => {
      if (call % 2 === 1) throw thrown('A');
      return call;
    });
    expect({ end, pauses }).toEqual({ end: 'ExecutionSucceeded', pauses: [1, 1] });
  });
});
