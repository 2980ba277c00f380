// The history of the longest execution of the definition, beside the 25,000 events that Step Functions permits.
import { EXECUTION_LIMIT_HOURS } from '../../lib/timeouts.ts';
import { LARGEST_HISTORY } from '../../lib/twin/machine/history.ts';
import {
  type Definition,
  definitionOf,
  type StateDefinition,
  successors,
  synthesizeTemplate,
} from './synthesized.ts';

/** The longest that a deployment may wait for its snapshot. */
const SNAPSHOT_MINUTES = 150;

let definition: Definition;
beforeAll(() => {
  definition = definitionOf(synthesizeTemplate({ snapshotTimeoutMinutes: SNAPSHOT_MINUTES }));
});

const state = (name: string) => definition.States[name] as StateDefinition;

/** How many events a state makes if each of its retriers is exhausted. With full jitter, a retry may follow at once. */
function mostEvents(name: string): number {
  const { Type, Retry = [] } = state(name);
  const calls = 1 + Retry.reduce((sum, { MaxAttempts = 3 }) => sum + MaxAttempts, 0);
  return 2 + (Type === 'Task' ? 3 * calls : 0);
}

const fewestEvents = (name: string) => 2 + (state(name).Type === 'Task' ? 3 : 0);

/** The events of the longest way from a state to the end of an execution, or to a state, without a Wait in between. */
function longest(from: string, to: string | undefined, events: (name: string) => number): number {
  const { Type } = state(from);
  if (from === to) return 0;
  const next = Type === 'Wait' ? [] : successors(state(from));
  const ways = next.map((name) => longest(name, to, events)).filter((way) => way >= 0);
  if (ways.length === 0 && (to !== undefined || Type === 'Wait')) return Number.NEGATIVE_INFINITY;
  return events(from) + Math.max(0, ...ways);
}

/** The events of the longest execution: straight to an end, and as often round each Wait as its time allows. */
function longestHistory(events: (name: string) => number): number {
  const waits = Object.entries(definition.States).filter(([, { Type }]) => Type === 'Wait');
  const rounds = waits.map(([name, { Next = '', Seconds = 0 }]) => {
    const round = events(name) + longest(Next, name, events);
    return (round * SNAPSHOT_MINUTES * 60) / Seconds;
  });
  const endsOfExecution = 2;
  return endsOfExecution + longest(definition.StartAt, undefined, events) + rounds.reduce((a, b) => a + b);
}

test('the snapshot may be waited for no longer', () => {
  expect(SNAPSHOT_MINUTES).toBeLessThan(EXECUTION_LIMIT_HOURS * 60);
  expect(() => synthesizeTemplate({ snapshotTimeoutMinutes: SNAPSHOT_MINUTES + 1 })).toThrow(
    'snapshotTimeoutMinutes',
  );
});

test('a quarter of the events is enough for the longest snapshot', () => {
  expect(longestHistory(fewestEvents)).toBeLessThan(LARGEST_HISTORY / 4);
});

test('nine tenths are enough if every call fails until its retries are used up', () => {
  expect(longestHistory(mostEvents)).toBeLessThan(LARGEST_HISTORY * 0.9);
});
