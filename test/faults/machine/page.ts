// docs/endings.md: what an ending is and promises, and what the matrix has shown of each; written from its rows.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseState, ENDINGS, type EndingPromise } from '../../../lambda/migrator/model/errors.ts';
import { ROOT } from '../../../lib/paths.ts';
import type { Row } from './judge.ts';

const FILE = join(ROOT, 'docs/endings.md');

export function readPage(): string {
  return readFileSync(FILE, 'utf8');
}

export function writePage(page: string): void {
  writeFileSync(FILE, page);
}

const BEGINNING = `# How an execution ends

An execution that does not succeed ends with an error. Its name is the ending: it says what happened and, before all
else, what is in the database now. Its cause is a sentence for people; the lines after \`HINT:\` say what to do. Both stand
at the top of the execution in the Step Functions console, and the pipeline that started it shows them, too.

What to do depends on what the ending promises of the database:

- **unchanged**: this execution has changed nothing. There is no hurry. Do what the hint says, and start a new execution.
- **downgraded**: the migration ran, its result was wrong, and it was taken back: schema and rows are as before. Correct
  what the cause names, and start a new execution.
- **at target**: the migration is done and valid; only the tables that it retired may still be there. Start an execution
  with \`{"action": "finalize"}\`.
- **needs a person**: the database is whole, either as before the execution or as after it, but nobody has been able to say
  which, or it is not valid and stays so. Start an execution with \`"status"\`, which changes nothing: it ends as
  \`Succeeded\` at the target, as \`NotAtTarget\` where it is somewhere else, and as \`ValidationFailed\` where checks do not
  hold. The cause has the command that restores the snapshot, where there is one.

Start a new execution rather than redriving the old one: a redrive enters the state in which it failed, and that is the end.
`;

/** The part of the page that needs no run: what every ending promises. */
export function describeEndings(): string {
  const rows = (Object.entries(ENDINGS) as [string, EndingPromise][]).map(([name, { database, meaning }]) => [
    code(name),
    database satisfies DatabaseState,
    meaning,
  ]);
  return [BEGINNING, ...table(['ending', 'database', 'what happened'], rows), ''].join('\n');
}

/** The whole page; the rows in the order in which they shall stand. */
export function describeRun(rows: readonly Row[]): string {
  const places = [...new Set(rows.map(({ place }) => place))];
  return [
    describeEndings(),
    '## What was tried',
    '',
    `Each Task was made to fail in every way that is known: ${rows.length} executions of the state machine, each on a database of`,
    'its own, whose schema and rows were compared before and after. This part is written by that run',
    '(`npm run test:faults`). *As before* means: the schema is the same, and so is the number of rows in every table.',
    ...places.flatMap((place) => [
      '',
      `### ${place}`,
      '',
      ...table(
        ['what happens to it', 'ending', 'database', 'what to do'],
        outcomes(rows.filter((row) => row.place === place)),
      ),
    ]),
    '',
  ].join('\n');
}

/** One line for each outcome, with all that leads to it; what ends by the very name that was thrown is one line, too. */
function outcomes(rows: readonly Row[]): string[][] {
  const lines = new Map<
    string,
    { faults: Set<string>; endings: Set<string>; database: string; remedy: string }
  >();
  for (const { fault, ends, database, remedy } of rows) {
    const isByName = fault === `throws ${ends}`;
    const key = JSON.stringify([isByName || ends, database, remedy]);
    const line = lines.get(key) ?? { faults: new Set(), endings: new Set(), database, remedy };
    line.faults.add(isByName ? 'throws an error by one of these names' : fault);
    line.endings.add(code(ends));
    lines.set(key, line);
  }
  return [...lines.values()].map(({ faults, endings, database, remedy }) => [
    [...faults].join('<br>'),
    [...endings].join('<br>'),
    database,
    remedy,
  ]);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), `| ${heads.map(() => '---').join(' | ')} |`, ...rows.map(line)];
}

/** Angle brackets that are no line break would be taken for HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<(?!br>)/g, '&lt;');
}

function code(text: string): string {
  return `\`${text}\``;
}
