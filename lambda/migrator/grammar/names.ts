// Names, types and plain expressions of a statement, written as SQL again.
import type { Node, RangeVar, TypeName } from '@pgsql/types';

/** The name as SQL needs it. Words of the language are quoted too, because all names that are not simple are. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name of some parts, such as schema and table, as SQL. */
export function qualified(...parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== '')
    .map((part) => quote(part as string))
    .join('.');
}

export function relationName({ schemaname, relname }: RangeVar): string {
  return qualified(schemaname, relname);
}

/** The text of a String node; undefined for any other. */
export function text(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : undefined;
}

/** The texts of a list of String nodes. */
export function texts(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => text(node) ?? []);
}

/** The parts of a name that is a list, e.g. schema, table and column; the database in front of them is left out. */
export function partsOf(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ('List' in node) return texts(node.List.items);
  if ('TypeName' in node) return texts(node.TypeName.names);
  if ('ObjectWithArgs' in node) return texts(node.ObjectWithArgs.objname);
  return texts([node]);
}

/** A type as SQL, without quotes around the server's own; undefined if its modifiers are not numbers. */
export function typeSql({ names, typmods, arrayBounds, setof, pct_type }: TypeName): string | undefined {
  const modifiers = (typmods ?? []).map(integer);
  const parts = texts(names);
  if (setof || pct_type || modifiers.includes(undefined)) return undefined;
  // The grammar gives the fields of an interval as a mask.
  if (parts.at(-1) === 'interval' && modifiers.length > 0) return undefined;
  const list = modifiers.length === 0 ? '' : `(${modifiers.join(', ')})`;
  return `${qualified(...parts)}${list}${'[]'.repeat(arrayBounds?.length ?? 0)}`;
}

function integer(node: Node): number | undefined {
  if (!('A_Const' in node) || node.A_Const.ival === undefined) return undefined;
  return node.A_Const.ival.ival ?? 0;
}

/** Calls `note` with every node below the value, of a tree of the grammar, and with its kind. */
export function walk(value: unknown, note: (kind: string, node: Record<string, unknown>) => void): void {
  const waiting: unknown[] = [value];
  // Without recursion: the tree of a long expression is deep.
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, child] of Object.entries(next)) {
      if (/^[A-Z]/.test(key) && typeof child === 'object' && child !== null)
        note(key, child as Record<string, unknown>);
      waiting.push(child);
    }
  }
}
