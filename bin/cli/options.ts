// Options that several verbs have.
import { InvalidInput } from '../../lambda/migrator/errors.ts';
import { DEFAULT_BOUNDS } from '../../lambda/migrator/run.ts';
import type { MigratorOptions } from '../../lambda/migrator/visit.ts';
import type { OptionWords } from './verb.ts';

export const lockWait: OptionWords = {
  flags: '--lock-wait <seconds>',
  description: `how long to wait for locks in all (default: ${DEFAULT_BOUNDS.lockWaitMs / 1000})`,
};

export function withLockWait(
  options: MigratorOptions,
  { lockWait }: { readonly lockWait?: string },
): MigratorOptions {
  if (lockWait === undefined) return options;
  return {
    ...options,
    bounds: { ...DEFAULT_BOUNDS, lockWaitMs: wholeNumber('--lock-wait', lockWait) * 1000 },
  };
}

/** Throws InvalidInput where it is none. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidInput({
    message: `${option} is "${text}"`,
    hint: 'Write a whole number from 0 to 999999.',
  });
}

export const yes: OptionWords = { flags: '-y, --yes', description: 'do not ask before data is lost' };
export const dryRun: OptionWords = {
  flags: '--dry-run',
  description: 'everything up to COMMIT, then ROLLBACK, and the same report',
};
/** What would run something is no part of what is printed. */
export const sql: OptionWords = {
  flags: '--sql',
  description: 'print the SQL, and connect to nothing',
  excludes: ['dryRun', 'finalize', 'all', 'authOnly', 'specsOnly', 'checkStatus'],
};
