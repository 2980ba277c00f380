// The story as a graph for Graphviz, which lays it out and writes it: classes name the kinds of states and ways.
import type { Graph } from '@viz-js/viz';
import type { Course, Kind, Node, Story } from './story.ts';

/** How hard a way pulls its states under one another. */
const WEIGHTS: Readonly<Record<Course, number>> = { straight: 100, back: 3, other: 1, error: 1 };
/** The row at the bottom, from left to right. */
const ENDS: readonly Node['kind'][] = ['success', 'at target', 'downgraded', 'needs a person', 'unchanged'];

const SHAPES: Readonly<Partial<Record<Kind, object>>> = {
  choice: { shape: 'hexagon', style: 'solid', margin: '0.02,0.04' },
  task: { shape: 'box' },
};

/** Between words and the way that they belong to. */
const GAP = '   ';

const LEGEND: readonly [Course, string][] = [
  ['straight', 'all goes well'],
  ['back', 'the result is wrong, and is taken back'],
  ['other', 'as asked, or as found'],
  ['error', 'an error'],
];

/** The states of the straight way are in one column, all ends in one row, and the legend is below them. */
export function graphOf(story: Story): Graph {
  const ends = ENDS.flatMap((kind) => story.nodes.filter((node) => node.kind === kind));
  const straight = new Set(
    story.edges.filter(({ course }) => course === 'straight').flatMap(({ from, to }) => [from, to]),
  );
  const legend = legendOf();
  return {
    name: 'Backstop',
    graphAttributes: { nodesep: 0.16, ranksep: 0.28, pad: 0.3, outputorder: 'edgesfirst', bgcolor: 'white' },
    nodeAttributes: {
      shape: 'box',
      style: 'rounded',
      fontname: 'Helvetica',
      fontsize: 12,
      margin: '0.16,0.08',
      height: 0.38,
    },
    edgeAttributes: { fontname: 'Helvetica', fontsize: 11, arrowsize: 0.7 },
    nodes: [
      ...story.nodes.map((node) => ({
        name: node.id,
        attributes: {
          label: labelOf(node),
          class: node.kind.replaceAll(' ', '-'),
          ...SHAPES[node.kind],
          ...(straight.has(node.id) && { group: 'straight' }),
        },
      })),
      ...legend.nodes,
    ],
    edges: [
      ...story.edges.map(({ from, to, course, words }) => ({
        tail: from,
        head: to,
        attributes: {
          class: course,
          weight: WEIGHTS[course],
          ...(words && { label: `${GAP}${words}${GAP}` }),
        },
      })),
      ...legend.edges,
      ...hidden(ends.map(({ id }) => id)),
      ...ends.slice(0, 1).flatMap(({ id }) => hidden([id, legend.first])),
    ],
    subgraphs: [inOneRow(ends.map(({ id }) => id)), inOneRow(legend.nodes.map(({ name }) => name))],
  };
}

/** An end has a heading, and the names of its states below. */
function labelOf({ lines: [first = '', ...others] }: Node) {
  if (others.length === 0) return first;
  const rows = [`<b>${first}</b>`, ...others].map((text) => `<tr><td>${text}</td></tr>`);
  return {
    html: `<table border="0" cellborder="0" cellspacing="0" cellpadding="2">${rows.join('')}</table>`,
  };
}

function inOneRow(names: readonly string[]) {
  return { graphAttributes: { rank: 'same' }, nodes: names.map((name) => ({ name })) };
}

/** Edges that only keep the order. */
function hidden(names: readonly string[]) {
  return names
    .slice(1)
    .map((head, index) => ({ tail: names[index] ?? '', head, attributes: { style: 'invis', weight: 0 } }));
}

/** Each course between two points, and its meaning beside it. */
function legendOf() {
  const point = { shape: 'point', width: 0.01, height: 0.01, style: 'invis', label: '' };
  const rows = LEGEND.map(([course, words]) => ({
    nodes: [
      { name: `${course}: from`, attributes: point },
      {
        name: `${course}: to`,
        attributes: { shape: 'plaintext', style: '', margin: '0.05,0', label: words, class: 'legend' },
      },
    ],
    edge: { tail: `${course}: from`, head: `${course}: to`, attributes: { class: course, minlen: 3 } },
  }));
  const nodes = rows.flatMap((row) => row.nodes);
  const between = rows
    .slice(1)
    .map((row, index) => hidden([rows[index]?.nodes[1]?.name ?? '', row.nodes[0]?.name ?? '']));
  return { first: nodes[0]?.name ?? '', nodes, edges: [...rows.map(({ edge }) => edge), ...between.flat()] };
}
