// The effects of the steps of a run, one after another, each script in its own search path.
import type { Effect } from '../grammar/effect.ts';
import type { Script } from './revision.ts';

/** Undefined if one of the steps was not read by the grammar: then nothing is known of the whole. */
export function effectsIn(scripts: readonly Script[]): readonly Effect[] | undefined {
  const steps = scripts.flatMap((script) => script.steps);
  if (steps.some(({ effects }) => effects === undefined)) return undefined;
  return scripts.flatMap(({ searchPath, steps }) => [
    { path: searchPath },
    ...steps.flatMap(({ effects }) => effects ?? []),
  ]);
}
