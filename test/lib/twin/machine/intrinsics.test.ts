// Intrinsic functions on the local state machine: each result is as in executions recorded on AWS.
import { run } from './run.ts';

/** The result of an expression in the Parameters of a Pass. */
async function evaluate(expression: string, input: unknown): Promise<unknown> {
  const ran = await run({ Only: { Type: 'Pass', Parameters: { 'result.$': expression }, End: true } }, input);
  return ran.error === undefined ? (ran.output as { result: unknown }).result : `${ran.error}: ${ran.cause}`;
}

describe('States.Format', () => {
  test.each([
    ['a backslash', 'C:\\temp\\new'],
    ['quotes, braces and placeholders', `it's {} and "{0}" and \\{\\}`],
    ['lines', 'one\ntwo'],
  ])('inserts an argument with %s as it is', async (_, text) => {
    expect(await evaluate("States.Format('<{}>', $.text)", { text })).toBe(`<${text}>`);
  });

  test('takes a backslash in its template as an escape', async () => {
    expect(await evaluate("States.Format('it\\'s \\{\\} {} \\\\', $.text)", { text: 'x' })).toBe(
      "it's {} x \\",
    );
  });

  test('writes null, numbers and booleans, and literals', async () => {
    expect(await evaluate("States.Format('{} {} {} {}', $.none, 1.5, true, 'a\\'b')", { none: null })).toBe(
      "null 1.5 true a'b",
    );
  });

  test.each([
    ['an object', "States.Format('{}', $.object)"],
    ['a path without a value', "States.Format('{}', $.missing)"],
    ['too few arguments', "States.Format('{} {}', 'x')"],
    ['too many arguments', "States.Format('{}', 'x', 'y')"],
    ['an open escape', "States.Format('\\n{}', 'x')"],
  ])('ends the execution by States.Runtime if it is given %s', async (_, expression) => {
    expect(await evaluate(expression, { object: {} })).toMatch(
      /^States\.Runtime: An error occurred while executing the state 'Only' \(entered at the event id #2\)\. /,
    );
  });
});

describe('States.StringToJson', () => {
  test.each([
    ['', null],
    [' ', null],
    ['null', null],
    ['"C:\\\\temp"', 'C:\\temp'],
    ['{"errorMessage":"a \\"b\\"\\nc"}', { errorMessage: 'a "b"\nc' }],
  ])('makes of %j the value %j', async (text, value) => {
    expect(await evaluate('States.StringToJson($.text)', { text })).toEqual(value);
  });

  test('ends the execution by States.Runtime if it is given other text', async () => {
    expect(await evaluate('States.StringToJson($.text)', { text: 'States.Timeout' })).toMatch(
      /^States\.Runtime/,
    );
  });
});

test('States.JsonToString keeps the backslashes of its JSON', async () => {
  const value = { path: 'C:\\', quote: '"' };
  expect(await evaluate('States.JsonToString($)', value)).toBe(JSON.stringify(value));
});

test('the result of one function is the argument of another', async () => {
  const input = { json: '"a\\\\b"' };
  expect(await evaluate("States.Format('<{}>', States.StringToJson($.json))", input)).toBe('<a\\b>');
});

test('the whole input is read, even if it is null, false, 0 or an empty text', async () => {
  for (const input of [null, false, 0, '', [], ['a']]) expect(await evaluate('$', input)).toEqual(input);
});

test('a path finds no length of a list, and no property that all objects have', async () => {
  for (const path of ['$.list.length', '$.constructor', '$.list[1]'])
    expect(await evaluate(path, { list: ['a'] })).toMatch(/^States\.Runtime/);
});

describe('a Fail', () => {
  const input = { what: 'Finalize', reason: "a 'quoted' {name} \\ more" };

  test('composes its error and its cause', async () => {
    const fail = {
      Type: 'Fail',
      ErrorPath: "States.Format('{}Failed', $.what)",
      CausePath: "States.Format('because of {}\nHINT:  Again.', $.reason)",
    } as const;
    expect(await run({ Failed: fail }, input)).toMatchObject({
      error: 'FinalizeFailed',
      cause: "because of a 'quoted' {name} \\ more\nHINT:  Again.",
      events: ['ExecutionStarted', 'FailStateEntered', 'ExecutionFailed'],
    });
  });

  test('takes a fixed text as it is, and a path', async () => {
    const cause = 'States.Format is not called here';
    expect(await run({ Failed: { Type: 'Fail', ErrorPath: '$.what', Cause: cause } }, input)).toMatchObject({
      error: 'Finalize',
      cause,
    });
  });

  test('ends by States.Runtime if its path is no text', async () => {
    expect(await run({ Failed: { Type: 'Fail', Error: 'A', CausePath: '$' } }, input)).toMatchObject({
      error: 'States.Runtime',
    });
  });

  test('is refused if it calls a function that Step Functions does not permit there', async () => {
    const fail = { Type: 'Fail', Error: 'A', CausePath: 'States.StringToJson($.what)' } as const;
    await expect(run({ Failed: fail }, input)).rejects.toThrow(
      'The state "Failed" calls States.StringToJson, which a Fail may not call.',
    );
  });
});
