// Messages of Notify about each ending: the bundled function reads documents of real executions, and invalid ones.
import type { Execution } from '../../lib/twin/execution.ts';
import { invoke } from '../../lib/twin/invoke.ts';
import { deployed, makeTwin, refusals, type TwinOptions, withEnvironment } from '../machine/twin.ts';
import {
  type NotifyEndpoint,
  type Published,
  type Remembered,
  startNotifyEndpoint,
} from './notify-endpoint.ts';

const NAME = 'release-7';
const ARN = `arn:aws:states:eu-central-1:111122223333:execution:backstop:${NAME}`;
const notify = [...deployed.functions.values()].find(({ name }) => name.endsWith('Notify'));

type Line = Record<string, unknown>;

/** Calls the function as EventBridge does; `lines` receives its log lines. */
async function tell(
  endpoint: NotifyEndpoint,
  event: { status: string; executionArn?: string; stopDate?: string; error?: string; cause?: string },
  lines: Line[] = [],
): Promise<Published | undefined> {
  if (!notify) throw new Error('the template has no function Notify');
  const detail = {
    executionArn: ARN,
    stateMachineArn: 'arn:aws:states:eu-central-1:111122223333:stateMachine:backstop',
    name: NAME,
    startDate: Date.parse('2026-11-20T02:00:00Z'),
    stopDate: Date.parse('2026-11-20T02:03:00Z'),
    ...event,
  };
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_MAX_ATTEMPTS: '1',
    AWS_ENDPOINT_URL_SFN: endpoint.url,
    AWS_ENDPOINT_URL_SNS: endpoint.url,
  };
  const log = (line: unknown) => lines.push(line as Line);
  await invoke(notify, { detail }, environment, log, () => {});
  return endpoint.published.at(-1);
}

/** The message about an execution that Step Functions remember like this. */
async function told(status: string, remembered: Remembered, ...denied: string[]): Promise<Published> {
  await using endpoint = await startNotifyEndpoint();
  endpoint.remembered = remembered;
  for (const action of denied) endpoint.denied.add(action);
  const published = await tell(endpoint, { status });
  expect(endpoint.published).toHaveLength(1);
  expect(published?.subject).toMatch(/^[ -~]{1,99}$/);
  return published as Published;
}

/** The message about a real execution of the deployed state machine. */
async function toldAfter(
  input: object,
  options: TwinOptions = {},
): Promise<Published & { execution: Execution }> {
  await using twin = await makeTwin(options);
  const { execution } = await twin.execute(input);
  const published = await told(execution.status, remember(execution, input));
  expect(published.message).not.toContain(twin.database.settings.password);
  return { ...published, execution };
}

function remember({ state, error, cause }: Execution, input: object): Remembered {
  return {
    input: JSON.stringify(input),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
    // Notify must find the document between outputs that are not documents.
    outputs: ['not even JSON', '"a word"', JSON.stringify(state), JSON.stringify({ input, execution: {} })],
  };
}

describe('an execution that succeeded', () => {
  test('is reported with its changes, and leaves nothing to do', async () => {
    const { subject, message, attributes } = await toldAfter({ snapshot: false });
    expect(subject).toBe('Backstop: Succeeded codebase_mcp');
    expect(attributes).toEqual({ ending: 'Succeeded', database: 'codebase_mcp' });
    expect(message).toContain('005 -> 002 in one transaction');
    expect(message).toMatch(/before: 005\n +now: 002/);
    expect(message).toContain('Finalized: 9 retired tables dropped.');
    expect(message).not.toContain('What to do');
    expect(message).not.toContain('could be read');
  });

  test('is reported with the tables that are finalized later, and when', async () => {
    const { message, execution } = await toldAfter(
      { snapshot: false },
      { deployment: withEnvironment({ BACKSTOP_FINALIZE_AFTER_DAYS: '7' }) },
    );
    expect(message).toContain(`pending for 002, at ${execution.state.scheduledFinalize?.at}`);
    expect(message).toContain('until then a downgrade loses no row');
  });
});

describe('an execution that failed', () => {
  test('is reported with the revision that it stepped back to', async () => {
    const { subject, message } = await toldAfter({ snapshot: false, drill: 'validation-failure' });
    expect(subject).toBe('Backstop: ValidationFailed codebase_mcp');
    expect(message).toContain('codebase_mcp, downgraded to where it was before this execution');
    expect(message).toMatch(/before: 005\n +now: 005/);
    expect(message).toContain('Nothing is lost: no older row');
    expect(message).not.toContain('What to do');
  });

  test('and needs a person is reported with the command that restores the snapshot', async () => {
    const { subject, message, execution } = await toldAfter({ drill: 'downgrade-failure' });
    expect(subject).toBe('Backstop: DowngradeFailed codebase_mcp');
    expect(message).toContain('NEEDS A PERSON');
    expect(message).toContain(
      'now: unknown: start an execution with {"action":"status","database":"codebase_mcp"}',
    );
    expect(message).toMatch(/Snapshot +backstop-codebase-mcp-/);
    expect(message).toContain(`Restore     ${execution.state.snapshot?.restore}`);
  });

  test('before there was a document is reported with the database of its input', async () => {
    const { subject, message, attributes } = await told('FAILED', {
      input: '{"database":"socrates_auth","acton":"plan"}',
      error: 'InvalidInput',
      cause: 'The input has a field "acton", which does not exist\nHINT:  Use only: action, database.',
      outputs: [],
    });
    expect(subject).toBe('Backstop: InvalidInput socrates_auth');
    expect(attributes.database).toBe('socrates_auth');
    expect(message).toContain('unchanged');
    expect(message).toContain('HINT:  Use only');
  });

  test('without a remedy is reported with one', async () => {
    const failed = { error: 'ConfigurationError', cause: 'no role', outputs: [] };
    expect((await told('FAILED', failed)).message).toContain('What to do: correct the cause');
  });

  test('by an ending that a revision declares is reported as unchanged', async () => {
    const refused = { error: refusals[0] ?? '', cause: 'no', outputs: [] };
    const { subject, message } = await told('FAILED', refused);
    expect(subject).toBe(`Backstop: ${refused.error}`);
    expect(message).toContain('A revision refused to run');
    expect(message).toContain('unknown, unchanged by the failed step');
    expect(message).toContain('What to do: correct the cause');
  });

  test('by an error of Step Functions itself is reported with an unknown outcome', async () => {
    const { subject, message } = await told('FAILED', {
      error: 'States.DataLimitExceeded',
      cause: 'The state returned a result larger than the limit.',
      outputs: [],
    });
    expect(subject).toBe('Backstop: OutcomeUnknown');
    expect(message).toContain('States.DataLimitExceeded: The state returned a result');
    expect(message).toContain('What to do:\n1. ');
  });
});

describe('an execution that was ended from outside', () => {
  test.each([
    ['TIMED_OUT', 'TimedOut', 'ran out of time'],
    ['ABORTED', 'Aborted', 'Somebody stopped the execution'],
  ])('%s promises nothing, and says how to find out', async (status, ending, says) => {
    await using twin = await makeTwin();
    const { execution } = await twin.execute({});
    // It was ended while Migrate ran.
    const { request, instance, plan, snapshot } = execution.state;
    const outputs = [JSON.stringify({ request, execution: {}, instance, plan, snapshot })];
    const { subject, message } = await told(status, { input: '{}', outputs });
    expect(subject).toBe(`Backstop: ${ending} codebase_mcp`);
    expect(message).toContain(says);
    expect(message).toContain('now: unknown');
    expect(message).toContain(`Restore     ${snapshot?.restore}`);
    expect(message).toContain('Start an execution with {"action":"status","database":"codebase_mcp"}');
  });
});

test('an execution that only reads needs no person, however it ended', async () => {
  const { message } = await told('ABORTED', { input: '{"action":"status"}', outputs: [] });
  expect(message).toContain('unchanged');
  expect(message).not.toContain('NEEDS A PERSON');
});

describe('an ending is reported', () => {
  test.each([
    ['nonsense', '{"request":{"action":5},"plan":"x"}'],
    ['an invalid summary', '{"request":{"action":"upgrade","database":"d"},"summary":{"ending":"?"}}'],
    ['an invalid name', '{"request":{"action":"upgrade","database":""}}'],
    ['invalid sections', '{"request":{"action":"upgrade","database":"d"},"validation":{"checks":7}}'],
    [
      'invalid texts',
      '{"request":{"action":"upgrade","database":"d"},"plan":{"from":"a","to":"b","finalizePending":7}}',
    ],
  ])('if the document has %s', async (_, document) => {
    for (const [status, ending] of [
      ['SUCCEEDED', 'Succeeded'],
      ['FAILED', 'ValidationFailed'],
    ] as const) {
      const { subject, message } = await told(status, { error: ending, outputs: [document], input: '["x"]' });
      expect(subject).toContain(`Backstop: ${ending}`);
      expect(message).not.toMatch(/undefined|\[object/);
    }
  });

  test('if Notify may not read the execution, with the denied requests', async () => {
    const denied = ['DescribeExecution', 'GetExecutionHistory'];
    const failed = await told('FAILED', { error: 'MigrationFailed', outputs: [] }, ...denied);
    expect(failed.subject).toBe('Backstop: OutcomeUnknown');
    expect(failed.message.match(/AccessDeniedException/g)).toHaveLength(2);
    const succeeded = await told('SUCCEEDED', { outputs: [] }, ...denied);
    expect(succeeded.subject).toBe('Backstop: Succeeded');
    expect(succeeded.message).toContain('its report could not be read');
  });

  test('with the error of the event, if Step Functions do not have it yet', async () => {
    await using endpoint = await startNotifyEndpoint();
    const event = { status: 'FAILED', error: 'DatabaseBusy', cause: 'locked', stopDate: 'no date' };
    const published = await tell(endpoint, event);
    expect(published?.subject).toBe('Backstop: DatabaseBusy');
    expect(published?.message).toContain('locked');
  });

  test('if its cause is as long as possible, with as much of it as a message can hold', async () => {
    const cause = `${'ü\u{1F418}'.repeat(8_000)}\nHINT:  The remedy.`;
    const { message } = await told('FAILED', { error: 'MigrationFailed', cause, outputs: [] });
    expect(Buffer.byteLength(message)).toBeLessThan(256 * 1024);
    expect(message).toContain('HINT:  The remedy.');
  });

  test('with a subject that SNS takes, whatever the database is called', async () => {
    const request = { action: 'upgrade', database: `ä\n${'x'.repeat(60)}` };
    const outputs = [JSON.stringify({ request })];
    const { subject } = await told('FAILED', { error: 'InvalidInput', cause: 'no', outputs });
    expect(subject).toMatch(/^Backstop: InvalidInput \?\?x+$/);
  });

  test.each([
    ['aws', 'https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#'],
    ['aws-cn', 'https://eu-central-1.console.amazonaws.cn/states/home?region=eu-central-1#'],
  ])('with a link into the console of partition %s', async (partition, link) => {
    await using endpoint = await startNotifyEndpoint();
    const executionArn = ARN.replace('arn:aws:', `arn:${partition}:`);
    const published = await tell(endpoint, { status: 'SUCCEEDED', executionArn });
    expect(published?.message).toContain(`${link}/v2/executions/details/${executionArn}`);
  });

  test('is counted by ending and database after the message, and a message that cannot be sent fails', async () => {
    await using endpoint = await startNotifyEndpoint();
    endpoint.remembered = { input: '{"database":"d"}', error: 'DatabaseBusy', cause: 'busy', outputs: [] };
    const lines: Line[] = [];
    await tell(endpoint, { status: 'FAILED' }, lines);
    expect(lines.filter((line) => '_aws' in line)).toMatchObject([
      { Endings: 1, ending: 'DatabaseBusy', database: 'd', service: 'backstop', execution: NAME },
    ]);

    endpoint.denied.add('Publish');
    const failed: Line[] = [];
    await expect(tell(endpoint, { status: 'FAILED' }, failed)).rejects.toMatchObject({
      name: 'AuthorizationErrorException',
    });
    expect(failed).toMatchObject([{ level: 'ERROR', execution: NAME }]);
  });
});
