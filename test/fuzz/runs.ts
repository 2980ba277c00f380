// How many cases a fuzz test tries: few in `npm test`, as many as BACKSTOP_FUZZ_RUNS says in `npm run test:fuzz`.
import { inspect } from 'node:util';
import { BackstopError, ENDINGS, type EndingName } from '../../lambda/migrator/model/errors.ts';

export const numRuns = Number(process.env.BACKSTOP_FUZZ_RUNS ?? 200);

/** The secret in fuzzed values. */
export const SECRET = 'open-sesame-7f3a';

/**
 * Does the work, which may fail only with an error that has a name, a sentence and a remedy, and hides the secret.
 *
 * @returns the result, or undefined if the work failed
 */
export async function civilly<T>(
  work: () => T | Promise<T>,
  allowed: readonly EndingName[],
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BackstopError)) throw error;
    expect(allowed).toContain(error.name);
    expect(ENDINGS).toHaveProperty(error.name);
    expect(error.summary).toMatch(/\w/);
    expect(error.hint).toMatch(/\w/);
    // The log has the stack, too, and the causes.
    expect(inspect(error, { depth: null })).not.toContain(SECRET);
    return undefined;
  }
}
