// Runs a small definition on the local state machine, with scripted functions and without waiting.
import type { State, StateMachineDefinition } from '../../../../lib/twin/machine/definition.ts';
import type { HistoryEvent } from '../../../../lib/twin/machine/history.ts';
import { runMachine } from '../../../../lib/twin/machine/machine.ts';

export interface Ran {
  /** The type of the last event. */
  readonly end: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  /** The document at the end of an execution that succeeds. */
  readonly output: unknown;
  /** The types of all events. */
  readonly events: readonly string[];
  /** Before each retry and in each Wait, in seconds. */
  readonly pauses: readonly number[];
  /** The payload of each call. */
  readonly payloads: readonly unknown[];
}

/** The answer of the function to its nth call. */
export type Script = (call: number) => unknown;

/** Runs the states in the order of their names' first appearance, beginning with the first. */
export async function run(
  states: Readonly<Record<string, State>>,
  input: unknown = {},
  script: Script = () => null,
  machine: Partial<StateMachineDefinition> = {},
): Promise<Ran> {
  const events: HistoryEvent[] = [];
  const pauses: number[] = [];
  const payloads: unknown[] = [];
  const [StartAt = ''] = Object.keys(states);
  await runMachine({ StartAt, States: states, ...machine }, input, {
    execution: { Id: 'arn:execution', Name: 'run-1' },
    stateMachineArn: 'arn:machine',
    invoke: async (_, payload) => {
      payloads.push(payload);
      return script(payloads.length);
    },
    pause: async (_, seconds) => {
      pauses.push(seconds);
    },
    listener: (event) => events.push(event),
  });
  const { type: end = '', error, cause, output } = events.at(-1) ?? {};
  return { end, error, cause, output, events: events.map(({ type }) => type), pauses, payloads };
}

/** A function's error, as Step Functions gets it. */
export function thrown(name: string, cause = ''): Error {
  return Object.assign(new Error(cause), { name });
}

export const ARN = 'arn:aws:lambda:eu-central-1:111122223333:function:work';
