// The frame of every function: its log lines, and its error when the work fails.
import type { Context } from 'aws-lambda';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { orEndAs, stateHandler } from '../../../lambda/runtime/handler.ts';
import type { ExecutionState } from '../../../lambda/state.ts';

const state = {
  execution: {
    name: 'run-1',
    arn: 'arn:run-1',
    stateMachineArn: 'arn:machine',
    startedAt: '2025-10-11T00:00:00Z',
  },
  request: {
    action: 'upgrade',
    target: 'head',
    database: 'codebase_mcp',
    snapshot: true,
    finalize: true,
    allowLoss: false,
    drift: 'warn',
    finalizeAfterDays: 0,
    maxLock: 5,
  },
  plan: {
    direction: 'upgrade',
    from: '005',
    to: '002',
    checksums: {},
    checksum: '',
    pending: ['002'],
    finalizePending: [],
    edited: [],
    retires: [],
  },
  instance: { kind: 'instance', identifier: 'i', host: 'h', port: 5432, engineVersion: '17' },
} satisfies ExecutionState;
const context = { functionName: 'migrate', getRemainingTimeInMillis: () => 1_000 } as Context;

/** Runs a handler and returns what it wrote, as JSON lines. */
async function logged(work: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const lines: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  for (const { stream } of streams)
    stream.write = (text: string | Uint8Array) => lines.push(String(text)) > 0;
  try {
    await work();
  } finally {
    for (const { stream, write } of streams) stream.write = write;
  }
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
}

test('every line names execution, database and revision', async () => {
  const handler = stateHandler({ step: 'Migrate' }, async (_, { logger }) => {
    logger.info('one');
    logger.warn('two');
  });
  const lines = await logged(() => handler(state, context));
  // The last one holds the metrics, and no message.
  expect(lines.map(({ message }) => message)).toEqual(['one', 'two', undefined]);
  for (const line of lines) {
    expect(line).toMatchObject({ execution: 'run-1', database: 'codebase_mcp', revision: '005' });
  }
});

test('the work finds the sections that it needs', async () => {
  const handler = stateHandler({ step: 'Migrate', needs: ['plan'] }, async ({ plan }) => plan.to);
  await logged(async () => expect(await handler(state, context)).toBe('002'));
});

test('a missing section is an error that names it, and no work is begun', async () => {
  let begun = false;
  const work = async () => {
    begun = true;
  };
  const handler = stateHandler({ step: 'Downgrade', needs: ['plan', 'snapshot'] }, work);
  const lines = await logged(async () => {
    await expect(handler(state as never, context)).rejects.toMatchObject({
      name: 'ConfigurationError',
      summary: 'Downgrade was called without the section "snapshot" of the document',
      hint: expect.stringContaining('deploy the stack again'),
    });
  });
  expect(begun).toBe(false);
  expect(lines).toContainEqual(expect.objectContaining({ level: 'ERROR', execution: 'run-1' }));
});

test('orEndAs gives any error the name of the ending, and its message as the detail, with the name that AWS gave it', async () => {
  const text = { message: 'Finalize failed', hint: 'Again.' };
  const failed = orEndAs('FinalizeFailed', text, async () => {
    throw new Error('one\ntwo');
  });
  await expect(failed).rejects.toMatchObject({
    name: 'FinalizeFailed',
    message: 'Finalize failed\nDETAIL:  one two\nHINT:  Again.',
  });
  const denied = Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' });
  await expect(orEndAs('FinalizeFailed', text, () => Promise.reject(denied))).rejects.toMatchObject({
    detail: 'AccessDeniedException: not authorized',
  });
  const kept = new BackstopError('NotAtTarget', { message: 'moved' });
  const throwing = () => Promise.reject(kept);
  await expect(orEndAs('FinalizeFailed', text, throwing, (error) => error === kept)).rejects.toBe(kept);
});

test('an error keeps its name, and as much of its message as Step Functions can hold', async () => {
  const handler = stateHandler({ step: 'Migrate' }, async () => {
    throw new BackstopError('MigrationFailed', { message: '"'.repeat(100_000) });
  });
  const lines = await logged(async () => {
    const error = await handler(state, context).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'MigrationFailed', message: expect.stringMatching(/^"{8000}…/) });
    const { name: errorType, message: errorMessage, stack = '' } = error as Error;
    const sent = JSON.stringify({ errorType, errorMessage, trace: stack.split('\n') });
    expect(sent.length).toBeLessThan(20_000);
  });
  expect(String(lines[0]?.message)).toHaveLength(100_000);
});
