// A value that is computed when it is first asked for.

/** The same value each time, or the same error. */
export function once<T>(compute: () => T): () => T {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  return () => {
    outcome ??= tried(compute);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
}

function tried<T>(compute: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: compute() };
  } catch (error) {
    return { error };
  }
}
