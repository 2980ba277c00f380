// The benchmark's judgement and its documents, from figures that are made up.
import { chart } from '../../../bin/bench/chart.ts';
import { judge, judgeQuick } from '../../../bin/bench/goals.ts';
import {
  type Figures,
  median,
  medianFigures,
  type Results,
  type SizeResults,
} from '../../../bin/bench/results.ts';
import { requireSpace } from '../../../bin/bench/template.ts';
import { page } from '../../../bin/bench/text.ts';

const figures = (databaseMs: number, more: Partial<Figures> = {}): Figures => ({
  wallMs: databaseMs + 20,
  databaseMs,
  steps: { 'Checking prerequisites': 2, 'Adding validation constraints': databaseMs / 2 },
  exclusiveMs: { 'public.code_chunks': databaseMs - 1, 'public.tasks': databaseMs - 1 },
  walBytes: 500_000,
  rewritten: [],
  tableBytes: 1_000_000,
  ...more,
});

const size = (chunks: number, more: Partial<SizeResults> = {}): SizeResults => ({
  chunks,
  vectorIndex: 'none',
  runs: 3,
  tableBytes: 1_000_000,
  passMs: 20,
  fullPassMs: 30,
  roundTripMs: 0.1,
  threePhase: figures(1_600),
  backstop: figures(50),
  downgrade: figures(10),
  finalize: figures(10),
  downgradeFinalized: figures(40),
  validateMs: 90,
  checks: 15,
  currentMs: 0.1,
  ...more,
});

const results = (...sizes: SizeResults[]): Results => ({
  date: '2026-01-02',
  machine: {
    cpu: 'a processor',
    cores: 2,
    memoryBytes: 8 * 1024 ** 3,
    system: 'Linux 6',
    node: '24.0.0',
    postgres: '18.1',
    settings: { fsync: 'off' },
  },
  sizes,
});

const missed = (one: SizeResults) =>
  judge([one])
    .filter(({ reached }) => !reached)
    .map(({ text }) => text);

test('a size that reaches every goal misses none', () => {
  expect(missed(size(10_000))).toEqual([]);
  expect(missed(size(100_000))).toEqual([]);
  expect(missed(size(1_000_000))).toEqual([]);
  expect(judgeQuick(size(10_000)).every(({ reached }) => reached)).toBe(true);
});

test.each<[string, SizeResults, string]>([
  ['too slow', size(100_000, { threePhase: figures(1_400) }), 'at least 30 times as fast'],
  [
    'too slow with a vector index',
    size(100_000, { vectorIndex: 'hnsw', threePhase: figures(200_000) }),
    'with hnsw: at least 5000 times as fast',
  ],
  ['locked too long', size(10_000, { fullPassMs: 16 }), 'no longer than three passes'],
  ['a slow way back', size(10_000, { downgrade: figures(90) }), 'downgrade before finalize in under 100 ms'],
  ['a slow million', size(1_000_000, { backstop: figures(1_990), fullPassMs: 700 }), 'upgraded in under 2 s'],
  [
    'a table rewritten',
    size(10_000, { backstop: figures(50, { rewritten: ['public.code_chunks'] }) }),
    'no table rewritten',
  ],
  [
    'much written to the log',
    size(10_000, { backstop: figures(50, { walBytes: 2_000_000 }) }),
    'less than 2 MB of write-ahead log',
  ],
])('reports the one missed goal: %s', (_what, one, text) => {
  expect(missed(one)).toEqual([expect.stringContaining(text)]);
});

test('the quick run fails if a ratio is far off', () => {
  const failed = (more: Partial<SizeResults>) =>
    judgeQuick(size(10_000, more)).filter((goal) => !goal.reached);
  expect(failed({ threePhase: figures(90, { exclusiveMs: { 'public.code_chunks': 140 } }) })).toHaveLength(1);
  expect(failed({ threePhase: figures(1_600, { exclusiveMs: { 'public.code_chunks': 90 } }) })).toHaveLength(
    1,
  );
});

test('the median is of the middle, of every figure on its own', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  const all = [
    figures(30, { walBytes: 1 }),
    figures(10, { walBytes: 3, rewritten: ['public.one'] }),
    figures(20, { walBytes: 2 }),
  ];
  expect(medianFigures(all)).toMatchObject({
    databaseMs: 20,
    walBytes: 2,
    rewritten: ['public.one'],
    exclusiveMs: { 'public.tasks': 19 },
    steps: { 'Adding validation constraints': 10 },
  });
});

test('the page names the machine, says which goal is missed, and how figures grow', () => {
  const text = page(
    results(size(10_000), size(100_000, { passMs: 10 })),
    judge([size(10_000, { fullPassMs: 10 })]),
  );
  expect(text).toContain('on 2026-01-02');
  expect(text).toContain(
    'a processor, 2 cores, 8 GiB of memory, Linux 6; PostgreSQL 18.1 (fsync off), Node 24.0.0',
  );
  expect(text).toContain(
    '- ✗ 10K chunks: code_chunks locked no longer than three passes that read it: **4.90 passes**',
  );
  expect(text).toContain('|  | 10K | 100K | 10K to 100K |');
  expect(text).toContain('| one pass over code_chunks, rows counted | 20.0 ms | 10.0 ms | × 0.50 |');
});

test('where the lock cannot be shorter than three passes, the page says why', () => {
  const impossible = 'with so few rows the goal cannot be reached';
  const few = size(10_000, { fullPassMs: 0.5 });
  expect(page(results(few), judge([few]))).toContain(impossible);
  const slow = size(10_000, { fullPassMs: 10 });
  expect(page(results(slow), judge([slow]))).not.toContain(impossible);
});

test('the picture has a point for each figure, says them in words, and leaves vector indexes out', () => {
  const text = chart([size(10_000), size(10_000, { vectorIndex: 'hnsw' }), size(100_000)]);
  expect(text.match(/<circle/g)).toHaveLength(2 * 4);
  expect(text).toContain('10K chunks: three-phase 1.60 s, Backstop 50.0 ms');
  expect(text).not.toContain('NaN');
});

test('a size that the disk cannot hold is refused before the run begins', async () => {
  await expect(requireSpace(1e12)).rejects.toThrow(
    /^1000000000000 chunks need 6000000\.0 GB in .* are free\nHINT:/,
  );
  await expect(requireSpace(100)).resolves.toBeUndefined();
});
