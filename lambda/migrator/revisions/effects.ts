// The effects of the steps of a run, one after another, each script in its own search path; and the functions that it makes.
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

/** The names of these functions, without quotes and schema. */
export function functionNamesIn(scripts: readonly Script[]): string[] {
  return functionsIn(scripts).map((name) =>
    (/"((?:[^"]|"")*)"$/.exec(name)?.[1] ?? name).replaceAll('""', '"'),
  );
}

/** The functions that the steps make, in quotes: their words are the revision's own. */
export function functionsIn(scripts: readonly Script[]): readonly string[] {
  const statements = scripts.flatMap(({ steps }) => steps).flatMap((step) => step.statements ?? []);
  return statements.flatMap(({ defines }) => defines ?? []);
}

/** Statements that may do more than their text tells. */
const OPAQUE: readonly string[] = ['DoStmt', 'CallStmt', 'ExecuteStmt', 'SelectStmt', 'DeleteStmt'];

/** Whether the statements show every row that they write: none calls code, or deletes rows to which others refer. */
export function isShown(scripts: readonly Script[]): boolean {
  const steps = scripts.flatMap((script) => script.steps);
  return steps.every(({ statements }) => statements?.every(({ kind }) => !OPAQUE.includes(kind)) ?? false);
}
