// The changes of a database since a run, which a person names by its id.
import type { Differences } from '../../model/differences.ts';
import { BackstopError } from '../../model/errors.ts';
import type { Queries } from '../../session/client.ts';
import { findRuns } from '../fingerprints-of-runs.ts';
import { readDifferences } from './differences.ts';

const LIST = 'npx backstop log --json lists the runs with their ids.';

/**
 * The changes since the run whose id begins so.
 *
 * @throws InvalidInput if there is no such run, if there are more, or if the history has no fingerprint of it
 */
export async function readDifferencesSince(queries: Queries, run: string): Promise<Differences> {
  const [found, other] = run === '' ? [] : await findRuns(queries, run);
  if (found === undefined) throw invalid(`The history has no run whose id begins with "${run}"`, LIST);
  if (other !== undefined) {
    throw invalid(
      `The history has more than one run whose id begins with "${run}"`,
      `Write more of the id: ${LIST}`,
    );
  }
  const { runId, after } = found;
  const differences = after === null ? undefined : await readDifferences(queries, after);
  if (differences) return differences;
  throw invalid(
    `The history has no fingerprint of the run ${runId}`,
    `Name a later run that was committed: ${LIST}`,
  );
}

function invalid(message: string, hint: string): BackstopError {
  return new BackstopError('InvalidInput', { message, hint });
}
