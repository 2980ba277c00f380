// One revision: a folder of SQL, read and understood (design: "A revision is a folder of SQL").
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackstopError } from '../model/errors.ts';
import type { RevisionId, ValidationReport } from '../model/report.ts';
import { parseSqlFile, type Section, type SqlFile } from './sql-file.ts';
import { findTransactionControl } from './transaction-control.ts';

export interface Step {
  readonly title: string;
  readonly sql: string;
}

/** A temporary table that the checks of one file read, so that they share one pass over what it is made from. */
export interface Gather {
  readonly title: string;
  /** What the checks call it. */
  readonly table: string;
  /** The query whose rows it holds. */
  readonly query: string;
}

export interface Check {
  /** The number in the validation contract, e.g. `V1.1`. */
  readonly id: string;
  readonly title: string;
  /** One query that returns the rows that violate the check. */
  readonly sql: string;
  /** The lines of the verdict that the check stands for; its number and title where it names none. */
  readonly shownAs: readonly string[];
  /** What the checks of its file share, in the order in which it is gathered; absent where that is nothing. */
  readonly gathers?: readonly Gather[];
}

/** The steps of one direction, and the tables that are locked before the first of them, or read. */
export interface Script {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Schema-qualified names, in the order in which they are locked. */
  readonly locks: readonly string[];
  /** Schema-qualified names of tables that a step reads from end to end, as a CHECK does when it is added. */
  readonly scans: readonly string[];
}

export const PHASES = ['before-upgrade', 'after-upgrade', 'before-downgrade', 'after-downgrade'] as const;
export type Phase = ValidationReport['phase'];

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
  /** How many steps its contract counts, from `-- Counted Steps:`; undefined where it counts those that there are. */
  readonly countedSteps: number | undefined;
  /** Present where the upgrade retires something: what makes the loss final. */
  readonly finalize: Script | undefined;
  readonly checks: Readonly<Record<Phase, readonly Check[]>>;
  /** SHA-256 of upgrade.sql, in hex: what was applied. Line ends do not count. */
  readonly checksum: string;
}

/** Longer ids do not fit Alembic's version_num varchar(32). */
const LONGEST_ID = 32;
/** What a target says of a place in the chain, whatever the revisions are called. */
const WORDS = /^(heads?|base|<base>)$/;
/** What opens a target's label, range or count, and what a shell would part. */
const UNNAMEABLE = /[@:\s]|^[+-]/;
/** Whatever it cannot read it refuses, instead of changing the SQL; a byte order mark at the beginning is no SQL. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });
const CHECK_TITLE = /^(V\d+\.\d+)\s+(.+)$/;
/** No other statement would do: the query alone is run where no table may be made. */
const GATHERING = /^(?:\s*--.*\n)*\s*CREATE TEMPORARY TABLE ([a-z_][a-z0-9_]*) ON COMMIT DROP AS\s([\s\S]*)$/;
const SHOWN_AS_LINE = /^--\s*shown as:(.*)$/gm;

/**
 * Reads one revision folder.
 *
 * @throws RevisionInvalid with the file's name, where a file is missing or cannot be understood
 */
export function readRevision(folder: string): Revision {
  const upgradePath = join(folder, 'upgrade.sql');
  const upgradeText = readText(upgradePath);
  const file = parseSqlFile(upgradeText, 'step', display(upgradePath));
  refuseStrangers(folder, SCRIPTS);
  refuseStrangers(join(folder, 'verify'), CHECKS);
  const id = header(file, 'revision', upgradePath);
  requireUsable(id, upgradePath);
  const revises = header(file, 'revises', upgradePath);
  const finalizePath = join(folder, 'finalize.sql');
  return {
    id,
    revises: revises === '<base>' ? undefined : revises,
    title: file.title,
    createDate: header(file, 'create date', upgradePath),
    branch: file.header.get('branch'),
    folder,
    countedSteps: file.header.has('counted steps') ? Number(file.header.get('counted steps')) : undefined,
    retires: names(file, 'retires'),
    upgrade: lockingRetired(script(file, upgradePath), names(file, 'retires')),
    downgrade: readScript(join(folder, 'downgrade.sql')),
    finalize: existsSync(finalizePath) ? readScript(finalizePath) : undefined,
    checks: {
      'before-upgrade': readChecks(folder, 'before-upgrade'),
      'after-upgrade': readChecks(folder, 'after-upgrade'),
      'before-downgrade': readChecks(folder, 'before-downgrade'),
      'after-downgrade': readChecks(folder, 'after-downgrade'),
    },
    checksum: createHash('sha256').update(upgradeText.replaceAll('\r\n', '\n')).digest('hex'),
  };
}

/** Throws RevisionInvalid where Alembic's table could not hold the id, or no target could name it. */
function requireUsable(id: RevisionId, path: string): void {
  if (/\p{Cc}/u.test(id)) {
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)}: the revision id holds a control character`,
      hint: 'Write it anew, with letters and digits.',
    });
  }
  if (id.length > LONGEST_ID) {
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)}: revision id "${id}" has ${id.length} characters`,
      hint: `Use at most ${LONGEST_ID}: alembic_version.version_num holds no more.`,
    });
  }
  if (WORDS.test(id) || UNNAMEABLE.test(id)) {
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)}: revision id "${id}" means something else as a target`,
      hint: 'Use letters and digits: not head, heads or base, no @, no colon, no blank, no + or - in front.',
    });
  }
}

const SCRIPTS: readonly string[] = ['upgrade.sql', 'downgrade.sql', 'finalize.sql'];
const CHECKS: readonly string[] = PHASES.map((phase) => `${phase}.sql`);

/** A file whose name is mistyped would never be run, and nobody would notice. */
function refuseStrangers(folder: string, known: readonly string[]): void {
  if (!existsSync(folder)) return;
  const stranger = readdirSync(folder).find((name) => name.endsWith('.sql') && !known.includes(name));
  if (stranger === undefined) return;
  throw new BackstopError('RevisionInvalid', {
    message: `${display(join(folder, stranger))} is no file of a revision`,
    hint: `Rename it to one of ${known.join(', ')}, or take it out.`,
  });
}

function readScript(path: string): Script {
  return script(parseSqlFile(readText(path), 'step', display(path)), path);
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
    steps: file.sections,
    locks: names(file, 'locks'),
    scans: names(file, 'scans'),
  };
}

/** A table that is retired is locked as well, and needs no mention in `-- Locks:`. */
function lockingRetired(upgrade: Script, retires: readonly string[]): Script {
  return { ...upgrade, locks: [...new Set([...upgrade.locks, ...retires])] };
}

/** What a line of the header lists, with commas between; nothing where there is no such line. */
function names({ header }: SqlFile, key: 'locks' | 'scans' | 'retires'): string[] {
  const all = (header.get(key) ?? '').split(',').map((name) => name.trim());
  return all.filter((name) => name !== '');
}

function readChecks(folder: string, phase: Phase): Check[] {
  const path = join(folder, 'verify', `${phase}.sql`);
  if (!existsSync(path)) return [];
  const { sections } = parseSqlFile(readText(path), 'check', display(path));
  const gathers = sections
    .filter(({ kind }) => kind === 'gather')
    .map((section) => readGather(section, path));
  return sections
    .filter(({ kind }) => kind === 'check')
    .map((section) => ({ ...readCheck(section, path), ...(gathers.length > 0 && { gathers }) }));
}

function readGather({ title, sql }: Section, path: string): Gather {
  const [, table, query] = GATHERING.exec(sql) ?? [];
  if (table !== undefined && query !== undefined) return { title, table, query: withoutSemicolon(query) };
  throw new BackstopError('RevisionInvalid', {
    message: `${display(path)}: the gather "${title}" makes no temporary table`,
    hint: 'Begin it with: CREATE TEMPORARY TABLE name_of_it ON COMMIT DROP AS',
  });
}

function readCheck({ title, sql }: Section, path: string): Check {
  const [, id, text] = CHECK_TITLE.exec(title) ?? [];
  if (id === undefined || text === undefined) {
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)}: check "${title}" has no number`,
      hint: 'Begin it with its number in the validation contract: -- check: V1.1 the column exists',
    });
  }
  const lines = readShownAs(sql, `${display(path)}: check ${id}`);
  return { id, title: text, sql, shownAs: lines.length > 0 ? lines : [`${id} ${text}`] };
}

/** A query that can stand in brackets; what may follow its semicolon is comments. */
export function withoutSemicolon(query: string): string {
  return query.replace(/;(\s|--.*)*$/, '');
}

/** The `-- shown as: …` lines of a check: one for each line of the verdict that it stands for. */
function readShownAs(sql: string, check: string): string[] {
  const lines = [...sql.matchAll(SHOWN_AS_LINE)].map(([, text]) => text?.trim() ?? '');
  if (!lines.includes('')) return lines;
  throw new BackstopError('RevisionInvalid', {
    message: `${check} is shown as nothing`,
    hint: 'Write after the colon what it proves: -- shown as: CHECK constraints exist (2 found)',
  });
}

function header(file: SqlFile, key: string, path: string): string {
  const value = file.header.get(key);
  if (value) return value;
  const written = key.replace(/(^|\s)\w/g, (letter) => letter.toUpperCase());
  throw new BackstopError('RevisionInvalid', {
    message: `${display(path)} does not say its "${written}"`,
    hint: `Add a line to the comments at its top: -- ${written}: …`,
  });
}

function readText(path: string): string {
  const bytes = readBytes(path);
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new BackstopError(
      'RevisionInvalid',
      { message: `${display(path)} is not written in UTF-8`, hint: 'Save it in UTF-8.' },
      { cause },
    );
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BackstopError(
      'RevisionInvalid',
      {
        message: `${display(path)} cannot be read`,
        hint: 'A revision folder holds upgrade.sql and downgrade.sql.',
      },
      { cause },
    );
  }
}

/** `002_remove_non_search_tables/upgrade.sql`: enough to find it, without the machine's own path. */
function display(path: string): string {
  const parts = path.split(/[\\/]/);
  return parts.slice(parts.at(-2) === 'verify' ? -3 : -2).join('/');
}
