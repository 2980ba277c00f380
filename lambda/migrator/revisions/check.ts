// The checks of a revision: how the files in verify/ are read.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BackstopError } from '../model/errors.ts';
import type { ValidationReport } from '../model/report.ts';
import { locationAt, type Origin, type Source } from './origin.ts';
import { parseSqlFile, type Section } from './sql-file.ts';
import { display, readText } from './text.ts';

export const PHASES = ['before-upgrade', 'after-upgrade', 'before-downgrade', 'after-downgrade'] as const;
export type Phase = ValidationReport['phase'];

/** A temporary table that the checks of one file share, so that its source is read only once. */
export interface Gather {
  readonly title: string;
  /** The name by which the checks read it. */
  readonly table: string;
  /** The query whose rows it holds. */
  readonly query: Source;
}

export interface Check extends Source {
  /** The number in the validation contract, e.g. `V1.1`. */
  readonly id: string;
  readonly title: string;
  /** One query that returns the rows that violate the check. */
  readonly sql: string;
  /** The lines of the verdict that the check stands for; its number and title where it names none. */
  readonly shownAs: readonly string[];
  /** Tables that the checks of its file share, in the order in which they are made; absent if there are no tables. */
  readonly gathers?: readonly Gather[];
}

const CHECK_TITLE = /^(V\d+\.\d+)\s+(.+)$/;
/** No other statement would do: its query is run alone if no table may be made. */
const GATHERING = /^(?:\s*--.*\n)*\s*CREATE TEMPORARY TABLE ([a-z_][a-z0-9_]*) ON COMMIT DROP AS\s([\s\S]*)$/;
const SHOWN_AS_LINE = /^--\s*shown as:(.*)$/gm;

/** The checks of a phase; none if the revision has no file for it. Throws RevisionInvalid. */
export function readChecks(folder: string, phase: Phase): Check[] {
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

function readGather({ title, sql, origin }: Section, path: string): Gather {
  const [, table, query] = GATHERING.exec(sql) ?? [];
  if (table !== undefined && query !== undefined) {
    const begin = locationAt({ sql, origin }, sql.length - query.length);
    const from: Origin = {
      ...origin,
      line: begin?.line ?? origin.line,
      column: begin?.column ?? origin.column,
    };
    return { title, table, query: { sql: withoutSemicolon(query), origin: from } };
  }
  throw new BackstopError('RevisionInvalid', {
    message: `${display(path)}: the gather "${title}" makes no temporary table`,
    hint: 'Begin it with: CREATE TEMPORARY TABLE name_of_it ON COMMIT DROP AS',
  });
}

function readCheck({ title, sql, origin }: Section, path: string): Check {
  const [, id, text] = CHECK_TITLE.exec(title) ?? [];
  if (id === undefined || text === undefined) {
    throw new BackstopError('RevisionInvalid', {
      message: `${display(path)}: check "${title}" has no number`,
      hint: 'Begin it with its number in the validation contract: -- check: V1.1 the column exists',
    });
  }
  const lines = readShownAs(sql, `${display(path)}: check ${id}`);
  return { id, title: text, sql, origin, shownAs: lines.length > 0 ? lines : [`${id} ${text}`] };
}

/** A query that can be put in brackets; only comments may follow its semicolon. */
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
