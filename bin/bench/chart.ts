// The results as a chart: milliseconds by the number of chunks, both on logarithmic scales.
import { figure, thousands } from './goals.ts';
import type { SizeResults } from './results.ts';

const WIDTH = 760;
const HEIGHT = 430;
const PLOT = { left: 74, right: 520, top: 58, bottom: 366 };
/** The distance between two names at the right end that keeps them readable. */
const LINE_HEIGHT = 32;

interface Series {
  readonly name: string;
  readonly color: string;
  readonly dash?: string;
  readonly read: (size: SizeResults) => number;
}

const SERIES: readonly Series[] = [
  { name: 'three-phase', color: '#b9564a', read: ({ threePhase }) => threePhase.databaseMs },
  { name: 'Backstop', color: '#2c5f8a', read: ({ backstop }) => backstop.databaseMs },
  { name: 'Backstop, downgrade', color: '#3d8559', read: ({ downgrade }) => downgrade.databaseMs },
  {
    name: 'one pass that reads code_chunks',
    color: '#8e949a',
    dash: '2 3',
    read: ({ fullPassMs }) => fullPassMs,
  },
];

// Its own background, so that it looks the same on a light and a dark page.
const STYLE = `
.ground{fill:#fcfcfa;stroke:#dddcd5}
text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#23303c}
.title{font-size:15px;font-weight:600}
.axis,.value{fill:#4b5965;font-size:11px}
.grid{stroke:#e4e3dc}
.curve{fill:none;stroke-width:2.4}
.name{font-weight:600}`;

/** @returns the text of the file, without sizes that have a vector index */
export function chart(sizes: readonly SizeResults[]): string {
  const shown = sizes.filter(({ vectorIndex }) => vectorIndex === 'none');
  const values = shown.flatMap((size) => SERIES.map(({ read }) => read(size))).filter(Number.isFinite);
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...values))),
    Math.ceil(Math.log10(Math.max(...values))),
  ];
  const [first, last] = [Math.log10(shown[0]?.chunks ?? 1), Math.log10(shown.at(-1)?.chunks ?? 10)];
  const x = (chunks: number) =>
    between(PLOT.left, PLOT.right, (Math.log10(chunks) - first) / Math.max(last - first, 1e-9));
  const y = (ms: number) =>
    between(PLOT.bottom, PLOT.top, (Math.log10(ms) - low) / Math.max(high - low, 1e-9));
  const powers = Array.from({ length: high - low + 1 }, (_, step) => Number(`1e${low + step}`));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description">`,
    '<title id="title">Time in the database by the number of chunks</title>',
    `<desc id="description">${describe(shown)}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" x=".5" y=".5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10"/>`,
    `<text class="title" x="24" y="32">Time in the database, BEGIN to COMMIT: lower is better</text>`,
    ...powers.flatMap((ms) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${round(y(ms))}" y2="${round(y(ms))}"/>`,
      `<text class="axis" text-anchor="end" x="${PLOT.left - 8}" y="${round(y(ms) + 4)}">${ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`}</text>`,
    ]),
    ...shown.map(
      ({ chunks }) =>
        `<text class="axis" text-anchor="middle" x="${round(x(chunks))}" y="${PLOT.bottom + 20}">${thousands(chunks)}</text>`,
    ),
    `<text class="axis" text-anchor="middle" x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 42}">chunks of about 1 kB; both scales are logarithmic</text>`,
    ...SERIES.flatMap(({ color, dash, read }) => {
      const points = shown.map((size) => [round(x(size.chunks)), round(y(read(size)))] as const);
      return [
        `<polyline class="curve" stroke="${color}"${dash ? ` stroke-dasharray="${dash}"` : ''} points="${points.map((point) => point.join(',')).join(' ')}"/>`,
        ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.4" fill="${color}"/>`),
      ];
    }),
    ...names(shown, y),
    '</svg>',
    '',
  ].join('\n');
}

/** The name of each curve at its end, moved if it would cover another. */
function names(shown: readonly SizeResults[], y: (ms: number) => number): string[] {
  const end = shown.at(-1);
  if (!end) return [];
  const wanted = SERIES.map(({ name, color, read }) => ({ name, color, ms: read(end), at: y(read(end)) }));
  wanted.sort((a, b) => a.at - b.at);
  for (const [index, label] of wanted.entries()) {
    const above = wanted[index - 1];
    if (above) label.at = Math.max(label.at, above.at + LINE_HEIGHT);
  }
  const beyond = Math.max(0, (wanted.at(-1)?.at ?? 0) - PLOT.bottom - 4);
  for (const [index, label] of wanted.toReversed().entries()) {
    const below = wanted[wanted.length - index];
    label.at = Math.min(label.at, index === 0 ? label.at - beyond : (below?.at ?? 0) - LINE_HEIGHT);
  }
  return wanted.flatMap(({ name, color, ms, at }) => [
    `<text class="name" style="fill:${color}" x="${PLOT.right + 16}" y="${round(at)}">${name}</text>`,
    `<text class="value" x="${PLOT.right + 16}" y="${round(at + 13)}">${time(ms)} at ${thousands(end.chunks)}</text>`,
  ]);
}

function describe(shown: readonly SizeResults[]): string {
  return shown
    .map((size) => {
      const parts = SERIES.map(({ name, read }) => `${name} ${time(read(size))}`);
      return `${thousands(size.chunks)} chunks: ${parts.join(', ')}.`;
    })
    .join(' ');
}

function time(ms: number): string {
  return ms >= 1_000 ? `${figure(ms / 1_000)} s` : `${figure(ms)} ms`;
}

function between(from: number, to: number, part: number): number {
  return from + (to - from) * part;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
