// docs/state-machine.svg: the state machine, drawn by Graphviz from its definition; the same definition gives the same bytes.
import { join } from 'node:path';
import { instance } from '@viz-js/viz';
import { ROOT } from '../../lib/paths.ts';
import { graphOf } from './graph.ts';
import { type Course, type Definition, type Story, tell } from './story.ts';
import { style } from './style.ts';

export const PICTURE = join(ROOT, 'docs/state-machine.svg');

/** Returns the text of the file. */
export async function draw(definition: Definition): Promise<string> {
  const story = tell(definition);
  const drawn = (await instance()).renderString(graphOf(story), { format: 'svg' });
  const head = [
    '<title id="title">The state machine of Backstop</title>',
    `<desc id="description">${describe(story)}</desc>`,
    `<style>\n${style()}\n</style>`,
  ];
  // Up to the root element: the declaration, the document type and the version of Graphviz.
  return drawn
    .replace(/^[\s\S]*?<svg /, '<svg role="img" aria-labelledby="title description" ')
    .replace(/(<svg [^>]*>)/, `$1\n${head.join('\n')}`);
}

/** The picture in some sentences. */
function describe(story: Story): string {
  const ends = story.nodes.filter(({ lines }) => lines.length > 1).map(({ id }) => id);
  return (
    `When all goes well: ${chain(story, 'straight')}. ` +
    `When the result is wrong: ${chain(story, 'back')}. ` +
    `Other ends are failures, grouped by the state of the database: ${ends.join(', ')}.`
  );
}

/** The states of a course, one after the other. */
function chain({ edges }: Story, course: Course): string {
  const next = new Map(edges.filter((edge) => edge.course === course).map(({ from, to }) => [from, to]));
  const reached = new Set(next.values());
  const names: string[] = [];
  for (let at = [...next.keys()].find((name) => !reached.has(name)); at; at = next.get(at)) names.push(at);
  return names.join(', ');
}
