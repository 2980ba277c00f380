// Where everything stands in the picture: Graphviz lays the story out from top to bottom.
import { type Graph, instance } from '@viz-js/viz';
import type { Course, Edge, Node, Story } from './story.ts';

/** In px, from the top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** `x` and `y` are its middle. */
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly { readonly node: Node; readonly box: Box }[];
  readonly edges: readonly {
    readonly edge: Edge;
    /** A start, and three points for each Bézier curve after it; the last is where the arrow points to. */
    readonly curve: readonly Point[];
    /** The middle of the words. */
    readonly words: Point | undefined;
  }[];
}

/** As Graphviz answers, as far as it is read here: lengths in points, which are px here, but sizes of nodes in inches. */
interface Answer {
  readonly bb: string;
  readonly objects: readonly {
    readonly name: string;
    readonly pos?: string;
    readonly width: string;
    readonly height: string;
  }[];
  readonly edges: readonly {
    readonly id?: string;
    readonly pos: string;
    readonly lp?: string;
  }[];
}

const POINTS_AN_INCH = 72;
/** How hard a way pulls its states under one another. */
const WEIGHTS: Readonly<Record<Course, number>> = { straight: 100, back: 8, other: 1, error: 1 };
/** The row at the bottom, from left to right. */
const ENDS: readonly Node['kind'][] = ['success', 'at target', 'downgraded', 'needs a person', 'unchanged'];

/** The same story always has the same layout: Graphviz knows no chance, and the fonts are those that it brings. */
export async function layOut(story: Story): Promise<Layout> {
  const viz = await instance();
  const answer = viz.renderJSON(graphOf(story), { yInvert: true }) as Answer;
  const [left = 0, bottom = 0, right = 0, top = 0] = numbers(answer.bb);
  const placed = new Map(answer.objects.map((object) => [object.name, object]));
  const drawn = new Map(answer.edges.map((edge) => [edge.id, edge]));
  return {
    width: right - left,
    height: bottom - top,
    nodes: story.nodes.map((node) => {
      const { pos = '', width, height } = placed.get(node.id) ?? {};
      const [x = 0, y = 0] = numbers(pos);
      return {
        node,
        box: { x, y, width: Number(width) * POINTS_AN_INCH, height: Number(height) * POINTS_AN_INCH },
      };
    }),
    edges: story.edges.map((edge, index) => {
      const { pos = '', lp } = drawn.get(String(index)) ?? {};
      return { edge, curve: curveOf(pos), words: lp === undefined ? undefined : points(lp)[0] };
    }),
  };
}

/** The states of the straight way stand under one another, and all ends in one row; edges are known by their index. */
function graphOf({ nodes, edges }: Story): Graph {
  const ends = ENDS.flatMap((kind) => nodes.filter((node) => node.kind === kind));
  const straight = new Set(
    edges.filter(({ course }) => course === 'straight').flatMap(({ from, to }) => [from, to]),
  );
  return {
    graphAttributes: { nodesep: 0.14, ranksep: 0.27 },
    nodeAttributes: { shape: 'box', fontname: 'Helvetica', fontsize: 12, margin: '0.12,0.08', height: 0.38 },
    edgeAttributes: { fontname: 'Helvetica', fontsize: 11, arrowsize: 0.7 },
    nodes: nodes.map(({ id, kind, lines }) => ({
      name: id,
      attributes: {
        label: lines.join('\n'),
        ...(kind === 'choice' && { margin: '0.22,0.08' }),
        ...(straight.has(id) && { group: 'straight' }),
      },
    })),
    edges: [
      ...edges.map(({ from, to, course, words }, index) => ({
        tail: from,
        head: to,
        attributes: { id: String(index), weight: WEIGHTS[course], ...(words && { label: ` ${words} ` }) },
      })),
      ...ends
        .slice(1)
        .map((end, index) => ({ tail: ends[index]?.id ?? '', head: end.id, attributes: { style: 'invis' } })),
    ],
    subgraphs: [{ graphAttributes: { rank: 'sink' }, nodes: ends.map(({ id }) => ({ name: id })) }],
  };
}

/** `e,x,y` is the tip of the arrow, where it is drawn; the others are the curve up to its foot. */
function curveOf(pos: string): Point[] {
  const tip = points(pos.replace(/^e,(\S+) .*$/, '$1'));
  return [...points(pos.replace(/^e,\S+ /, '')), ...tip];
}

function points(text: string): Point[] {
  return text.split(' ').map((pair) => {
    const [x = 0, y = 0] = numbers(pair);
    return { x, y };
  });
}

function numbers(text: string): number[] {
  return text.split(',').map(Number);
}
