// How an error is printed: one line with its name, then DETAIL and HINT, as PostgreSQL prints them.
import type { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { describeLocation, type Location } from '../../lambda/migrator/model/location.ts';
import { FAILED, USED_WRONGLY } from './exit-status.ts';
import type { Terminal } from './terminal.ts';
import type { VerbResult } from './verb.ts';
import type { Voice } from './voice/voice.ts';

/** @param voice of the database, if it is known which one it is */
export function describeFailure(error: BackstopError, { paint }: Terminal, voice?: Voice): VerbResult {
  const { name, location } = error;
  const { summary, detail, hint } = voice?.error(error) ?? error;
  return {
    lines: [
      `${paint.bad(`${name}:`)} ${summary}`,
      ...(location ? describeLocation(location) : []),
      ...labelled('DETAIL', detail),
      ...labelled('HINT', hint),
    ],
    json: { error: name, message: summary, detail, hint, ...placeOf(location) },
  };
}

/** The detail and the hint of an error are safe to print, and their line ends are Backstop's own. */
function labelled(label: string, text: string | undefined): string[] {
  return text === undefined ? [] : `${label}:  ${text}`.split('\n');
}

/** The place of the error in the files of a revision, as fields of the document. */
function placeOf(location: Location | undefined): Partial<Pick<Location, 'file' | 'line' | 'column'>> {
  if (location === undefined) return {};
  const { file, line, column } = location;
  return { file, line, ...(column !== undefined && { column }) };
}

/** The request itself was wrong: nothing was run. */
const WRONG_USE: readonly string[] = ['InvalidInput', 'ConfigurationError'];

export function failureStatus({ name }: BackstopError): number {
  return WRONG_USE.includes(name) ? USED_WRONGLY : FAILED;
}
