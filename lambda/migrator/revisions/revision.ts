// One revision: a folder of SQL, read and understood (design: "A revision is a folder of SQL").
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Effect } from '../grammar/effect.ts';
import type { Reader } from '../grammar/statement.ts';
import { BackstopError } from '../model/errors.ts';
import type { Location } from '../model/location.ts';
import type { RevisionId } from '../model/report.ts';
import { type Check, checksIn, PHASES, type Phase, readCheckFiles } from './check.ts';
import { digestOf, sha256 } from './digest.ts';
import { type Header, KEYS, type Key, readHeaderOf } from './header.ts';
import { countedSteps, endsTransaction } from './header-values.ts';
import { listedSchemas, listedTables } from './listed-names.ts';
import { once } from './once.ts';
import type { Source } from './origin.ts';
import { parseRefusals, type Refusals } from './refusals.ts';
import { callsRetiring, finalizeOf } from './retiring.ts';
import { DEFAULT_PATH } from './search-path.ts';
import { readSections } from './sql-file.ts';
import { display, readText, type SqlText } from './text.ts';

export interface Step extends Source {
  readonly title: string;
  /** The locks of its statements, as the grammar reads them; absent if it was not read. */
  readonly effects?: readonly Effect[];
}

/** The steps of one direction, and the tables that are locked before the first of them, or read. */
export interface Script {
  readonly title: string;
  /**
   * None if the file holds no SQL. The SQL is read when it is first asked for, so that a file which cannot be run stops
   * only the runs that need it: RevisionInvalid is thrown then.
   */
  readonly steps: readonly Step[];
  /** The line of its BEGIN, if BEGIN and COMMIT enclose it: they are not sent. Read and thrown as the steps are. */
  readonly unwrapped?: Location | undefined;
  /** Schema-qualified names, in the order in which they are locked. */
  readonly locks: readonly string[];
  /** The endings of the exceptions that the revision raises. */
  readonly refuses: Refusals;
  /** Schema-qualified names of tables that a step reads from end to end, as a CHECK does when it is added. */
  readonly scans: readonly string[];
  /** Names of schemas: where the steps look up what they name without a schema. */
  readonly searchPath: readonly string[];
  /** Whether the transaction of the run ends with this script, and the next one begins another. */
  readonly endsTransaction: boolean;
  /** Whether it calls the functions that retire and restore, in a statement or in the body of one. */
  readonly isRetiring?: boolean;
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
  /** Read and thrown as the steps of a script are. */
  readonly checks: Readonly<Record<Phase, readonly Check[]>>;
  /** SHA-256 of the upgrade.sql that was applied, in hex. Line ends do not count. */
  readonly checksum: string;
  /** SHA-256 of all its files, in hex. Line ends do not count. */
  readonly digest: string;
}

/** Longer ids do not fit Alembic's version_num varchar(32). */
const LONGEST_ID = 32;
/** Targets that mean a place in the chain, whatever the revisions are called. */
const WORDS = /^(heads?|base|<base>)$/;
const FINALIZE_KEYS: readonly Key[] = ['Revision', 'Locks', 'Scans', 'Search path'];
const DOWNGRADE_KEYS: readonly Key[] = [...FINALIZE_KEYS, 'Transaction'];
/** The characters that begin a target's label, range or count, and white space, at which a shell splits. */
const UNNAMEABLE = /[@:\s]|^[+-]/;
/**
 * Reads one revision folder: the headers at once, the SQL when it is needed.
 *
 * @param read reads the SQL
 * @throws RevisionInvalid with the file's name, if a file is missing or its header cannot be understood
 */
export function readRevision(folder: string, read: Reader): Revision {
  const file = fileIn(folder, 'upgrade.sql', KEYS);
  const names = readdirSync(folder);
  refuseStrangers(folder, names, SCRIPTS);
  const checks = names.includes('verify') ? readdirSync(join(folder, 'verify')) : [];
  refuseStrangers(join(folder, 'verify'), checks, CHECKS);
  const value = (key: Key) => neededValue(file, key, read);
  const id = value('Revision');
  requireUsable(id, file.path);
  const revises = value('Revises');
  const refuses = parseRefusals(file.values.get('Refuses') ?? '', file.path);
  const searchPath = listedSchemas(file, 'Search path') ?? DEFAULT_PATH;
  const shared = { refuses, searchPath, read };
  const other = (name: string, keys: readonly Key[]) => script(fileIn(folder, name, keys), shared);
  const upgrade = script(file, shared);
  const retires = listedTables(file, 'Retires', searchPath);
  return {
    id,
    revises: revises === '<base>' ? undefined : revises,
    title: file.title,
    createDate: value('Create Date'),
    branch: file.values.get('Branch'),
    folder,
    countedSteps: countedSteps(file),
    retires,
    upgrade,
    downgrade: other('downgrade.sql', DOWNGRADE_KEYS),
    finalize: finalizeOf(
      upgrade,
      retires,
      names.includes('finalize.sql') ? other('finalize.sql', FINALIZE_KEYS) : undefined,
    ),
    checks: readChecks(readCheckFiles(folder, checks), searchPath, read),
    checksum: sha256(file.text),
    digest: digestOf(folder, [...names, ...checks.map((name) => join('verify', name))]),
  };
}

/** Throws RevisionInvalid if the id cannot be used. */
function requireUsable(id: RevisionId, path: string): void {
  const fault = faultOf(id);
  if (fault === undefined) return;
  throw new BackstopError('RevisionInvalid', { ...fault, message: `${path}: ${fault.message}` });
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
function refuseStrangers(folder: string, names: readonly string[], known: readonly string[]): void {
  const stranger = names.find((name) => name.endsWith('.sql') && !known.includes(name));
  if (stranger === undefined) return;
  throw new BackstopError('RevisionInvalid', {
    message: `${display(join(folder, stranger))} is no file of a revision`,
    hint: `Rename it to one of ${known.join(', ')}, or take it out.`,
  });
}

interface ScriptFile extends SqlText, Header {}

function fileIn(folder: string, name: string, keys: readonly Key[]): ScriptFile {
  const file = readText(join(folder, name));
  return { ...file, ...readHeaderOf(file, keys) };
}

/** The declarations of upgrade.sql that count for all files of the revision. */
interface Shared {
  readonly refuses: Refusals;
  /** Default for the other files. */
  readonly searchPath: readonly string[];
  readonly read: Reader;
}

function script(file: ScriptFile, { refuses, searchPath: inherited, read }: Shared): Script {
  const searchPath = listedSchemas(file, 'Search path') ?? inherited;
  const found = once(() => readSections(file, 'step', read, file.title));
  const steps = once(() =>
    found().sections.map(({ title, sql, origin, statements }) => ({
      title,
      sql,
      origin,
      statements,
      effects: statements.flatMap(({ effects = [] }) => effects),
    })),
  );
  return {
    title: file.title,
    get steps() {
      return steps();
    },
    get unwrapped() {
      return found().unwrapped;
    },
    // Retiring a table changes its schema, which needs the lock.
    locks: [
      ...new Set([...listedTables(file, 'Locks', searchPath), ...listedTables(file, 'Retires', searchPath)]),
    ],
    refuses,
    scans: listedTables(file, 'Scans', searchPath),
    searchPath,
    endsTransaction: endsTransaction(file),
    isRetiring: callsRetiring(file.text),
  };
}

function readChecks(
  files: ReadonlyMap<Phase, SqlText>,
  searchPath: readonly string[],
  read: Reader,
): Revision['checks'] {
  const checks = PHASES.map((phase) => {
    const file = files.get(phase);
    return { phase, found: once(() => (file ? checksIn(file, searchPath, read) : [])) };
  });
  const properties = checks.map(({ phase, found }) => [phase, { get: found, enumerable: true }] as const);
  return Object.defineProperties({}, Object.fromEntries(properties)) as Revision['checks'];
}

function neededValue(file: ScriptFile, key: Key, read: Reader): string {
  const found = file.values.get(key);
  if (found) return found;
  // A file that is no SQL may have no header for that reason.
  readSections(file, 'step', read, file.title);
  throw new BackstopError('RevisionInvalid', {
    message: `${file.path} does not say its "${key}"`,
    hint: `Add a line to the comments at its top: -- ${key}: …`,
  });
}
