// The results for people: on the terminal, and as the page docs/benchmarks/README.md.
import { CHUNKS, figure, type Goal, lockInPasses, thousands } from './goals.ts';
import type { Machine, Results, SizeResults } from './results.ts';
import { functionTable, SCANNING_STEP, type Table, tablesOf } from './rows.ts';

const mark = ({ reached }: Goal): string => (reached ? '✓' : '✗');

/** Tables with aligned columns, then the goals. */
export function terminalText(results: Results, goals: readonly Goal[]): string {
  const parts = allTables(results).map(({ title, headings, rows }) =>
    [title, ...aligned([headings, ...rows]).map((line) => `  ${line}`)].join('\n'),
  );
  const verdicts = goals.map((goal) => `${mark(goal)} ${goal.text}: ${goal.found}`);
  return `${[describe(results.machine), ...parts, verdicts.join('\n')].join('\n\n')}\n`;
}

/** The page, generated whole: no figure in it is written by hand. */
export function page(results: Results, goals: readonly Goal[]): string {
  const { date, machine, sizes } = results;
  return `${[
    '# Benchmarks',
    `Written by \`npm run bench\` on ${date}; do not edit. ${describe(machine)}. Each figure is the median of ${runsOf(sizes)} runs.`,
    '![How long the three-phase method and Backstop take, and for how long code_chunks is locked, by the number of chunks, on logarithmic scales](latest.svg)',
    'Both methods run in turn, each time on a fresh copy of the same database: 100 repositories, about 1 kB a chunk, the nine feature tables filled. *Three-phase* is the method of the migration contract: a nullable column, an UPDATE of every chunk, NOT NULL, the constraints, the index, nine DROP TABLE, as one transaction of plain SQL. *Backstop* is `upgrade` as users run it. *In the database* is the time from BEGIN to the answer of COMMIT, *wall* includes the connection and everything that Backstop does before it takes a lock. *Locked* is the time for which ACCESS EXCLUSIVE is held: for both methods from when the statement that takes the lock is sent to the answer of COMMIT.',
    '## Goals',
    goals.map((goal) => `- ${mark(goal)} ${goal.text}: **${goal.found}**`).join('\n'),
    ...longLocks(sizes),
    ...allTables(results).map(
      ({ title, headings, rows }) =>
        `## ${title}\n\n${markdown([headings, headings.map((_, i) => (i === 0 ? '---' : '---:')), ...rows])}`,
    ),
    '## Run it',
    '`npm run bench` measures all sizes and writes this folder; `npm run bench -- --quick` measures 10,000 chunks alone, writes nothing, and fails if a ratio is far off. `BENCH_DATABASE_URL` names another server: if it has pgvector, both methods run with an HNSW index on `code_chunks`, too. All figures are in [latest.json](latest.json).',
  ].join('\n\n')}\n`;
}

/** Explains each lock that is held for longer than three passes. */
function longLocks(sizes: readonly SizeResults[]): string[] {
  const long = sizes.filter((size) => lockInPasses(size) > 3);
  if (long.length === 0) return [];
  return ['Reasons why the lock is held for longer than three passes:', long.map(explainLock).join('\n')];
}

function explainLock({ chunks, backstop, threePhase, passMs, fullPassMs, roundTripMs }: SizeResults): string {
  const [locked, other] = [backstop, threePhase].map(({ exclusiveMs }) => exclusiveMs[CHUNKS] ?? Number.NaN);
  const steps = Object.values(backstop.steps);
  const scan = backstop.steps[SCANNING_STEP] ?? Number.NaN;
  const catalogue = steps.reduce((sum, ms) => sum + ms, 0) - scan;
  const trips = steps.length + TRIPS_BESIDE_STEPS;
  const sentences = [
    `${thousands(chunks)} chunks: three passes are ${figure(3 * fullPassMs)} ms, or ${figure(3 * passMs)} ms where the rows are only counted.`,
    `The lock is held for ${figure(locked ?? Number.NaN)} ms: ${figure(scan)} ms in the step that scans the table for its CHECK, ${figure(catalogue)} ms in the other steps, which change the catalogue and take as long whatever the number of rows, ${figure(trips * roundTripMs)} ms in ${trips} round trips, and the rest in the evidence and the history.`,
    ...(catalogue + trips * roundTripMs > 3 * fullPassMs
      ? [
          'The catalogue and the round trips alone take longer than three passes: with so few rows the goal cannot be reached.',
        ]
      : []),
    `Three-phase holds it for ${figure(other ?? Number.NaN)} ms.`,
  ];
  return `- ${sentences.join(' ')}`;
}

/** For the locks, the version, the constraints, the history and COMMIT. */
const TRIPS_BESIDE_STEPS = 5;

function allTables({ sizes, functions }: Results): Table[] {
  return [...tablesOf(sizes), ...(functions ? [functionTable(functions)] : [])];
}

function describe({ cpu, cores, memoryBytes, system, node, postgres, settings }: Machine): string {
  const values = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 1024 ** 3)} GiB of memory, ${system}; PostgreSQL ${postgres} (${values.join(', ')}), Node ${node}`;
}

function runsOf(sizes: readonly SizeResults[]): string {
  return [...new Set(sizes.map(({ runs }) => runs))].join(' or ');
}

function markdown(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Aligns the first column to the left, the figures to the right. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  return lines.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
