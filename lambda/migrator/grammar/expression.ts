// Plain expressions, written as SQL again: a sample can evaluate them.
import type { A_Expr, Node } from '@pgsql/types';
import { qualified, quote, text, texts, typeSql } from './names.ts';

/** A deeper expression is not plain, so that no depth is too deep for us. */
const DEEPEST = 50;

/** The expression as SQL; undefined if it is not plain. */
export function plainSql(node: Node | undefined, depth = 0): string | undefined {
  if (node === undefined || depth > DEEPEST) return undefined;
  const [kind] = Object.keys(node) as [string];
  const write = WRITERS[kind] as Writer | undefined;
  return write?.(Object.values(node)[0] as never, (child) => plainSql(child, depth + 1));
}

type Inner = (node: Node | undefined) => string | undefined;
type Writer = (node: never, inner: Inner) => string | undefined;
type Fields<Kind extends string> =
  Extract<Node, { readonly [K in Kind]: unknown }> extends infer Found
    ? Found extends { readonly [K in Kind]: infer Value }
      ? Value
      : never
    : never;

/** All of them, or undefined if one is not plain. */
function plainList(nodes: readonly Node[] | undefined, inner: Inner = plainSql): string[] | undefined {
  const all = (nodes ?? []).map((node) => inner(node));
  return all.includes(undefined) ? undefined : (all as string[]);
}

const WRITERS: Readonly<Record<string, Writer>> = {
  ColumnRef: ({ fields }: Fields<'ColumnRef'>) => {
    const names = texts(fields);
    return names.length === 1 && fields?.length === 1 ? quote(names[0] as string) : undefined;
  },
  A_Const: constant,
  TypeCast: ({ arg, typeName }: Fields<'TypeCast'>, inner: Inner) => {
    const value = inner(arg);
    const type = typeName && typeSql(typeName);
    return value && type && `CAST(${value} AS ${type})`;
  },
  BoolExpr: ({ boolop, args }: Fields<'BoolExpr'>, inner: Inner) => {
    const parts = plainList(args, inner);
    if (boolop === 'NOT_EXPR') return parts && `(NOT ${parts[0]})`;
    return parts && `(${parts.join(boolop === 'AND_EXPR' ? ' AND ' : ' OR ')})`;
  },
  NullTest: ({ arg, nulltesttype }: Fields<'NullTest'>, inner: Inner) => {
    const value = inner(arg);
    return value && `(${value} IS ${nulltesttype === 'IS_NULL' ? '' : 'NOT '}NULL)`;
  },
  A_Expr: operation,
  List: ({ items }: Fields<'List'>, inner: Inner) => plainList(items, inner)?.join(', '),
  FuncCall: (call: Fields<'FuncCall'>, inner: Inner) => {
    const { funcname, args, over, agg_star, agg_distinct, agg_filter, agg_order, func_variadic } = call;
    if (over || agg_star || agg_distinct || agg_filter || agg_order || func_variadic) return undefined;
    const values = plainList(args, inner);
    return values && `${qualified(...texts(funcname))}(${values.join(', ')})`;
  },
  CoalesceExpr: ({ args }: Fields<'CoalesceExpr'>, inner: Inner) => {
    const values = plainList(args, inner);
    return values && `COALESCE(${values.join(', ')})`;
  },
};

function constant({ ival, fval, boolval, sval, isnull }: Fields<'A_Const'>): string | undefined {
  if (isnull) return 'NULL';
  if (ival) return `${ival.ival ?? 0}`;
  if (fval) return fval.fval;
  if (boolval) return boolval.boolval ? 'true' : 'false';
  // Without a backslash the literal means the same under every setting.
  const value = sval?.sval ?? '';
  return sval && !value.includes('\\') ? `'${value.replaceAll("'", "''")}'` : undefined;
}

/** Kind of the grammar → how its operands are written; without an entry it is not plain. */
const SHAPES: Partial<
  Readonly<Record<NonNullable<A_Expr['kind']>, (l: string, op: string, r: string) => string>>
> = {
  AEXPR_OP: (l, op, r) => `(${l} ${op} ${r})`,
  AEXPR_OP_ANY: (l, op, r) => `(${l} ${op} ANY (${r}))`,
  AEXPR_DISTINCT: (l, _op, r) => `(${l} IS DISTINCT FROM ${r})`,
  AEXPR_NOT_DISTINCT: (l, _op, r) => `(${l} IS NOT DISTINCT FROM ${r})`,
  AEXPR_IN: (l, op, r) => `(${l} ${op === '=' ? 'IN' : 'NOT IN'} (${r}))`,
  AEXPR_LIKE: (l, op, r) => `(${l} ${op} ${r})`,
  AEXPR_ILIKE: (l, op, r) => `(${l} ${op} ${r})`,
  AEXPR_BETWEEN: (l, _op, r) => `(${l} BETWEEN ${r.replace(', ', ' AND ')})`,
};

function operation({ kind, name, lexpr, rexpr }: A_Expr, inner: Inner): string | undefined {
  const shape = SHAPES[kind ?? 'AEXPR_OP'];
  const operator = name?.length === 1 ? text(name[0]) : undefined;
  const right = inner(rexpr);
  const left = lexpr ? inner(lexpr) : '';
  // The comma of BETWEEN is between two operands, and must be the only one.
  if (kind === 'AEXPR_BETWEEN' && right?.split(', ').length !== 2) return undefined;
  return shape && operator && right && left !== undefined ? shape(left, operator, right) : undefined;
}
