// The endings that a revision declares: `-- Refuses: 23503 OrdersBlocked, 23514 TotalInvalid`.
import { BackstopError, ENDINGS, isEndingName } from '../model/errors.ts';

/** SQLSTATE of an exception that the revision raises → name of the ending. */
export type Refusals = ReadonlyMap<string, string>;

const ENTRY = /^([0-9A-Z]{5})\s+([A-Z][A-Za-z0-9]*)$/;
const LONGEST_NAME = 64;
/** Names that mean something else at the end of an execution. */
const TAKEN: readonly string[] = ['Succeeded', 'TimedOut', 'Aborted'];

/**
 * Reads the value of the header line.
 *
 * @param path names the file in errors
 * @throws RevisionInvalid if an entry is not a SQLSTATE and a name, a SQLSTATE is given twice, or the name promises
 *   something else than an unchanged database
 */
export function parseRefusals(value: string, path: string): Refusals {
  const refusals = new Map<string, string>();
  for (const entry of value.split(',').map((text) => text.trim())) {
    if (entry === '') continue;
    const [, code, name] = ENTRY.exec(entry) ?? [];
    if (code === undefined || name === undefined || name.length > LONGEST_NAME) {
      throw invalid(
        `${path}: "${entry}" in "Refuses" is not a SQLSTATE and a name`,
        'Write: 23503 OrdersBlocked',
      );
    }
    if (refusals.has(code)) {
      throw invalid(`${path}: "Refuses" has the SQLSTATE ${code} twice`, 'Give it one name.');
    }
    requireHarmless(name, path);
    refusals.set(code, name);
  }
  return refusals;
}

function requireHarmless(name: string, path: string): void {
  const promised = isEndingName(name) ? ENDINGS[name].database : undefined;
  if (promised === 'unchanged') return;
  // Lambda gives such names to faults of the code.
  const isFree = promised === undefined && !TAKEN.includes(name) && !name.endsWith('Error');
  if (isFree) return;
  throw invalid(
    `${path}: "Refuses" cannot use the name ${name}`,
    'A refusal leaves the database unchanged, and this name means something else: choose another one.',
  );
}

function invalid(message: string, hint: string): BackstopError {
  return new BackstopError('RevisionInvalid', { message, hint });
}
