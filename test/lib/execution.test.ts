// Executions of the real definition with scripted functions: which way each takes, and by which name it ends. Each runs on
// the local state machine and on an interpreter by other authors, and takes the same way there.
import { StateMachine } from 'aws-local-stepfunctions';
import type { AnyEnding } from '../../lambda/migrator/model/errors.ts';
import { readRefusals } from '../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import type { StateMachineDefinition } from '../../lib/twin/machine/definition.ts';
import type { HistoryEvent } from '../../lib/twin/machine/history.ts';
import { runMachine } from '../../lib/twin/machine/machine.ts';
import { type Definition, definitionOf, type StateDefinition, synthesizeTemplate } from './synthesized.ts';

/** The answer of a function to its nth call: a section of the document, or an error. */
type Script = (call: number, state: Record<string, unknown>) => unknown;

/** As Step Functions sees an error that a Lambda function threw: its name, and JSON text as the cause. */
function thrown(name: string, errorMessage = `${name} was thrown`): Error {
  const error = new Error(JSON.stringify({ errorType: name, errorMessage, trace: [] }));
  error.name = name;
  return error;
}
const throws = (name: string) => () => {
  throw thrown(name);
};
/** Fails by this name so often, then answers. */
const failsFirst = (times: number, name: string, answer: unknown) => (call: number) => {
  if (call <= times) throw thrown(name);
  return answer;
};

const REQUEST = {
  action: 'upgrade',
  target: 'head',
  database: 'codebase_mcp',
  snapshot: true,
  finalize: true,
  finalizeAfterDays: 0,
};
const resolves = (change: object) => () => ({
  request: { ...REQUEST, ...change },
  execution: {},
  instance: {},
});
const plans =
  (direction: string, ...pending: string[]) =>
  () => ({ direction, pending });

/** Everything goes well: an upgrade with snapshot and finalize. */
const WELL: Record<string, Script> = {
  'Resolve input': resolves({}),
  Preflight: plans('upgrade', '002'),
  'Take snapshot': () => ({ status: 'available', restore: 'To restore: aws rds restore' }),
  Migrate: () => ({ outcome: 'upgraded' }),
  Reconcile: () => ({ verdict: 'committed', message: '', migration: { outcome: 'upgraded' } }),
  Validate: () => ({ passed: true, cause: '' }),
  Finalize: () => ({ outcome: 'finalized' }),
  'Schedule finalize': () => ({ schedule: 'backstop-codebase-mcp', at: '2026-01-01T00:00:00.000Z' }),
  Downgrade: () => ({ outcome: 'downgraded' }),
  'Downgrade on request': () => ({ outcome: 'downgraded' }),
  'Validate downgrade': () => ({
    passed: true,
    error: 'ValidationFailed',
    cause: 'the sentence after the downgrade',
  }),
  Summarize: (_, state) => ({ summary: {}, ...state }),
};
const invalid = { Validate: () => ({ passed: false, cause: 'V1.1 does not hold' }) };

let definition: Definition;
beforeAll(() => {
  definition = definitionOf(synthesizeTemplate());
});

interface Ended {
  readonly calls: readonly string[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly error: string;
  readonly cause: string;
}

async function execute(scripts: Record<string, Script>, input: unknown = {}): Promise<Ended> {
  const ended = await executeHere(scripts, input);
  const { calls, inputs, error } = await executeElsewhere(scripts, input);
  expect({ calls, inputs: timeless(inputs), error }).toEqual({
    calls: ended.calls,
    inputs: timeless(ended.inputs),
    error: ended.error,
  });
  return ended;
}

/** Calls the scripts, and keeps the calls. */
function scripted(scripts: Record<string, Script>) {
  const calls: string[] = [];
  const inputs: Record<string, unknown> = {};
  const call = async (name: string, state: unknown) => {
    calls.push(name);
    inputs[name] = state;
    const count = calls.filter((called) => called === name).length;
    return { ...WELL, ...scripts }[name]?.(count, state as Record<string, unknown>);
  };
  return { calls, inputs, call };
}

const EXECUTION = { Name: 'run-1', Id: 'arn:run-1' };
const STATE_MACHINE = 'arn:machine';

async function executeHere(scripts: Record<string, Script>, input: unknown): Promise<Ended> {
  const { call, ...called } = scripted(scripts);
  let last: HistoryEvent | undefined;
  await runMachine(definition as StateMachineDefinition, input, {
    execution: EXECUTION,
    stateMachineArn: STATE_MACHINE,
    invoke: call,
    pause: async () => {},
    listener: (event) => {
      last = event;
    },
  });
  return { ...called, error: last?.error ?? 'none', cause: last?.cause ?? '' };
}

async function executeElsewhere(scripts: Record<string, Script>, input: unknown): Promise<Ended> {
  const { call, ...called } = scripted(scripts);
  const machine = new StateMachine(readableElsewhere(definition) as never, {
    validationOptions: { noValidate: true },
  });
  const names = Object.keys(WELL);
  const { result } = machine.run(input as never, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(
        names.map((name) => [name, (state: unknown) => call(name, state) as never]),
      ),
      waitTimeOverrides: { 'Wait for snapshot': 0 },
      retryIntervalOverrides: Object.fromEntries(names.map((name) => [name, 0])),
    },
    context: { Execution: EXECUTION, StateMachine: { Id: STATE_MACHINE } } as never,
  });
  try {
    await result;
    return { ...called, error: 'none', cause: '' };
  } catch (failure) {
    // The interpreter wraps a Fail in another error, whose cause holds the error and cause of the Fail.
    const { name, message } = (failure as Error).cause as Error;
    return { ...called, error: name, cause: message };
  }
}

/** The other interpreter knows no intrinsic function in a Fail. */
function readableElsewhere({ States, ...rest }: Definition): Definition {
  const readable = ({ CausePath, ...state }: StateDefinition): StateDefinition =>
    CausePath?.startsWith('States.')
      ? { ...state, Cause: CausePath }
      : { ...state, ...(CausePath && { CausePath }) };
  return {
    ...rest,
    States: Object.fromEntries(Object.entries(States).map(([name, state]) => [name, readable(state)])),
  };
}

/** Without the parts in which two executions differ: their start, and the cause of a timeout. */
function timeless(inputs: unknown): unknown {
  return JSON.parse(
    JSON.stringify(inputs, (key, value) => (key === 'startedAt' || key === 'Cause' ? undefined : value)),
  );
}

describe('an upgrade', () => {
  test('that goes well takes the straight way', async () => {
    const { error, calls } = await execute({});
    expect(error).toBe('none');
    expect(calls).toEqual([
      'Resolve input',
      'Preflight',
      'Take snapshot',
      'Migrate',
      'Validate',
      'Finalize',
      'Summarize',
    ]);
  });

  test('with nothing pending changes nothing but finalizes the retired tables', async () => {
    const { error, calls } = await execute({ Preflight: plans('upgrade') });
    expect(error).toBe('none');
    expect(calls).toEqual(['Resolve input', 'Preflight', 'Validate', 'Finalize', 'Summarize']);
  });

  test('without snapshot says so in the document', async () => {
    const { calls, inputs } = await execute({ 'Resolve input': resolves({ snapshot: false }) });
    expect(calls).not.toContain('Take snapshot');
    expect(inputs.Migrate).toMatchObject({ snapshot: { id: 'none', status: 'skipped' } });
  });

  test('without finalize ends after its validation', async () => {
    const { error, calls } = await execute({ 'Resolve input': resolves({ finalize: false }) });
    expect(error).toBe('none');
    expect(calls.slice(-2)).toEqual(['Validate', 'Summarize']);
  });

  test('waits for the snapshot before it changes anything', async () => {
    const { calls } = await execute({
      'Take snapshot': (call) => ({ status: call < 3 ? 'creating' : 'available', restore: '' }),
    });
    expect(calls.filter((name) => name === 'Take snapshot')).toHaveLength(3);
    expect(calls.indexOf('Migrate')).toBeGreaterThan(calls.lastIndexOf('Take snapshot'));
  });

  test('that is not valid is taken back, and ends red', async () => {
    const { error, cause, calls } = await execute(invalid);
    expect(error).toBe('ValidationFailed');
    expect(cause).toContain('the sentence after the downgrade');
    expect(calls.slice(-3)).toEqual(['Validate', 'Downgrade', 'Validate downgrade']);
  });

  test('that could not be validated is not valid', async () => {
    const { error, calls, inputs } = await execute({ Validate: throws('DatabaseUnreachable') });
    expect(error).toBe('ValidationFailed');
    expect(calls).toContain('Downgrade');
    expect(inputs.Downgrade).toMatchObject({
      validation: { passed: false, cause: expect.stringContaining('DatabaseUnreachable') },
    });
  });

  test('with nothing pending that is not valid is not taken back', async () => {
    const { error, cause, calls } = await execute({ ...invalid, Preflight: plans('upgrade') });
    expect(error).toBe('ValidationFailed');
    expect(cause).toContain('V1.1 does not hold');
    expect(calls).not.toContain('Downgrade');
  });
});

describe('a finalize that waits some days', () => {
  const later = resolves({ finalizeAfterDays: 14 });
  const retired = { 'Resolve input': later, Validate: () => ({ passed: true, finalizePending: ['002'] }) };

  test('is scheduled if this execution retired a table', async () => {
    const { error, calls } = await execute(retired);
    expect(error).toBe('none');
    expect(calls.slice(-4)).toEqual(['Migrate', 'Validate', 'Schedule finalize', 'Summarize']);
  });

  test.each<[string, Record<string, Script>]>([
    ['nothing was retired', { Validate: () => ({ passed: true, finalizePending: [] }) }],
    ['it found the work done', { Preflight: plans('upgrade') }],
    ['somebody else was faster', { Migrate: () => ({ outcome: 'nothing to do' }) }],
    ['the input turns it off', { 'Resolve input': resolves({ finalizeAfterDays: 14, finalize: false }) }],
  ])('is neither scheduled nor done if %s', async (_, scripts) => {
    const { error, calls } = await execute({ ...retired, ...scripts });
    expect(error).toBe('none');
    expect(calls.slice(-2)).toEqual(['Validate', 'Summarize']);
  });

  test('does not wait if it is the requested action', async () => {
    const asked = resolves({ action: 'finalize', finalizeAfterDays: 14 });
    const { error, calls } = await execute({ ...retired, 'Resolve input': asked });
    expect(error).toBe('none');
    expect(calls.slice(-2)).toEqual(['Finalize', 'Summarize']);
  });

  test.each([
    ['cannot be scheduled', 'FinalizeFailed', 'was thrown'],
    ['whose schedule gives no answer', 'Lambda.Unknown', '{"action": "finalize"}'],
  ])('and %s ends as FinalizeFailed', async (_, thrownName, sentence) => {
    const { error, cause, calls } = await execute({ ...retired, 'Schedule finalize': throws(thrownName) });
    expect(error).toBe('FinalizeFailed');
    expect(cause).toContain(sentence);
    expect(calls.filter((name) => name === 'Schedule finalize')).toHaveLength(3);
  });
});

describe('a plan', () => {
  const asked = { 'Resolve input': resolves({ action: 'plan' }) };

  test('is looked at, and nothing else', async () => {
    const { error, calls } = await execute(asked);
    expect(error).toBe('none');
    expect(calls).toEqual(['Resolve input', 'Preflight', 'Summarize']);
  });

  test('that would be refused is', async () => {
    const { error } = await execute({ ...asked, Preflight: throws('ForeignKeyBlocked') });
    expect(error).toBe('ForeignKeyBlocked');
  });
});

describe('a summary', () => {
  test.each(['TypeError', 'Lambda.Unknown', 'States.Timeout'])(
    'that fails with %s does not make red what is green',
    async (name) => {
      const { error, calls } = await execute({ Summarize: throws(name) });
      expect(error).toBe('none');
      expect(calls.slice(0, -1)).toContain('Finalize');
    },
  );
});

describe('a lost answer of Migrate', () => {
  const lost = { Migrate: throws('Lambda.Unknown') };

  test('goes on if the database says that it was committed', async () => {
    const { error, calls } = await execute(lost);
    expect(error).toBe('none');
    expect(calls.slice(-5)).toEqual(['Migrate', 'Reconcile', 'Validate', 'Finalize', 'Summarize']);
  });

  test('neither finalizes nor takes back what somebody else committed', async () => {
    const elsewhere = { ...lost, Reconcile: () => ({ verdict: 'committed', message: '' }) };
    expect((await execute(elsewhere)).calls.slice(-4)).toEqual([
      'Migrate',
      'Reconcile',
      'Validate',
      'Summarize',
    ]);
    const { error, calls } = await execute({ ...elsewhere, ...invalid });
    expect(error).toBe('ValidationFailed');
    expect(calls).not.toContain('Downgrade');
  });

  test('ends as rolled back if the database says so', async () => {
    const { error, cause } = await execute({
      ...lost,
      Reconcile: () => ({ verdict: 'rolled back', message: 'the database is at 005' }),
    });
    expect(error).toBe('MigrationFailed');
    expect(cause).toContain('the database is at 005');
  });

  test('ends unknown, with the restore command, if the database does not answer', async () => {
    const { error, cause, calls } = await execute({ ...lost, Reconcile: throws('DatabaseUnreachable') });
    expect(error).toBe('OutcomeUnknown');
    expect(cause).toContain('could not be asked what is true: DatabaseUnreachable was thrown\n');
    expect(cause).toMatch(/ To restore: aws rds restore$/);
    expect(calls.filter((name) => name === 'Reconcile')).toHaveLength(4);
  });

  test('ends unknown, and without snapshot says so, if Reconcile does not answer', async () => {
    const { error, cause } = await execute({
      ...lost,
      'Resolve input': resolves({ snapshot: false }),
      Reconcile: throws('States.Timeout'),
    });
    expect(error).toBe('OutcomeUnknown');
    expect(cause).toContain('could not be asked what is true: States.Timeout\n');
    expect(cause).toMatch(/ There is no snapshot to restore: this execution was told not to take one\.$/);
  });

  test('is never answered by migrating again', async () => {
    const { calls } = await execute(lost);
    expect(calls.filter((name) => name === 'Migrate')).toHaveLength(1);
  });
});

describe('a throttled Lambda service', () => {
  test('is asked again', async () => {
    const { error, calls } = await execute({
      Migrate: failsFirst(2, 'Lambda.TooManyRequestsException', { outcome: 'upgraded' }),
    });
    expect(error).toBe('none');
    expect(calls.filter((name) => name === 'Migrate')).toHaveLength(3);
  });
});

describe('an ending', () => {
  const downgradeAsked = {
    'Resolve input': resolves({ action: 'downgrade' }),
    Preflight: plans('downgrade', '002'),
  };

  test.each<[string, Record<string, Script>, AnyEnding, string]>([
    ['a wrong input', { 'Resolve input': throws('InvalidInput') }, 'InvalidInput', 'InvalidInput was thrown'],
    ['a resolver that crashes', { 'Resolve input': throws('TypeError') }, 'ConfigurationError', 'log group'],
    ['an old server', { Preflight: throws('ServerTooOld') }, 'ServerTooOld', 'ServerTooOld was thrown'],
    [
      'a preflight without network',
      { Preflight: throws('States.Timeout') },
      'DatabaseUnreachable',
      'endpoint for Secrets Manager',
    ],
    [
      'a full snapshot quota',
      { 'Take snapshot': throws('SnapshotQuotaExceeded') },
      'SnapshotQuotaExceeded',
      'was thrown',
    ],
    ['a snapshot that crashes', { 'Take snapshot': throws('TypeError') }, 'SnapshotFailed', 'unchanged'],
    ['a failed step', { Migrate: throws('MigrationFailed') }, 'MigrationFailed', 'was thrown'],
    ['a lock that is held', { Migrate: throws('DatabaseBusy') }, 'DatabaseBusy', 'was thrown'],
    ['a finalize that fails thrice', { Finalize: throws('FinalizeFailed') }, 'FinalizeFailed', 'was thrown'],
    [
      'a finalize that is lost',
      { Finalize: throws('Lambda.Unknown') },
      'FinalizeFailed',
      '{"action": "finalize"}',
    ],
    [
      'a step back that fails',
      { ...invalid, Downgrade: throws('DowngradeFailed') },
      'DowngradeFailed',
      'was thrown',
    ],
    [
      'a step back that is lost',
      { ...invalid, Downgrade: throws('TypeError') },
      'DowngradeFailed',
      'aws rds restore',
    ],
    [
      'a step back that cannot be validated',
      { ...invalid, 'Validate downgrade': throws('TypeError') },
      'DowngradeFailed',
      'could not run: their function did not answer as it should (TypeError)',
    ],
    [
      'a step back whose checks could not run',
      { ...invalid, 'Validate downgrade': throws('DowngradeFailed') },
      'DowngradeFailed',
      'DowngradeFailed was thrown',
    ],
    [
      'a revision that refused by its own exception',
      { Migrate: throws('MigrationRefused') },
      'MigrationRefused',
      'MigrationRefused was thrown',
    ],
    ...readRefusals(MIGRATIONS).map((name): [string, Record<string, Script>, AnyEnding, string] => [
      `a revision that declares ${name}`,
      { Migrate: throws(name) },
      name,
      `${name} was thrown`,
    ]),
    [
      'a step back that is not valid',
      {
        ...invalid,
        'Validate downgrade': () => ({ passed: false, error: 'DowngradeFailed', cause: 'V2.1' }),
      },
      'DowngradeFailed',
      'V2.1',
    ],
    [
      'a downgrade that was asked for and is refused',
      { ...downgradeAsked, 'Downgrade on request': throws('DatabaseBusy') },
      'DatabaseBusy',
      'was thrown',
    ],
    [
      'a status that is behind',
      { 'Resolve input': resolves({ action: 'status' }), Preflight: throws('NotAtTarget') },
      'NotAtTarget',
      'was thrown',
    ],
  ])('of %s', async (_, scripts, name, sentence) => {
    const { error, cause } = await execute(scripts);
    expect(error).toBe(name);
    expect(cause).toContain(sentence);
  });

  test('of a downgrade that was asked for is green', async () => {
    const { error, calls } = await execute(downgradeAsked);
    expect(error).toBe('none');
    expect(calls.slice(-4)).toEqual([
      'Take snapshot',
      'Downgrade on request',
      'Validate downgrade',
      'Summarize',
    ]);
  });

  test('of a downgrade with nothing to do is green, and checked', async () => {
    const { error, calls } = await execute({ ...downgradeAsked, Preflight: plans('downgrade') });
    expect(error).toBe('none');
    expect(calls).toEqual(['Resolve input', 'Preflight', 'Validate downgrade', 'Summarize']);
  });

  test.each(['status', 'finalize'])('of the action %s needs no revision to run', async (action) => {
    const { error, calls } = await execute({ 'Resolve input': resolves({ action }) });
    expect(error).toBe('none');
    expect(calls).not.toContain('Migrate');
    expect(calls.includes('Finalize')).toBe(action === 'finalize');
  });
});

describe('the input of a function', () => {
  test('is the whole document, and its phase for Validate', async () => {
    const { inputs } = await execute(invalid);
    expect(inputs.Migrate).toMatchObject({ request: REQUEST, plan: { pending: ['002'] }, snapshot: {} });
    expect(inputs.Validate).toMatchObject({ phase: 'after-upgrade', state: { migration: {} } });
    expect(inputs['Validate downgrade']).toMatchObject({
      phase: 'after-downgrade',
      state: { downgrade: {} },
    });
  });

  test.each([[{}], ['status'], [['upgrade']]])('keeps the input %j as it was written', async (input) => {
    const { inputs } = await execute({}, input);
    expect(inputs['Resolve input']).toEqual({
      input,
      execution: {
        name: 'run-1',
        arn: 'arn:run-1',
        stateMachineArn: 'arn:machine',
        startedAt: expect.any(String),
      },
    });
  });
});
