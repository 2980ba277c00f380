// The style of the picture: quiet colors for the kinds of states, strokes for the courses, on a light and on a dark page.

interface Palette {
  readonly ground: string;
  readonly text: string;
  readonly words: string;
  /** Kind of node → its fill and its stroke. */
  readonly nodes: Readonly<Record<string, readonly [fill: string, stroke: string]>>;
  /** Course → its stroke. */
  readonly courses: Readonly<Record<string, string>>;
}

const LIGHT: Palette = {
  ground: '#fcfcfa',
  text: '#23303c',
  words: '#4b5965',
  nodes: {
    start: ['#dfe5ea', '#23303c'],
    task: ['#ffffff', '#5d7183'],
    choice: ['#e8eff6', '#86a0b8'],
    wait: ['#fbf5df', '#c2ae6a'],
    success: ['#d7ecdd', '#3d8559'],
    'at-target': ['#e6f2ea', '#7cae8e'],
    downgraded: ['#fbebd3', '#c8893b'],
    'needs-a-person': ['#f8e0dd', '#b9564a'],
    unchanged: ['#ededec', '#8e949a'],
  },
  courses: { straight: '#2c5f8a', back: '#c8893b', other: '#74828f', error: '#9aa1a8' },
};

const DARK: Palette = {
  ground: '#15191e',
  text: '#e6ebf0',
  words: '#b4bfc9',
  nodes: {
    start: ['#39434d', '#aebac5'],
    task: ['#1f262d', '#8fa3b5'],
    choice: ['#22303d', '#6d8aa5'],
    wait: ['#332e1c', '#a89455'],
    success: ['#1d3a29', '#5fae7f'],
    'at-target': ['#1d2e25', '#5d8f70'],
    downgraded: ['#3b2c17', '#d09a52'],
    'needs-a-person': ['#43221e', '#d57a6d'],
    unchanged: ['#2a2d31', '#888f96'],
  },
  courses: { straight: '#6aa5d8', back: '#d9a05a', other: '#8b98a4', error: '#767f88' },
};

/** Stroke of each course: its width, and its dashes. */
const STROKES = 'stroke-width:';
const COURSES: Readonly<Record<string, string>> = {
  straight: `${STROKES}3`,
  back: `${STROKES}2.2`,
  other: `${STROKES}1.2`,
  error: `${STROKES}1;stroke-dasharray:4 3`,
};

/**
 * Graphviz writes colors as attributes, which every rule of a style overrides. The rules for all texts come before the
 * rules for some of them.
 */
export function style(): string {
  const shapes = Object.entries(COURSES).map(([course, stroke]) => `.edge.${course} path{${stroke}}`);
  return [
    'text{font-family:Helvetica,Arial,"Liberation Sans",sans-serif}',
    ...colorsOf(LIGHT),
    // A word is readable even if a way crosses it.
    '.edge text{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}',
    '.node.wait path{stroke-dasharray:2 2}',
    ...shapes,
    `@media (prefers-color-scheme:dark){\n${colorsOf(DARK).join('\n')}\n}`,
  ].join('\n');
}

function colorsOf({ ground, text, words, nodes, courses }: Palette): string[] {
  return [
    `.graph>polygon{fill:${ground}}`,
    `text{fill:${text}}`,
    `.edge text,.legend text{fill:${words}}`,
    `.edge text{stroke:${ground}}`,
    ...Object.entries(nodes).map(
      ([kind, [fill, stroke]]) => `.node.${kind} :is(path,polygon){fill:${fill};stroke:${stroke}}`,
    ),
    ...Object.entries(courses).flatMap(([course, stroke]) => [
      `.edge.${course} path{stroke:${stroke}}`,
      `.edge.${course} polygon{fill:${stroke};stroke:${stroke}}`,
    ]),
  ];
}
