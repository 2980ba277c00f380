// Paths: reading a value of the document or of the execution's context, and placing a result in the document.
import { StateError } from './errors.ts';

/** The document of a state, and the context object that `$$` reads. */
export interface Scope {
  readonly input: unknown;
  readonly context: unknown;
}

/** A path that the local state machine reads: names and indexes only. */
export const PATH = /\$\$?(?:\.\w+|\[\d+\])*/;
const WHOLE = new RegExp(`^${PATH.source}$`);

const { propertyIsEnumerable: isEnumerable } = Object.prototype;

/** The value at a path; undefined if there is no value. */
export function readPath(path: string, { input, context }: Scope): unknown {
  return stepsOf(path).reduce<unknown>(
    // Enumerable: the length of an array is no part of the document.
    (value, step) => (isObject(value) && isEnumerable.call(value, step) ? value[step] : undefined),
    path.startsWith('$$') ? context : input,
  );
}

/**
 * The document with a result at a path.
 *
 * @param path undefined: the result becomes the document; null: it is discarded
 * @throws StateError States.ResultPathMatchFailure if the document, or a part that the path passes, is no object
 */
export function placeResult(path: string | null | undefined, input: unknown, result: unknown): unknown {
  if (path === undefined) return result;
  return path === null ? input : place(input, stepsOf(path), result);
}

function place(value: unknown, [step, ...rest]: readonly string[], result: unknown): unknown {
  if (step === undefined) return result;
  if (!isObject(value) || Array.isArray(value))
    throw new StateError('States.ResultPathMatchFailure', `There is no object for "${step}".`);
  return { ...value, [step]: place(value[step] ?? {}, rest, result) };
}

function stepsOf(path: string): string[] {
  if (!WHOLE.test(path)) throw new Error(`The local state machine does not know the path ${path}.`);
  return path.match(/\w+/g) ?? [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
