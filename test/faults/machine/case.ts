// A case as data: the fault, its place, and how the execution must end.
import type { Case } from '../../machine/twin.ts';
import type { AwsDisturbance } from './faulty-aws.ts';
import type { Mishap } from './function.ts';
import type { Ends, PlaceName } from './places.ts';

/** The activity of an invocation. */
export type Activity = 'waiting for a lock' | 'in a step';

export interface FaultCase extends Pick<Case, 'given' | 'deployment' | 'server'> {
  readonly place: PlaceName;
  /** As the page prints it. */
  readonly fault: string;
  readonly ends: Ends;
  readonly mishap?: Mishap;
  /** How many invocations have the mishap. @default all */
  readonly times?: number;
  /** The activity during which the first invocation is killed. */
  readonly killed?: Activity;
  /** The fault of AWS, in the place of an answer. */
  readonly aws?: AwsDisturbance;
  /** Whether the work of the first invocation is held up until the execution has ended, and then goes on. */
  readonly outlives?: boolean;
}
