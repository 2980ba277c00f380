// The picture as SVG: shapes and quiet colours tell the kinds of states apart, strokes the courses.
import type { Box, Layout, Point } from './layout.ts';
import type { Course, Edge, Kind, Node } from './story.ts';

const MARGIN = 24;
const LINE_HEIGHT = 15.6;
/** Of small text, on an average. */
const LETTER_WIDTH = 5.4;
const LEGEND_HEIGHT = 68;
/** How far the ends of a choice's outline come to a point. */
const POINT = 7;

/** Kind → CSS class; all ends look alike but for their colour. */
const CLASSES: Readonly<Record<Kind, string>> = {
  start: 'start',
  task: 'task',
  choice: 'choice',
  wait: 'wait',
  success: 'end success',
  unchanged: 'end unchanged',
  downgraded: 'end downgraded',
  'at target': 'end target',
  'needs a person': 'end person',
};
const COURSES: readonly Course[] = ['error', 'other', 'back', 'straight'];

// Its own ground, so that it reads the same in a light and in a dark page.
const STYLE = `
.ground{fill:#fcfcfa;stroke:#dddcd5}
text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#23303c;text-anchor:middle}
.task rect{fill:#fff;stroke:#5d7183;stroke-width:1.2}
.choice path{fill:#e8eff6;stroke:#86a0b8}
.wait rect{fill:#fbf5df;stroke:#c2ae6a;stroke-dasharray:2 2}
.start rect{fill:#23303c}.start text{fill:#fff}
.end .head{font-weight:600}
.success rect{fill:#d7ecdd;stroke:#3d8559;stroke-width:1.6}
.target rect{fill:#e6f2ea;stroke:#7cae8e}
.downgraded rect{fill:#fbebd3;stroke:#c8893b}
.person rect{fill:#f8e0dd;stroke:#b9564a;stroke-width:1.6}
.unchanged rect{fill:#ededec;stroke:#8e949a}
.way path,.way line{fill:none;stroke:#74828f;stroke-width:1.2}
.straight path,.straight line{stroke:#2c5f8a;stroke-width:3}
.back path,.back line{stroke:#c8893b;stroke-width:2.2}
.error path,.error line{stroke:#a3a9af;stroke-width:1;stroke-dasharray:4 3}
.way .tip{stroke:none;fill:#74828f}.straight .tip{fill:#2c5f8a}.back .tip{fill:#c8893b}.error .tip{fill:#a3a9af}
.way text,.legend text{font-size:11px;fill:#4b5965}
.way text{paint-order:stroke;stroke:#fcfcfa;stroke-width:4px;stroke-linejoin:round}
.legend text{text-anchor:start}`;

export interface Titles {
  /** What the picture is, in a few words. */
  readonly title: string;
  /** The same in some sentences, for whoever cannot see it. */
  readonly description: string;
}

/** @returns the text of the file, the same for the same layout */
export function toSvg({ width, height, nodes, edges }: Layout, { title, description }: Titles): string {
  const w = Math.ceil(width + 2 * MARGIN);
  const h = Math.ceil(height + 2 * MARGIN + LEGEND_HEIGHT);
  const ordered = [...edges].sort((a, b) => COURSES.indexOf(a.edge.course) - COURSES.indexOf(b.edge.course));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-labelledby="title description">`,
    `<title id="title">${plain(title)}</title>`,
    `<desc id="description">${plain(description)}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" x=".5" y=".5" width="${w - 1}" height="${h - 1}" rx="10"/>`,
    `<g transform="translate(${MARGIN} ${MARGIN})">`,
    ...ordered.map(({ edge, curve }) => drawWay(edge, curve)),
    ...nodes.map(({ node, box }) => drawNode(node, box)),
    ...ordered.flatMap(({ edge, words }) => (words ? drawWords(edge, words) : [])),
    '</g>',
    ...drawLegend(h - MARGIN - LEGEND_HEIGHT / 2),
    '</svg>',
    '',
  ].join('\n');
}

function drawNode({ kind, lines, about }: Node, box: Box): string {
  return `<g class="${CLASSES[kind]}"><title>${plain(about)}</title>${outline(kind, box)}${drawLines(lines, box)}</g>`;
}

function outline(kind: Kind, { x, y, width, height }: Box): string {
  const [left, top, right, bottom] = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  if (kind === 'choice') {
    const [inner, outer] = [left + POINT, right - POINT];
    return `<path d="M${at(left, y)} ${at(inner, top)} ${at(outer, top)} ${at(right, y)} ${at(outer, bottom)} ${at(inner, bottom)}Z"/>`;
  }
  const radius = kind === 'task' ? 4 : kind === 'start' || kind === 'wait' ? height / 2 : 9;
  return `<rect x="${number(left)}" y="${number(top)}" width="${number(width)}" height="${number(height)}" rx="${number(radius)}"/>`;
}

/** The first line of several is their heading. */
function drawLines(lines: readonly string[], { x, y }: Box): string {
  const top = y - ((lines.length - 1) * LINE_HEIGHT) / 2 + 4.2;
  return lines
    .map((line, index) => {
      const head = lines.length > 1 && index === 0 ? ' class="head"' : '';
      return `<text${head} x="${number(x)}" y="${number(top + index * LINE_HEIGHT)}">${plain(line)}</text>`;
    })
    .join('');
}

function drawWay({ from, to, course }: Edge, curve: readonly Point[]): string {
  const [start = { x: 0, y: 0 }, ...rest] = curve.slice(0, -1);
  const [foot = start, tip = start] = curve.slice(-2);
  const d = `M${at(start.x, start.y)}C${rest.map(({ x, y }) => at(x, y)).join(' ')}`;
  return `<g class="way ${course}"><title>${plain(`${from} → ${to}`)}</title><path d="${d}"/>${drawTip(foot, tip, course)}</g>`;
}

function drawTip(foot: Point, tip: Point, course: Course): string {
  const half = course === 'straight' ? 4.6 : 3.4;
  const length = Math.hypot(tip.x - foot.x, tip.y - foot.y) || 1;
  const [across, along] = [((foot.y - tip.y) / length) * half, ((tip.x - foot.x) / length) * half];
  return `<path class="tip" d="M${at(tip.x, tip.y)} ${at(foot.x + across, foot.y + along)} ${at(foot.x - across, foot.y - along)}Z"/>`;
}

function drawWords({ words, course }: Edge, { x, y }: Point): string {
  return `<g class="way ${course}"><text x="${number(x + 3)}" y="${number(y + 3.8)}">${plain(words)}</text></g>`;
}

const STROKES: readonly [Course, string][] = [
  ['straight', 'all goes well'],
  ['back', 'the result is wrong, and is taken back'],
  ['other', 'as asked, or as found'],
  ['error', 'an error'],
];
const SHAPES: readonly [Kind, string][] = [
  ['task', 'a function'],
  ['choice', 'a question'],
  ['wait', 'a wait'],
  ['unchanged', 'an end in failure, by what is in the database: the states that end so'],
];

/** What strokes and shapes mean, a row for each. */
function drawLegend(y: number): string[] {
  const strokes = row(STROKES, y, (course, x) => {
    return `<g class="way ${course}"><line x1="${x}" y1="${y}" x2="${x + 28}" y2="${y}"/></g>`;
  });
  const below = y + 26;
  const shapes = row(SHAPES, below, (kind, x) => {
    return `<g class="${CLASSES[kind]}">${outline(kind, { x: x + 14, y: below, width: 28, height: 15 })}</g>`;
  });
  return ['<g class="legend">', ...strokes, ...shapes, '</g>'];
}

function row<T>(entries: readonly [T, string][], y: number, draw: (entry: T, x: number) => string): string[] {
  let x = MARGIN;
  return entries.map(([entry, words]) => {
    const drawn = `${draw(entry, x)}<text x="${x + 36}" y="${y + 4}">${words}</text>`;
    x += 62 + Math.round(words.length * LETTER_WIDTH);
    return drawn;
  });
}

function at(x: number, y: number): string {
  return `${number(x)},${number(y)}`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function plain(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
