// How an error is printed: one line with its name, then DETAIL and HINT, as PostgreSQL prints them.
import type { BackstopError, EndingName } from '../../lambda/migrator/model/errors.ts';
import { FAILED, USED_WRONGLY } from './exit-status.ts';
import type { Terminal } from './terminal.ts';
import type { VerbResult } from './verb.ts';

export function describeFailure(error: BackstopError, { paint }: Terminal): VerbResult {
  const { name, summary, detail, hint } = error;
  return {
    lines: [
      `${paint.bad(`${name}:`)} ${summary}`,
      ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
      ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
    ],
    json: { error: name, message: summary, detail, hint },
  };
}

/** The request itself was wrong: nothing was run. */
const WRONG_USE: readonly EndingName[] = ['InvalidInput', 'ConfigurationError'];

export function failureStatus({ name }: BackstopError): number {
  return WRONG_USE.includes(name) ? USED_WRONGLY : FAILED;
}
