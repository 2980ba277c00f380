// SQL that a revision cannot run, each kind with its sentence, its place, and the way round.
import type { Fault, Reading, Statement } from '../grammar/statement.ts';
import { BackstopError } from '../model/errors.ts';
import { type Opening, opensSection } from './directives.ts';
import { countLines, locationAt } from './origin.ts';
import type { SqlText } from './text.ts';

/** The error of a place in a file. */
function refusal(
  { text, path: file }: SqlText,
  at: number,
  message: string,
  rest: { readonly detail?: string; readonly hint: string },
): BackstopError {
  const location = locationAt({ sql: text, origin: { file, line: 1, column: 1, offset: 0 } }, at);
  return new BackstopError('RevisionInvalid', { message, location, ...rest });
}

/** Throws RevisionInvalid if the file is not SQL up to its end. */
export function refuseFault(file: SqlText, { statements, fault }: Reading): void {
  if (fault === undefined) return;
  // The rows below COPY … FROM STDIN are the usual reason why the grammar can go no further.
  refuseAll(file, statements.filter(isHopeless), []);
  if (fault.kind === 'reach') {
    throw refusal(
      file,
      fault.from,
      `${file.path}: a statement is too large or too deeply nested to be read`,
      {
        hint: 'Split the statement into several.',
      },
    );
  }
  const command = commandOfPsql(file.text, fault.at);
  if (command !== undefined) {
    throw refusal(file, fault.at, `${file.path}: ${command} is a command of psql, and no SQL`, {
      hint: 'Take it out: the file is sent to the server, without psql.',
    });
  }
  throw refusal(file, fault.at, `${file.path}: ${fault.message}`, {
    detail: 'The grammar of PostgreSQL 18 does not read it.',
    hint: hintFor(file.text, fault),
  });
}

/** Whatever encloses it, it cannot run; the statements of the transaction may be an enclosure that is not seen whole. */
function isHopeless({ obstacle }: Statement): boolean {
  return obstacle?.kind === 'rows' || obstacle?.kind === 'alone';
}

/** `\restrict`: psql takes a backslash outside of quotes as the beginning of a command, which lasts to the end of the line. */
function commandOfPsql(text: string, at: number): string | undefined {
  if (text[at] !== '\\') return undefined;
  const [command = '\\'] = /^\\[^\s\\;]{0,40}/.exec(text.slice(at, at + 41)) ?? [];
  return command;
}

function hintFor(text: string, { at, from }: Fault): string {
  const lines = text.slice(from, at).split(/\r\n?|\n/);
  const above = lines.slice(0, -1).findLast((line) => line.trim() !== '');
  if (above !== undefined && opensSection(above)) {
    return `End the statement above the line "${above.trim()}" with a semicolon.`;
  }
  if (text[at] === ':' && /^:['"]?\w/.test(text.slice(at, at + 3))) {
    return 'Write the value itself: variables such as :name are replaced by psql, and not by the server.';
  }
  return 'Correct the statement: psql would refuse it, too.';
}

/** Throws RevisionInvalid for the first statement that cannot run in a revision. */
export function refuseObstacles(
  file: SqlText,
  statements: readonly Statement[],
  openings: readonly Opening[],
): void {
  refuseAll(
    file,
    statements.filter(({ obstacle }) => obstacle !== undefined),
    openings,
  );
}

function refuseAll(file: SqlText, [first]: readonly Statement[], openings: readonly Opening[]): void {
  if (first?.obstacle === undefined) return;
  const { kind, words } = first.obstacle;
  if (kind === 'rows') {
    throw refusal(file, first.start, `${file.path}: ${words} reads rows that are not SQL`, {
      hint: 'Write the rows as INSERT … VALUES, or let the server read them: COPY … FROM a file or PROGRAM of the server.',
    });
  }
  if (kind === 'alone') {
    const instead = words.endsWith('CONCURRENTLY') ? 'leave out CONCURRENTLY, or take it out' : 'take it out';
    throw refusal(file, first.start, `${file.path}: ${words} cannot run inside a transaction`, {
      hint: `All revisions of a run share one transaction: ${instead} and run it by hand, with psql.`,
    });
  }
  const title = openings.findLast(({ start }) => start <= first.start)?.title ?? '';
  const instead =
    kind === 'isolation'
      ? 'all revisions of a run share one transaction, which is read committed and may write.'
      : 'all revisions of a run share one transaction, which Backstop begins and ends.';
  throw refusal(file, first.start, `${file.path}: the step "${title}" contains ${words}`, {
    hint: `Take it out: ${instead}`,
  });
}

/** The BEGIN and the COMMIT that enclose a file; none if anything else in it controls the transaction. */
export function wrapperOf(statements: readonly Statement[]): readonly Statement[] {
  const control = statements.filter(({ obstacle }) =>
    ['begin', 'commit', 'transaction'].includes(obstacle?.kind ?? ''),
  );
  const [begin, commit] = control;
  const isWrapper =
    control.length === 2 && begin?.obstacle?.kind === 'begin' && commit?.obstacle?.kind === 'commit';
  return isWrapper ? control : [];
}

/** The text that the template of a new revision leaves to its author. */
const PLACEHOLDER = 'replace this with ';

/** Throws RevisionInvalid if a placeholder of the template is left. */
export function refusePlaceholders(
  file: SqlText,
  statements: readonly Statement[],
  openings: readonly Opening[],
): void {
  const left = [
    ...statements.filter(({ start }) => file.text.startsWith(`SELECT '${PLACEHOLDER}`, start)),
    ...openings.filter(({ kind, title }) => kind === 'check' && /^(V\S+ )?replace this with /.test(title)),
  ].sort((a, b) => a.start - b.start)[0];
  if (left === undefined) return;
  const line = countLines(file.text, left.start) + 1;
  throw refusal(file, left.start, `${file.path}:${line}: a placeholder of the template is left`, {
    hint: 'Write what the line says instead of it, or remove the section.',
  });
}
