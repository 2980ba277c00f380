// docs/endings-evidence.md: how each state ended in each case of the fault run; written from the rows of that run.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../lib/paths.ts';
import type { Row } from './judge.ts';

const FILE = join(ROOT, 'docs/endings-evidence.md');

export function readPage(): string {
  return readFileSync(FILE, 'utf8');
}

export function writePage(page: string): void {
  writeFileSync(FILE, page);
}

/** The whole page; the rows in the order in which they are printed. */
export function describeRun(rows: readonly Row[]): string {
  const places = [...new Set(rows.map(({ place }) => place))];
  return [
    '# The evidence for each state',
    '',
    'The evidence behind [how an execution ends](endings.md). Each Task was made to fail in every way that is known:',
    `${rows.length} executions of the state machine, each on a separate database, whose schema and rows were compared before and`,
    'after. `npm run test:faults` writes this page. *As before* means: the schema is the same, and so is the number of rows in',
    'every table.',
    ...places.flatMap((place) => [
      '',
      `## ${place}`,
      '',
      ...table(
        ['fault', 'ending', 'database', 'what to do'],
        outcomes(rows.filter((row) => row.place === place)),
      ),
    ]),
    '',
  ].join('\n');
}

/** One line for each outcome, with every fault that leads to it; errors that end by their own name share a line. */
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

/** Markdown takes an angle bracket for HTML, except in a line break. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<(?!br>)/g, '&lt;');
}

function code(text: string): string {
  return `\`${text}\``;
}
