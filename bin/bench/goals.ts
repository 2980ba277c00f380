// The goals for speed (design: "What counts as fast"), and whether they were reached.
import type { SizeResults } from './results.ts';

export interface Goal {
  readonly text: string;
  /** The measured figures. */
  readonly found: string;
  readonly reached: boolean;
}

export const CHUNKS = 'public.code_chunks';
const WAL_LIMIT = 2_000_000;

/**
 * How long the upgrade keeps code_chunks locked, in passes over the table. Each pass reads the rows, as any CHECK on a
 * new column must; counting does not read them.
 */
export function lockInPasses({ backstop, fullPassMs }: SizeResults): number {
  return (backstop.exclusiveMs[CHUNKS] ?? Number.NaN) / fullPassMs;
}

/** How many times as fast as the three-phase method the upgrade is, in the database. */
export function speedup({ threePhase, backstop }: SizeResults): number {
  return threePhase.databaseMs / backstop.databaseMs;
}

/** The goals of the design that these sizes can judge. */
export function judge(sizes: readonly SizeResults[]): Goal[] {
  return sizes.flatMap((size) => {
    const { chunks, vectorIndex, downgrade, backstop } = size;
    const at = `${thousands(chunks)} chunks${vectorIndex === 'none' ? '' : ` with ${vectorIndex}`}`;
    const least = vectorIndex === 'hnsw' ? 5_000 : 30;
    return [
      ...(chunks === 100_000
        ? [
            atLeast(
              `${at}: at least ${least} times as fast as three-phase in the database`,
              speedup(size),
              least,
            ),
          ]
        : []),
      atMost(
        `${at}: code_chunks locked no longer than three passes that read it`,
        lockInPasses(size),
        3,
        'passes',
      ),
      atMost(`${at}: downgrade before finalize in under 100 ms`, downgrade.wallMs, 100, 'ms'),
      ...(chunks === 1_000_000 ? [atMost(`${at}: upgraded in under 2 s`, backstop.wallMs, 2_000, 'ms')] : []),
      ...frugality(at, size),
    ];
  });
}

/** The goals for any machine, however busy: ratios within the same run, with a wide margin. */
export function judgeQuick(size: SizeResults): Goal[] {
  const at = `${thousands(size.chunks)} chunks`;
  const [ours, theirs] = [size.backstop, size.threePhase].map(({ exclusiveMs }) => exclusiveMs[CHUNKS]);
  return [
    // In a small database the fixed cost weighs most: the fingerprints, the functions that retire.
    atLeast(`${at}: at least twice as fast as three-phase in the database`, speedup(size), 2),
    atLeast(
      `${at}: three-phase locks code_chunks at least twice as long`,
      (theirs ?? Number.NaN) / (ours ?? Number.NaN),
      2,
    ),
    ...frugality(at, size),
  ];
}

function frugality(at: string, { backstop: { rewritten, walBytes } }: SizeResults): Goal[] {
  return [
    {
      text: `${at}: no table rewritten`,
      found: rewritten.length === 0 ? 'none' : rewritten.join(', '),
      reached: rewritten.length === 0,
    },
    {
      text: `${at}: less than 2 MB of write-ahead log`,
      found: `${(walBytes / 1e6).toFixed(2)} MB`,
      reached: walBytes < WAL_LIMIT,
    },
  ];
}

function atLeast(text: string, found: number, least: number): Goal {
  return { text, found: `${figure(found)} times`, reached: found >= least };
}

function atMost(text: string, found: number, most: number, unit: string): Goal {
  return { text, found: `${figure(found)} ${unit}`, reached: found <= most };
}

/** Three significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
  return value.toFixed(Math.min(digits, 2));
}

export function thousands(value: number): string {
  return value >= 1_000_000 && value % 1_000_000 === 0
    ? `${value / 1_000_000}M`
    : value >= 1_000 && value % 1_000 === 0
      ? `${value / 1_000}K`
      : String(value);
}
