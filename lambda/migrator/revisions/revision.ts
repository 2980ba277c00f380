// One revision: a folder of SQL, read and understood (design: "A revision is a folder of SQL").
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Effect } from '../grammar/effect.ts';
import { BackstopError } from '../model/errors.ts';
import type { RevisionId } from '../model/report.ts';
import { type Check, PHASES, type Phase, readChecks } from './check.ts';
import type { Key } from './header.ts';
import type { Source } from './origin.ts';
import { parseRefusals, type Refusals } from './refusals.ts';
import { parseSqlFile, type SqlFile } from './sql-file.ts';
import { display, readText } from './text.ts';
import { findTransactionControl } from './transaction-control.ts';

export interface Step extends Source {
  readonly title: string;
  /** The locks of its statements, as the grammar reads them; absent if it was not read. */
  readonly effects?: readonly Effect[];
}

/** The steps of one direction, and the tables that are locked before the first of them, or read. */
export interface Script {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Schema-qualified names, in the order in which they are locked. */
  readonly locks: readonly string[];
  /** The endings of the exceptions that the revision raises. */
  readonly refuses: Refusals;
  /** Schema-qualified names of tables that a step reads from end to end, as a CHECK does when it is added. */
  readonly scans: readonly string[];
  /** Whether the transaction of the run ends with this script, and the next one begins another. */
  readonly endsTransaction: boolean;
}

export interface Revision {
  readonly id: string;
  /** The id of the revision before it; undefined for the first. */
  readonly revises: string | undefined;
  readonly title: string;
  /** ISO date from the header. */
  readonly createDate: string;
  /** The branch label; only the first revision of a branch has one. */
  readonly branch: string | undefined;
  readonly folder: string;
  /** Schema-qualified names of the tables that the upgrade retires, where they are there. */
  readonly retires: readonly string[];
  readonly upgrade: Script;
  readonly downgrade: Script;
  /** How many steps its contract counts, from `-- Counted Steps:`; undefined if it counts the actual steps. */
  readonly countedSteps: number | undefined;
  /** Drops the retired tables for good. Present if the upgrade retires something. */
  readonly finalize: Script | undefined;
  readonly checks: Readonly<Record<Phase, readonly Check[]>>;
  /** SHA-256 of the upgrade.sql that was applied, in hex. Line ends do not count. */
  readonly checksum: string;
}

/** Longer ids do not fit Alembic's version_num varchar(32). */
const LONGEST_ID = 32;
/** Targets that mean a place in the chain, whatever the revisions are called. */
const WORDS = /^(heads?|base|<base>)$/;
const FINALIZE_KEYS: readonly Key[] = ['Revision', 'Locks', 'Scans'];
const DOWNGRADE_KEYS: readonly Key[] = [...FINALIZE_KEYS, 'Transaction'];
/** The characters that begin a target's label, range or count, and white space, at which a shell splits. */
const UNNAMEABLE = /[@:\s]|^[+-]/;
/**
 * Reads one revision folder.
 *
 * @throws RevisionInvalid with the file's name, if a file is missing or cannot be understood
 */
export function readRevision(folder: string): Revision {
  const upgradePath = join(folder, 'upgrade.sql');
  const upgradeText = readText(upgradePath);
  const file = parseSqlFile(upgradeText, 'step', display(upgradePath));
  refuseStrangers(folder, SCRIPTS);
  refuseStrangers(join(folder, 'verify'), CHECKS);
  const id = value(file, 'Revision', upgradePath);
  requireUsable(id, upgradePath);
  const revises = value(file, 'Revises', upgradePath);
  const upgrade = script(file, upgradePath);
  const { refuses } = upgrade;
  const finalizePath = join(folder, 'finalize.sql');
  return {
    id,
    revises: revises === '<base>' ? undefined : revises,
    title: file.title,
    createDate: value(file, 'Create Date', upgradePath),
    branch: file.values.get('Branch'),
    folder,
    countedSteps: countedSteps(file, upgradePath),
    retires: names(file, 'Retires'),
    upgrade,
    downgrade: readScript(join(folder, 'downgrade.sql'), refuses, DOWNGRADE_KEYS),
    finalize: existsSync(finalizePath) ? readScript(finalizePath, refuses, FINALIZE_KEYS) : undefined,
    checks: {
      'before-upgrade': readChecks(folder, 'before-upgrade'),
      'after-upgrade': readChecks(folder, 'after-upgrade'),
      'before-downgrade': readChecks(folder, 'before-downgrade'),
      'after-downgrade': readChecks(folder, 'after-downgrade'),
    },
    checksum: createHash('sha256').update(upgradeText.replaceAll('\r\n', '\n')).digest('hex'),
  };
}

/** Throws RevisionInvalid if the id cannot be used. */
function requireUsable(id: RevisionId, path: string): void {
  const fault = faultOf(id);
  if (fault === undefined) return;
  throw new BackstopError('RevisionInvalid', { ...fault, message: `${display(path)}: ${fault.message}` });
}

/** Why Alembic's table could not hold the id, or no target could name it; undefined if it can be used. */
export function faultOf(id: RevisionId): { readonly message: string; readonly hint: string } | undefined {
  if (/\p{Cc}/u.test(id)) {
    return {
      message: 'the revision id holds a control character',
      hint: 'Write a new id, with letters and digits.',
    };
  }
  if (id.length > LONGEST_ID) {
    return {
      message: `revision id "${id}" has ${id.length} characters`,
      hint: `Use at most ${LONGEST_ID}: alembic_version.version_num holds no more.`,
    };
  }
  if (WORDS.test(id) || UNNAMEABLE.test(id)) {
    return {
      message: `revision id "${id}" means something else as a target`,
      hint: 'Use letters and digits: not head, heads or base, no @, no colon, no blank, no + or - in front.',
    };
  }
  return undefined;
}

const SCRIPTS: readonly string[] = ['upgrade.sql', 'downgrade.sql', 'finalize.sql'];
const CHECKS: readonly string[] = PHASES.map((phase) => `${phase}.sql`);

/** A file with a mistyped name would never be run, without any notice. */
function refuseStrangers(folder: string, known: readonly string[]): void {
  if (!existsSync(folder)) return;
  const stranger = readdirSync(folder).find((name) => name.endsWith('.sql') && !known.includes(name));
  if (stranger === undefined) return;
  throw new BackstopError('RevisionInvalid', {
    message: `${display(join(folder, stranger))} is no file of a revision`,
    hint: `Rename it to one of ${known.join(', ')}, or take it out.`,
  });
}

/** @param refuses as the header of upgrade.sql declares */
function readScript(path: string, refuses: Refusals, keys: readonly Key[]): Script {
  const file = parseSqlFile(readText(path), 'step', display(path), keys);
  return { ...script(file, path), refuses };
}

function script(file: SqlFile, path: string): Script {
  if (file.sections.length === 0) {
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)} has no step`,
      hint: 'Open one with a line such as: -- step: Adding a column',
    });
  }
  for (const { title, sql } of file.sections) {
    const statement = findTransactionControl(sql);
    if (statement === undefined) continue;
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)}: the step "${title}" contains ${statement}`,
      hint: 'Take it out: all revisions of a run share one transaction, which Backstop begins and ends.',
    });
  }
  return {
    title: file.title,
    steps: file.sections.map(({ title, sql, origin }) => ({ title, sql, origin })),
    // Retiring a table changes its schema, which needs the lock.
    locks: [...new Set([...names(file, 'Locks'), ...names(file, 'Retires')])],
    refuses: parseRefusals(file.values.get('Refuses') ?? '', display(path)),
    scans: names(file, 'Scans'),
    endsTransaction: endsTransaction(file, path),
  };
}

/** The names that a line of the header lists, with commas between; empty if there is no such line. */
function names({ values }: SqlFile, key: 'Locks' | 'Scans' | 'Retires'): string[] {
  const all = (values.get(key) ?? '').split(',').map((name) => name.trim());
  return all.filter((name) => name !== '');
}

function endsTransaction({ values }: SqlFile, path: string): boolean {
  const text = values.get('Transaction');
  if (text === undefined || text === 'own') return text === 'own';
  throw new BackstopError('RevisionInvalid', {
    message: `${display(path)}: "Transaction" is "${text}"`,
    hint: 'Write "-- Transaction: own" to end the transaction of the run after this file, or remove the line.',
  });
}

function countedSteps({ values }: SqlFile, path: string): number | undefined {
  const text = values.get('Counted Steps');
  if (text === undefined || /^[1-9]\d{0,3}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new BackstopError('RevisionInvalid', {
    message: `${display(path)}: "Counted Steps" is "${text}"`,
    hint: 'Write how many steps the contract of the revision counts, or remove the line.',
  });
}

function value(file: SqlFile, key: Key, path: string): string {
  const found = file.values.get(key);
  if (found) return found;
  throw new BackstopError('RevisionInvalid', {
    message: `${display(path)} does not say its "${key}"`,
    hint: `Add a line to the comments at its top: -- ${key}: …`,
  });
}
