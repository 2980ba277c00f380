// The figures as rows of text, for the terminal and for the page.
import { CHUNKS, figure, lockInPasses, speedup, thousands } from './goals.ts';
import type { Figures, SizeResults } from './results.ts';

export interface Table {
  readonly title: string;
  /** The first is the heading of the names. */
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The other locks are held equally long. */
const RETIRED = 'public.tasks';

/** A column for each size, and the ratio of the last figure to the first. */
type Row = readonly [name: string, read: (size: SizeResults) => number, unit: 'ms' | 'MB' | 'times'];

const METHODS: readonly Row[] = [
  ['three-phase, wall', ({ threePhase }) => threePhase.wallMs, 'ms'],
  ['backstop, wall', ({ backstop }) => backstop.wallMs, 'ms'],
  ['three-phase, in the database', ({ threePhase }) => threePhase.databaseMs, 'ms'],
  ['backstop, in the database', ({ backstop }) => backstop.databaseMs, 'ms'],
  ['times as fast in the database', speedup, 'times'],
  ['three-phase, code_chunks locked', ({ threePhase }) => exclusive(threePhase, CHUNKS), 'ms'],
  ['backstop, code_chunks locked', ({ backstop }) => exclusive(backstop, CHUNKS), 'ms'],
  ['three-phase, tasks locked', ({ threePhase }) => exclusive(threePhase, RETIRED), 'ms'],
  ['backstop, tasks locked', ({ backstop }) => exclusive(backstop, RETIRED), 'ms'],
  ['three-phase, write-ahead log', ({ threePhase }) => threePhase.walBytes, 'MB'],
  ['backstop, write-ahead log', ({ backstop }) => backstop.walBytes, 'MB'],
  ['code_chunks before', ({ tableBytes }) => tableBytes, 'MB'],
  ['code_chunks after three-phase', ({ threePhase }) => threePhase.tableBytes, 'MB'],
  ['code_chunks after backstop', ({ backstop }) => backstop.tableBytes, 'MB'],
];

const BOUNDS: readonly Row[] = [
  ['one pass over code_chunks, rows counted', ({ passMs }) => passMs, 'ms'],
  ['one pass over code_chunks, rows read', ({ fullPassMs }) => fullPassMs, 'ms'],
  ['one round trip', ({ roundTripMs }) => roundTripMs, 'ms'],
  ['code_chunks locked, in passes that read', lockInPasses, 'times'],
  [
    'code_chunks locked, in passes that count',
    (size) => exclusive(size.backstop, CHUNKS) / size.passMs,
    'times',
  ],
  ['the same without its one scan', (size) => exclusive(size.backstop, CHUNKS) - scanMs(size), 'ms'],
];

const AFTERWARDS: readonly Row[] = [
  ['downgrade before finalize, wall', ({ downgrade }) => downgrade.wallMs, 'ms'],
  ['downgrade before finalize, in the database', ({ downgrade }) => downgrade.databaseMs, 'ms'],
  ['finalize, in the database', ({ finalize }) => finalize.databaseMs, 'ms'],
  [
    'downgrade after finalize, in the database',
    ({ downgradeFinalized }) => downgradeFinalized.databaseMs,
    'ms',
  ],
  ['validate: all checks, no lock', ({ validateMs }) => validateMs, 'ms'],
  ['current, connection open', ({ currentMs }) => currentMs, 'ms'],
];

/** The step that reads code_chunks from end to end. */
export const SCANNING_STEP = 'Adding validation constraints';

/** @param sizes in ascending order */
export function tablesOf(sizes: readonly SizeResults[]): Table[] {
  return [
    table('The two methods', sizes, METHODS),
    ...(['threePhase', 'backstop'] as const).map((method) =>
      table(`Steps of ${method === 'backstop' ? 'backstop' : 'three-phase'}`, sizes, stepsOf(sizes, method)),
    ),
    table('The lock and its physical bounds', sizes, BOUNDS),
    table('After the upgrade', sizes, AFTERWARDS),
  ];
}

function stepsOf(sizes: readonly SizeResults[], method: 'threePhase' | 'backstop'): Row[] {
  const titles = Object.keys(sizes[0]?.[method].steps ?? {});
  return titles.map((title) => [title, (size) => size[method].steps[title] ?? Number.NaN, 'ms']);
}

function table(title: string, sizes: readonly SizeResults[], rows: readonly Row[]): Table {
  const names = sizes.map(
    ({ chunks, vectorIndex }) => `${thousands(chunks)}${vectorIndex === 'none' ? '' : ` ${vectorIndex}`}`,
  );
  const plain = sizes.filter(({ vectorIndex }) => vectorIndex === 'none');
  const [first, last] = [plain[0], plain.at(-1)];
  const grows = first !== undefined && last !== undefined && first !== last;
  return {
    title,
    headings: ['', ...names, ...(grows ? [`${names[0]} to ${thousands(last.chunks)}`] : [])],
    rows: rows.map(([name, read, unit]) => [
      name,
      ...sizes.map((size) => withUnit(read(size), unit)),
      ...(grows ? [`× ${figure(read(last) / read(first))}`] : []),
    ]),
  };
}

function withUnit(value: number, unit: Row[2]): string {
  switch (unit) {
    case 'ms':
      return `${figure(value)} ms`;
    case 'MB':
      return `${figure(value / 1e6)} MB`;
    case 'times':
      return `${figure(value)} ×`;
  }
}

function exclusive({ exclusiveMs }: Figures, table: string): number {
  return exclusiveMs[table] ?? Number.NaN;
}

function scanMs({ backstop }: SizeResults): number {
  return backstop.steps[SCANNING_STEP] ?? Number.NaN;
}

/** The functions, if they were measured. */
export function functionTable(functions: readonly FunctionFigures[]): Table {
  return {
    title: 'The functions',
    headings: ['', 'bundle', 'load', 'peak memory'],
    rows: functions.map(({ name, bytes, loadMs, peakMemoryMb }) => [
      name,
      `${Math.round(bytes / 1000)} kB`,
      `${Math.round(loadMs)} ms`,
      peakMemoryMb === undefined ? 'not called' : `${Math.round(peakMemoryMb)} MiB`,
    ]),
  };
}

interface FunctionFigures {
  readonly name: string;
  readonly bytes: number;
  readonly loadMs: number;
  readonly peakMemoryMb?: number;
}
