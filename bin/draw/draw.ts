// docs/state-machine.svg: the state machine, drawn from its definition; the same definition gives the same bytes.
import { join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';
import { layOut } from './layout.ts';
import { type Course, type Definition, type Story, tell } from './story.ts';
import { toSvg } from './svg.ts';

export const PICTURE = join(ROOT, 'docs/state-machine.svg');

/** @returns the text of the file */
export async function draw(definition: Definition): Promise<string> {
  const story = tell(definition);
  const ends = story.nodes.filter(({ lines }) => lines.length > 1).map(({ id }) => id);
  return toSvg(await layOut(story), {
    title: 'The state machine of Backstop',
    description:
      `When all goes well: ${chain(story, 'straight')}. ` +
      `When the result is wrong: ${chain(story, 'back')}. ` +
      `Other ends are failures, by what is in the database: ${ends.join(', ')}.`,
  });
}

/** The states of a course, one after the other. */
function chain({ edges }: Story, course: Course): string {
  const next = new Map(edges.filter((edge) => edge.course === course).map(({ from, to }) => [from, to]));
  const reached = new Set(next.values());
  const names: string[] = [];
  for (let at = [...next.keys()].find((name) => !reached.has(name)); at; at = next.get(at)) names.push(at);
  return names.join(', ');
}
