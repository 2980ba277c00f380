// A substitute for a gap in the local interpreter: a Fail that composes its sentence runs as a Pass and a Fail.
import type { StateMachineDefinition } from 'aws-local-stepfunctions';

/** The parts of a state that are read and changed here. */
interface State {
  readonly Type: string;
  readonly ErrorPath?: string;
  readonly CausePath?: string;
}

/** Ends the name of each added state; no state of a definition is called so. */
const ADDED = ' (composes its sentence)';
/** The section of the document that an added state writes. */
const COMPOSED = 'composed';

/**
 * The definition with each intrinsic function of a Fail moved into a Pass before it, which every way to the Fail leads
 * through. The Fail keeps its name.
 */
export function composable(definition: StateMachineDefinition): StateMachineDefinition {
  const states = Object.entries(definition.States) as unknown as [string, State][];
  const composing = states.filter(([, state]) => state.Type === 'Fail' && hasIntrinsic(state));
  if (composing.length === 0) return definition;
  const names = new Set(composing.map(([name]) => name));
  const redirected = states.map(([name, state]) => [name, redirect(state, names)]);
  const replaced = composing.flatMap(([name, state]) => [
    [name + ADDED, composeBefore(name, state)],
    [name, readComposed(state)],
  ]);
  return { ...definition, States: Object.fromEntries([...redirected, ...replaced]) };
}

/** Whether the definition itself does not have that state. */
export function isAdded(state: string | undefined): boolean {
  return state?.endsWith(ADDED) ?? false;
}

const FIELDS = ['ErrorPath', 'CausePath'] as const;

function isIntrinsic(path: string | undefined): path is string {
  return path?.startsWith('States.') ?? false;
}

function hasIntrinsic(state: State): boolean {
  return FIELDS.some((field) => isIntrinsic(state[field]));
}

function composeBefore(name: string, state: State) {
  const composed = FIELDS.flatMap((field) =>
    isIntrinsic(state[field]) ? [[`${field}.$`, state[field]]] : [],
  );
  return {
    Type: 'Pass',
    Parameters: Object.fromEntries(composed),
    ResultPath: `$.${COMPOSED}`,
    Next: name,
  };
}

function readComposed(state: State): State {
  const paths = FIELDS.filter((field) => isIntrinsic(state[field]));
  return { ...state, ...Object.fromEntries(paths.map((field) => [field, `$.${COMPOSED}.${field}`])) };
}

/** Whatever leads to one of these states, leads to the Pass before it. */
function redirect<T>(value: T, names: ReadonlySet<string>): T {
  if (Array.isArray(value)) return value.map((item) => redirect(item, names)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) =>
    (key === 'Next' || key === 'Default') && names.has(item)
      ? [key, item + ADDED]
      : [key, redirect(item, names)],
  );
  return Object.fromEntries(entries) as T;
}
