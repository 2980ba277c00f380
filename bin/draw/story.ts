// The state machine as a story: its states, except states that only compose a message, and its ends by their promise
// about the database.
import { type DatabaseState, ENDINGS, isEndingName } from '../../lambda/migrator/model/errors.ts';
import { STEPPED_BACK } from '../../lambda/state.ts';
import { BACK, STRAIGHT, WORDS } from './words.ts';

/** A state of the definition, as far as it is drawn. */
interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly ErrorPath?: string;
  readonly Error?: string;
}

export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export type Kind = 'start' | 'task' | 'choice' | 'wait' | 'success' | DatabaseState;

export interface Node {
  readonly id: string;
  readonly kind: Kind;
  /** One text a line; an end has a heading, and the names of its states below. */
  readonly lines: readonly string[];
}

/** The course to which a way belongs. */
export type Course = 'straight' | 'back' | 'other' | 'error';

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly course: Course;
  readonly words: string;
}

export interface Story {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/** A way out of a state. */
interface Way {
  readonly to: string;
  /** The errors that lead there; empty for a way without an error. */
  readonly errors: readonly string[];
}

/** State → its ways out. */
type Ways = ReadonlyMap<string, readonly Way[]>;

const START: Node = { id: 'Start', kind: 'start', lines: ['input'] };
const KINDS: Readonly<Record<string, Kind>> = {
  Task: 'task',
  Choice: 'choice',
  Wait: 'wait',
  Succeed: 'success',
};
/** If several ways lead from one state to another, the way with the first of these courses is drawn. */
const COURSES: readonly Course[] = ['straight', 'back', 'other', 'error'];

/**
 * Reads the story out of a definition.
 * @throws Error if a Fail state ends by an error that promises nothing
 */
export function tell({ StartAt, States }: Definition): Story {
  const ways = waysOf(States);
  const first = skipPasses(States, StartAt);
  const courseOf = coursesOf(ways, first);
  const promises = promisesOf(States, ways);
  const edges = [...ways].flatMap(([from, exits]) =>
    exits.map((way) => ({
      from,
      to: promises.get(way.to) ?? way.to,
      course: courseOf(from, way),
      words: WORDS[from]?.[way.to] ?? '',
    })),
  );
  return {
    nodes: [START, ...nodesOf(States), ...endsOf(promises)],
    edges: unite([{ from: START.id, to: first, course: 'straight', words: '' }, ...edges]),
  };
}

/** A Pass only puts words together: the way leads through it. */
function skipPasses(states: Definition['States'], name: string): string {
  const { Type, Next } = states[name] ?? {};
  return Type === 'Pass' && Next ? skipPasses(states, Next) : name;
}

function waysOf(states: Definition['States']): Ways {
  const wayTo = (name: string, errors: readonly string[]): Way => ({ to: skipPasses(states, name), errors });
  return new Map(
    Object.entries(states)
      .filter(([, { Type }]) => Type !== 'Pass')
      .map(([name, { Next, Default, Choices = [], Catch = [] }]) => {
        const calm = [Next, ...Choices.map((choice) => choice.Next), Default];
        return [
          name,
          [
            ...calm.filter((to) => to !== undefined).map((to) => wayTo(to, [])),
            ...Catch.map((caught) => wayTo(caught.Next, caught.ErrorEquals)),
          ],
        ];
      }),
  );
}

function coursesOf(ways: Ways, first: string): (from: string, way: Way) => Course {
  const [fork = ''] = Object.keys(BACK);
  const [straight, back] = [walk(ways, first, STRAIGHT), walk(ways, fork, BACK)];
  return (from, { to, errors }) => {
    if (errors.length > 0) return 'error';
    const step = stepOf(from, to);
    return straight.has(step) ? 'straight' : back.has(step) ? 'back' : 'other';
  };
}

/** The steps of one course: at a choice as it is told to, elsewhere straight on. */
function walk(ways: Ways, first: string, turns: Readonly<Record<string, string>>): Set<string> {
  const steps = new Set<string>();
  let from = first;
  while (true) {
    const calm = (ways.get(from) ?? []).filter(({ errors }) => errors.length === 0);
    const to: string | undefined = turns[from] ?? (calm.length === 1 ? calm[0]?.to : undefined);
    if (to === undefined || steps.has(stepOf(from, to))) return steps;
    steps.add(stepOf(from, to));
    from = to;
  }
}

function stepOf(from: string, to: string): string {
  return `${from} → ${to}`;
}

/**
 * Fail state → its promise. If the state has no error itself, the document names one of the endings after a step back, or
 * the errors that lead to the state decide.
 */
function promisesOf(states: Definition['States'], ways: Ways): Map<string, DatabaseState> {
  const exits = [...ways.values()].flat();
  return new Map(
    Object.entries(states)
      .filter(([, { Type }]) => Type === 'Fail')
      .map(([name, { Error: own, ErrorPath: path = '' }]) => {
        const named = path.startsWith('$.downgradeValidation.') ? STEPPED_BACK : [];
        const caught = exits.flatMap(({ to, errors }) => (to === name ? errors : []));
        const error = [...(own ? [own] : named), ...caught].find(isEndingName);
        if (!error) throw new Error(`"${name}" ends by no error of lambda/migrator/model/errors.ts.`);
        return [name, ENDINGS[error].database];
      }),
  );
}

function nodesOf(states: Definition['States']): Node[] {
  return Object.entries(states).flatMap(([id, { Type }]) => {
    const kind = KINDS[Type];
    return kind ? [{ id, kind, lines: [id] }] : [];
  });
}

/** One node for all Fail states that promise the same. */
function endsOf(promises: ReadonlyMap<string, DatabaseState>): Node[] {
  return [...new Set(promises.values())].map((promise) => {
    const names = [...promises.keys()].filter((name) => promises.get(name) === promise);
    return {
      id: promise,
      kind: promise,
      lines: [promise, ...names.sort()],
    };
  });
}

/** One way between two nodes. */
function unite(edges: readonly Edge[]): Edge[] {
  const ordered = edges.toSorted((a, b) => COURSES.indexOf(a.course) - COURSES.indexOf(b.course));
  const steps = ordered.map(({ from, to }) => stepOf(from, to));
  return ordered.filter((_, index) => steps.indexOf(steps[index] ?? '') === index);
}
