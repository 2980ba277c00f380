// The promise of a failed execution about the database, whichever name it ended by.
import { ENDINGS, type EndingPromise, isEndingName } from './migrator/model/errors.ts';
import type { Summary } from './state.ts';

const STOPPED: EndingPromise = {
  database: 'needs a person',
  meaning: 'It was stopped from outside, at an unknown point.',
};

const REFUSED: EndingPromise = {
  database: 'unchanged',
  meaning: 'A revision refused to run, by an ending that it declares.',
};

/**
 * The promise of an ending; an error that is no ending has the promise of OutcomeUnknown.
 *
 * @param refusals names of the endings that the deployed revisions declare
 */
export function promiseOf(
  ending: Exclude<Summary['ending'], 'Succeeded'>,
  refusals: readonly string[],
): EndingPromise {
  if (ending === 'TimedOut' || ending === 'Aborted') return STOPPED;
  if (refusals.includes(ending)) return REFUSED;
  return isEndingName(ending) ? ENDINGS[ending] : ENDINGS.OutcomeUnknown;
}

/** Whether the error is an ending, and not one of Step Functions itself. */
export function isKnown(error: string, refusals: readonly string[]): boolean {
  return isEndingName(error) || refusals.includes(error);
}
