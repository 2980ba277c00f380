// The matrix: every Task with every fault of its function. A case is data.
import type { AnyEnding } from '../../../lambda/migrator/model/errors.ts';
import { type TestTwin, withEnvironment } from '../../machine/twin.ts';
import type { FaultCase } from './case.ts';
import type { Mishap } from './function.ts';
import { type Ends, PLACES, type Place, type PlaceName } from './places.ts';

const NAMES = Object.keys(PLACES) as PlaceName[];
export const placeOf = (name: PlaceName): Place => PLACES[name];

/** How an execution ends if the function of a place always throws an error with this name. */
export function endOf(place: PlaceName, name: AnyEnding): Ends {
  const { refuses, silent } = placeOf(place);
  return refuses.includes(name) ? name : silent;
}

/** Lambda was too busy to run the function. */
const THROTTLED = 'Lambda.TooManyRequestsException';
/** Lambda did not say whether the function has run. */
const SERVICE = ['Lambda.ServiceException', 'Lambda.SdkClientException'];

/** Every error that the function can throw; it throws it in all invocations. */
export const NAMED: FaultCase[] = NAMES.flatMap((place) =>
  placeOf(place).throws.map(
    (name): FaultCase => ({
      place,
      fault: `throws ${name}`,
      ends: endOf(place, name),
      mishap: { does: 'throw', name },
    }),
  ),
);

interface Happening {
  readonly fault: string;
  readonly mishap: Mishap;
  readonly times?: number;
  ends(place: Place): Ends;
}

const silent = ({ silent: ends }: Place) => ends;
const undisturbed = ({ undisturbed: ends }: Place) => ends;
const lostOnce = ({ lostOnce: ends }: Place) => ends;

/** After Migrate has committed, Reconcile finds its work in the database. */
function afterWork(ends: (place: Place) => Ends): (place: Place) => Ends {
  return (place) => (place === PLACES.Migrate ? place.undisturbed : ends(place));
}

/** In the first invocation only. */
const ONCE = { times: 1 };

const HAPPENINGS: Happening[] = [
  {
    fault: 'throws an error that Backstop does not name (a bug)',
    mishap: { does: 'throw', name: 'TypeError' },
    ends: silent,
  },
  { fault: 'is killed before its work, once', mishap: { does: 'die' }, ...ONCE, ends: lostOnce },
  { fault: 'is killed before its work, every time', mishap: { does: 'die' }, ends: silent },
  {
    fault: 'is killed after its work, once',
    mishap: { does: 'die', after: true },
    ...ONCE,
    ends: afterWork(lostOnce),
  },
  {
    fault: 'is killed after its work, every time',
    mishap: { does: 'die', after: true },
    ends: afterWork(silent),
  },
  { fault: 'runs out of memory, every time', mishap: { does: 'run out of memory' }, ends: silent },
  { fault: 'hangs until its time is up, every time', mishap: { does: 'hang' }, ends: silent },
  {
    fault: 'does its work, and the time of the Task is up (States.Timeout), once',
    mishap: { does: 'throw', name: 'States.Timeout', after: true },
    ...ONCE,
    ends: afterWork(lostOnce),
  },
  {
    fault: 'does its work, and ends as Lambda.Unknown, once',
    mishap: { does: 'throw', name: 'Lambda.Unknown', after: true },
    ...ONCE,
    ends: afterWork(lostOnce),
  },
  {
    fault: `is throttled (${THROTTLED}), once`,
    mishap: { does: 'throw', name: THROTTLED },
    ...ONCE,
    ends: undisturbed,
  },
  { fault: 'is throttled, every time', mishap: { does: 'throw', name: THROTTLED }, ends: silent },
  ...SERVICE.map(
    (name): Happening => ({
      fault: `is not run (${name}), once`,
      mishap: { does: 'throw', name },
      ...ONCE,
      ends: maybeRun,
    }),
  ),
  {
    fault: 'is not run (Lambda.ServiceException), every time',
    mishap: { does: 'throw', name: 'Lambda.ServiceException' },
    ends: silent,
  },
  {
    fault: 'does its work, and the answer is lost (Lambda.SdkClientException), once',
    mishap: { does: 'throw', name: 'Lambda.SdkClientException', after: true },
    ...ONCE,
    ends: afterWork(maybeRun),
  },
  {
    fault: 'is delivered twice, one after the other',
    mishap: { does: 'work twice' },
    ...ONCE,
    ends: undisturbed,
  },
  {
    fault: 'is delivered twice at once',
    mishap: { does: 'work twice', at: 'once' },
    ...ONCE,
    ends: undisturbed,
  },
];

/** Lambda may have run it. Two Tasks are not retried then: a second run could hide the work of the first. */
function maybeRun(place: Place): Ends {
  return place === PLACES.Migrate || place === PLACES['Downgrade on request']
    ? place.silent
    : place.undisturbed;
}

/** The faults that every function can have. */
export const HAPPENED: FaultCase[] = NAMES.flatMap((place) =>
  HAPPENINGS.map(({ ends, ...rest }): FaultCase => ({ ...rest, place, ends: ends(placeOf(place)) })),
);

/** The Tasks that change the database, and the outcome that they write to the history. */
const OUTCOMES = {
  Migrate: 'upgraded',
  Finalize: 'finalized',
  Downgrade: 'downgraded',
  'Downgrade on request': 'downgraded',
} as const satisfies Partial<Record<PlaceName, string>>;
const WRITING = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
const OUTSIDE: readonly PlaceName[] = ['Resolve input', 'Take snapshot', 'Schedule finalize', 'Summarize'];
/** The Tasks that connect to it. */
export const CONNECTING: readonly PlaceName[] = NAMES.filter((name) => !OUTSIDE.includes(name));

/** How it ends if the database cannot be queried afterwards. */
const unasked = (place: PlaceName): Ends => (place === 'Migrate' ? 'OutcomeUnknown' : placeOf(place).silent);

/** A kill, a second invocation or the loss of the secret interrupts the work. */
export const INTERRUPTED: FaultCase[] = [
  ...CONNECTING.map(
    (place): FaultCase => ({
      place,
      fault: 'is killed while it waits for a lock',
      ends: placeOf(place).lostOnce,
      killed: 'waiting for a lock',
    }),
  ),
  ...WRITING.flatMap((place): FaultCase[] => [
    {
      place,
      fault: 'is killed in the middle of a step',
      ends: placeOf(place).lostOnce,
      killed: 'in a step',
    },
    {
      place,
      fault: 'is still at work when Lambda stops waiting for it (Lambda.ClientExecutionTimeoutException)',
      ends: unasked(place),
      mishap: { does: 'go on', name: 'Lambda.ClientExecutionTimeoutException' },
      times: 1,
      outlives: true,
      deployment: withEnvironment({ BACKSTOP_LOCK_WAIT_SECONDS: '1' }),
    },
    {
      place,
      fault: 'does its work, the answer is lost (Lambda.SdkClientException), and then the secret is gone',
      ends: unasked(place),
      mishap: { does: 'throw', name: 'Lambda.SdkClientException', after: true },
      times: 1,
      given: secretGoneAfter(OUTCOMES[place]),
    },
    {
      place,
      fault: 'is killed after its work, and then the secret is gone',
      ends: unasked(place),
      mishap: { does: 'die', after: true },
      times: 1,
      given: secretGoneAfter(OUTCOMES[place]),
    },
  ]),
];

/** Deletes the secret when the history has a run with this outcome. */
function secretGoneAfter(outcome: string) {
  return ({ endpoint, database }: TestTwin) => {
    endpoint.onRequest = async () => {
      const [table] = await database.query("SELECT to_regclass('backstop.history') AS oid");
      const done =
        table?.oid &&
        (await database.query(
          'SELECT FROM backstop.history WHERE outcome = $1 AND execution_arn IS NOT NULL',
          [outcome],
        ));
      return done?.length > 0 ? { code: 'ResourceNotFoundException', message: 'no such secret' } : undefined;
    };
  };
}
