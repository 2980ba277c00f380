// The message about an ended execution, at its largest: SNS refuses more than 262,144 bytes, or a long subject.
import { notificationOf } from '../../lambda/notification.ts';
import type { Summary } from '../../lambda/state.ts';

const SNS_BYTES = 262_144;
const CIRCUMSTANCES = {
  execution: {
    name: 'x'.repeat(80),
    arn: `arn:aws-us-gov:states:ap-southeast-1:111122223333:execution:${'x'.repeat(80)}:${'x'.repeat(80)}`,
    stateMachineArn: `arn:aws-us-gov:states:ap-southeast-1:111122223333:stateMachine:${'x'.repeat(80)}`,
    startedAt: '2026-01-01T00:00:00.000Z',
  },
  endedAt: '2026-01-01T04:00:00.000Z',
  past: { document: {}, unread: ['…'.repeat(1000)] },
  refusals: [],
} as unknown as Parameters<typeof notificationOf>[1];

function notificationFor(message: string, names: Partial<Summary> = {}) {
  const summary: Summary = {
    ending: 'OutcomeUnknown',
    action: 'upgrade',
    database: 'codebase_mcp',
    message,
    revisionBefore: null,
    revisionAfter: null,
    snapshot: null,
    finalizePending: [],
    finalizeAt: null,
    ...names,
  };
  return notificationOf(summary, CIRCUMSTANCES);
}

test.each(['a', 'ü', '语', '😀'])(
  'a message of megabytes of "%s" keeps within the size that SNS takes',
  (character) => {
    const { subject, message, attributes } = notificationFor(character.repeat(1_000_000));
    const all = [subject, message, ...Object.entries(attributes).flat(), 'String'.repeat(2)].join('');
    expect(Buffer.byteLength(all)).toBeLessThanOrEqual(SNS_BYTES);
    expect(message).toMatch(/… \(the execution has all of it\)$/);
  },
);

test.each([0, 1])('a message is not cut within a character, %d units further on', (shift) => {
  const { message } = notificationFor(`${'a'.repeat(shift)}${'😀'.repeat(100_000)}`);
  // The SDK refuses half of a surrogate pair.
  expect(() => encodeURIComponent(message)).not.toThrow();
});

test('a subject has fewer than 100 printable characters of ASCII, on one line', () => {
  const { subject } = notificationFor('', { ending: `Refused\n😀${'x'.repeat(300)}` as Summary['ending'] });
  expect(subject).toMatch(/^Backstop: Refused\?+x[ -~]*$/);
  expect(subject.length).toBeLessThan(100);
});
