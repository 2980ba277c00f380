// The result of a check, and the words for a check that could not be made.
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';

export interface Finding {
  /** `unknown`: the check could not be made, so that it is neither good nor bad. */
  readonly outcome: 'good' | 'bad' | 'warning' | 'unknown';
  /** One sentence without a full stop. */
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A finding with the name of its check, e.g. `secret of shop`. */
export interface NamedFinding extends Finding {
  readonly check: string;
}

export const good = (message: string): Finding => ({ outcome: 'good', message });
export const bad = (message: string, hint: string): Finding => ({ outcome: 'bad', message, hint });
export const warning = (message: string, hint: string): Finding => ({ outcome: 'warning', message, hint });

/** The faults, and the sentence only if there are none. */
export function goodUnless(faults: readonly Finding[], message: string): Finding[] {
  return faults.length > 0 ? [...faults] : [good(message)];
}

const DENIED = /^(AccessDenied|UnauthorizedOperation|AuthorizationError)/;
const ALLOW = 'Allow the action: docs/cli.md lists all actions of doctor.';

/** The finding of a check that threw: a call that was denied or failed, or a refusal in Backstop's words. Throws a bug. */
export function notChecked(error: unknown): Finding {
  const unknown = (why: string, hint: string): Finding => ({
    outcome: 'unknown',
    message: `could not be checked: ${why}`,
    hint,
  });
  if (error instanceof BackstopError) {
    const { summary, detail = '', hint = 'Run it again.' } = error;
    return unknown([summary, detail].filter(Boolean).join(': '), DENIED.test(detail) ? ALLOW : hint);
  }
  if (!(error instanceof Error && '$metadata' in error)) throw error;
  const { name, message, code } = error as Error & { readonly code?: unknown };
  // EC2 adds a code of some hundred letters.
  const [said = ''] = message.split(' Encoded authorization');
  if (isAnswered(error) && DENIED.test(name)) return unknown(`${name}: ${said}`, ALLOW);
  // Any other error of the SDK may quote the answer, which may hold a secret.
  const known = isAnswered(error) ? `${name}: ${said}` : typeof code === 'string' ? code : name;
  return unknown(known, 'Run it again.');
}

/** Whether AWS answered with an error, in its words. */
export function isAnswered(error: unknown): boolean {
  return typeof error === 'object' && error !== null && '$fault' in error;
}

/** Undefined if AWS answered that the thing does not exist, with one of these names. Throws any other error. */
export async function unlessMissing<T>(answer: Promise<T>, names: RegExp): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAnswered(error) && names.test((error as Error).name)) return undefined;
    throw error;
  }
}
