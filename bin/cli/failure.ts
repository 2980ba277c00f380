// How an error is told: one line that says what, then DETAIL and HINT, as the execution contract prints E1 to E4.
import type { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { FAILED, USED_WRONGLY } from './exit-status.ts';
import type { Terminal } from './terminal.ts';
import type { Answer } from './verb.ts';

export function describeFailure(error: BackstopError, { paint }: Terminal): Answer {
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

/** What was asked for was wrong, and not what became of it. */
const WRONG_USE: readonly string[] = ['InvalidInput', 'ConfigurationError'];

export function failureStatus({ name }: BackstopError): number {
  return WRONG_USE.includes(name) ? USED_WRONGLY : FAILED;
}
