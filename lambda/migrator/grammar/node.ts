// Nodes of the grammar's tree, as the JSON that libpg-query writes, and the options in them.

/** A node's own fields. A field that is false, zero or empty is absent. */
export type Node = Readonly<Record<string, unknown>>;

/** `name = value`, in lower case; without a value it is switched on. */
export interface Option {
  readonly name: string;
  readonly value: string | undefined;
}

/** The list of options that a field holds. */
export function optionsOf(node: Node, field: string): Option[] {
  const list = (node[field] ?? []) as { DefElem?: { defname: string; arg?: Node } }[];
  return list.flatMap(({ DefElem }) =>
    DefElem ? [{ name: DefElem.defname.toLowerCase(), value: textOf(DefElem.arg) }] : [],
  );
}

/** Whether PostgreSQL reads the value as true; an option without a value is. */
export function switchedOn(value: string | undefined): boolean {
  return value === undefined || ['true', 'on', 'yes', '1', 't', 'y'].includes(value);
}

/** The text of a constant, in lower case; undefined if there is none. */
function textOf(arg: Node | undefined): string | undefined {
  if (arg === undefined) return undefined;
  const { String: string, Integer: integer, Boolean: boolean, A_Const: constant } = arg as Constants;
  if (constant) return textOf({ ...wrapped(constant) });
  if (string) return (string.sval ?? '').toLowerCase();
  if (integer) return `${integer.ival ?? 0}`;
  return boolean ? `${boolean.boolval ?? false}` : undefined;
}

interface Constants {
  readonly String?: { readonly sval?: string };
  readonly Integer?: { readonly ival?: number };
  readonly Boolean?: { readonly boolval?: boolean };
  readonly A_Const?: Node;
}

function wrapped({ sval, ival, boolval }: Node): Node {
  if (sval) return { String: sval };
  if (ival) return { Integer: ival };
  return boolval ? { Boolean: boolval } : {};
}
