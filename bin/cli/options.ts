// Options that several verbs have.
import { DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import type { OptionWords } from './verb.ts';

export const lockWait: OptionWords = {
  flags: '--lock-wait <seconds>',
  description: `how long to wait for all locks together (default: ${DEFAULT_BOUNDS.lockWaitMs / 1000})`,
};

export const maxLock: OptionWords = {
  flags: '--max-lock <seconds>',
  description: `refuse an upgrade that is expected to lock a table for longer (default: ${DEFAULT_BOUNDS.maxLockMs / 1000})`,
};

export interface BoundsOptions {
  readonly lockWait?: string;
  readonly maxLock?: string;
}

/** Throws InvalidInput if an option is not a number of seconds. */
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

/** Throws InvalidInput if the text is not a whole number. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new BackstopError('InvalidInput', {
    message: `${option} is "${text}"`,
    hint: 'Write a whole number from 0 to 999999.',
  });
}

export const yes: OptionWords = { flags: '-y, --yes', description: 'confirm that data may be lost' };
export const strict: OptionWords = {
  flags: '--strict',
  description: 'end with 1 if somebody has changed the schema since the last run',
};
export const dryRun: OptionWords = {
  flags: '--dry-run',
  description: 'run everything up to COMMIT, then roll back and print the same report',
};
/** Excludes every option that only a run has; the flags of databases.json exclude it themselves. */
export const sql: OptionWords = {
  flags: '--sql',
  description: 'print the SQL; connect to no database',
  excludes: ['dryRun', 'finalize', 'all'],
};
