// The checks of a revision: how the files in verify/ are read.
import { join } from 'node:path';
import type { Reads } from '../grammar/reads.ts';
import type { Reader, Statement } from '../grammar/statement.ts';
import { BackstopError } from '../model/errors.ts';
import type { Location } from '../model/location.ts';
import type { ValidationReport } from '../model/report.ts';
import { commentLines } from './directives.ts';
import { readHeaderOf } from './header.ts';
import { listedSchemas } from './listed-names.ts';
import { locationAt, type Source, within } from './origin.ts';
import { readSections, type Section } from './sql-file.ts';
import { readText, type SqlText } from './text.ts';

export const PHASES = ['before-upgrade', 'after-upgrade', 'before-downgrade', 'after-downgrade'] as const;
export type Phase = ValidationReport['phase'];

/** A temporary table that the checks of one file share, so that its source is read only once. */
export interface Gather {
  readonly title: string;
  /** The name by which the checks read it. */
  readonly table: string;
  /** The query whose rows it holds. */
  readonly query: Source;
  /** The names that its query reads by. */
  readonly reads?: Reads | undefined;
}

export interface Check extends Source {
  /** The number in the validation contract, e.g. `V1.1`. */
  readonly id: string;
  readonly title: string;
  /** One query that returns the rows that violate the check, without its semicolon. */
  readonly sql: string;
  /** The lines of the verdict that the check stands for; its number and title where it names none. */
  readonly shownAs: readonly string[];
  /** Where the names of the query and of its gathers are looked up; default: nowhere but in `pg_catalog`. */
  readonly searchPath?: readonly string[];
  /** The names that its query reads by; absent if they are not known. */
  readonly reads?: Reads | undefined;
  /** Tables that the checks of its file share, in the order in which they are made; absent if there are no tables. */
  readonly gathers?: readonly Gather[];
}

const CHECK_TITLE = /^(V\d+\.\d+)\s+(.+)$/;
const SHOWN_AS_LINE = /^--\s*shown as:(.*)$/;

/**
 * The files of checks that a revision has, by their phase.
 *
 * @param names of the files in its folder `verify`
 * @throws RevisionInvalid if one cannot be read
 */
export function readCheckFiles(folder: string, names: readonly string[]): ReadonlyMap<Phase, SqlText> {
  const found = PHASES.filter((phase) => names.includes(`${phase}.sql`));
  return new Map(found.map((phase) => [phase, readText(join(folder, 'verify', `${phase}.sql`))]));
}

/**
 * The checks of a file.
 *
 * @param inherited the search path of the revision, unless the file has another
 * @throws RevisionInvalid
 */
export function checksIn(file: SqlText, inherited: readonly string[], read: Reader): Check[] {
  // Another key of a header would mean nothing here.
  const header = readHeaderOf(file, ['Search path']);
  const searchPath = listedSchemas({ ...file, ...header }, 'Search path') ?? inherited;
  const { sections } = readSections(file, 'check', read);
  const gathers = sections
    .filter(({ kind }) => kind === 'gather')
    .map((section) => readGather(section, file.path));
  return sections
    .filter(({ kind }) => kind === 'check')
    .map((section) => ({
      ...readCheck(section, file),
      searchPath,
      ...(gathers.length > 0 && { gathers }),
    }));
}

function readGather(section: Section, path: string): Gather {
  const { title, statements } = section;
  const [statement, second] = statements;
  if (statement?.gathers && second === undefined) {
    const { table, start, end } = statement.gathers;
    return { title, table, query: within(section, start, end), reads: statement.reads };
  }
  throw new BackstopError('RevisionInvalid', {
    message: `${path}: the gather "${title}" makes no temporary table`,
    hint: 'Begin it with: CREATE TEMPORARY TABLE name_of_it ON COMMIT DROP AS',
    location: locationIn(section, second ?? statement),
  });
}

function readCheck(section: Section, file: SqlText): Check {
  const { title } = section;
  const [, id, text] = CHECK_TITLE.exec(title) ?? [];
  if (id === undefined || text === undefined) {
    throw new BackstopError('RevisionInvalid', {
      message: `${file.path}: check "${title}" has no number`,
      hint: 'Begin it with its number in the validation contract: -- check: V1.1 the column exists',
    });
  }
  const query = queryOf(section, `${file.path}: check ${id}`);
  const lines = readShownAs(section, file, id);
  return { id, title: text, ...query, shownAs: lines.length > 0 ? lines : [`${id} ${text}`] };
}

/** The one query of a check: it is put in brackets. */
function queryOf(section: Section, check: string): Source & Pick<Check, 'reads'> {
  const [statement, second] = section.statements;
  if (statement?.isQuery && second === undefined) {
    return { ...within(section, statement.start, statement.end), reads: statement.reads };
  }
  throw new BackstopError('RevisionInvalid', {
    message: second ? `${check} holds more than one statement` : `${check} is no query`,
    hint: 'Write one query that returns the rows that violate the check: SELECT, VALUES, TABLE or WITH.',
    location: locationIn(section, second ?? statement),
  });
}

function locationIn(section: Section, statement: Statement | undefined): Location | undefined {
  return statement && locationAt(section, statement.start - section.origin.offset);
}

/** The `-- shown as: …` lines of a check: one for each line of the verdict that it stands for. */
function readShownAs({ comments }: Section, { text, path }: SqlText, id: string): string[] {
  const lines = commentLines(text, comments).flatMap(({ start, end }) => {
    const [, shown] = SHOWN_AS_LINE.exec(text.slice(start, end)) ?? [];
    return shown === undefined ? [] : [shown.trim()];
  });
  if (!lines.includes('')) return lines;
  throw new BackstopError('RevisionInvalid', {
    message: `${path}: check ${id} is shown as nothing`,
    hint: 'Write after the colon what it proves: -- shown as: CHECK constraints exist (2 found)',
  });
}
