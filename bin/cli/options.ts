// Options that several verbs have.

import { DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import type { OptionWords } from './verb.ts';

export const lockWait: OptionWords = {
  flags: '--lock-wait <seconds>',
  description: `how long to wait for locks in all (default: ${DEFAULT_BOUNDS.lockWaitMs / 1000})`,
};

export const maxLock: OptionWords = {
  flags: '--max-lock <seconds>',
  description: `refuse an upgrade that is expected to lock a table for longer (default: ${DEFAULT_BOUNDS.maxLockMs / 1000})`,
};

export interface BoundsOptions {
  readonly lockWait?: string;
  readonly maxLock?: string;
}

/** Throws InvalidInput where a bound is no time. */
export function withBounds(options: MigratorOptions, { lockWait, maxLock }: BoundsOptions): MigratorOptions {
  const bounds = {
    ...DEFAULT_BOUNDS,
    ...(lockWait !== undefined && { lockWaitMs: wholeNumber('--lock-wait', lockWait) * 1000 }),
    ...(maxLock !== undefined && { maxLockMs: positiveNumber('--max-lock', maxLock) * 1000 }),
  };
  return { ...options, bounds };
}

function positiveNumber(option: string, text: string): number {
  if (/^\d{1,6}(\.\d{1,6})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new BackstopError('InvalidInput', {
    message: `${option} is "${text}"`,
    hint: 'Write a number above 0 and below 1000000, such as 0.5.',
  });
}

/** Throws InvalidInput where it is none. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new BackstopError('InvalidInput', {
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
