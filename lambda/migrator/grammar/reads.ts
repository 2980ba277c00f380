// The names that a query reads by: its relations and functions, as they are written. The server knows what they mean.
import type { FuncCall, RangeVar } from '@pgsql/types';
import { qualified, relationName, texts, walk } from './names.ts';

/** Names as SQL, quoted, with their schema if it is written. */
export interface Reads {
  /** Also names that WITH gives to queries: which name is one may differ from place to place. */
  readonly relations: readonly string[];
  readonly functions: readonly string[];
}

/** The names in a tree of the grammar, each once. */
export function readsOf(tree: unknown): Reads {
  const relations = new Set<string>();
  const functions = new Set<string>();
  walk(tree, (kind, node) => {
    if (kind === 'RangeVar') relations.add(relationName(node as RangeVar));
    if (kind === 'FuncCall') functions.add(qualified(...texts((node as FuncCall).funcname)));
  });
  return { relations: [...relations].sort(), functions: [...functions].sort() };
}
