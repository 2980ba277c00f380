// The effects of `SELECT backstop.retire('public.tasks')`, whose tables are literals.
import type { Node } from '@pgsql/types';
import type { Lock } from './effect.ts';
import { qualified, texts } from './names.ts';

/** Function → what it retires. */
const CALLS: Readonly<Record<string, NonNullable<Lock['retires']>>> = {
  'backstop.retire': 'table',
  'backstop.retire_column': 'column',
};

const WORD = String.raw`(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))`;
const NAME = new RegExp(String.raw`^\s*${WORD}\s*\.\s*${WORD}\s*$`, 'u');

/** The locks of such calls; undefined for any other query, and if one of the names is no literal: it can be any table. */
export function retired(statement: { targetList?: Node[] }): readonly Lock[] | undefined {
  const targets = (statement.targetList ?? []).map((node) =>
    'ResTarget' in node ? node.ResTarget.val : undefined,
  );
  const locks = targets.flatMap(retiredBy);
  const known = locks.filter((lock) => lock !== undefined);
  return known.length > 0 && known.length === locks.length ? known : undefined;
}

function retiredBy(node: Node | undefined): (Lock | undefined)[] {
  const call = node !== undefined && 'FuncCall' in node ? node.FuncCall : undefined;
  const retires = CALLS[texts(call?.funcname).join('.')];
  if (retires === undefined) return [undefined];
  const [first] = call?.args ?? [];
  if (retires === 'column') return [lockOf(first, retires)];
  const list =
    call?.func_variadic && first !== undefined && 'A_ArrayExpr' in first
      ? first.A_ArrayExpr.elements
      : call?.args;
  return (list ?? [undefined]).map((name) => lockOf(name, retires));
}

function lockOf(name: Node | undefined, retires: NonNullable<Lock['retires']>): Lock | undefined {
  const literal = name !== undefined && 'A_Const' in name ? name.A_Const.sval?.sval : undefined;
  const parts = NAME.exec(literal ?? '');
  if (parts === null) return undefined;
  const relation = qualified(plain(parts[1], parts[2]), plain(parts[3], parts[4]));
  return { relation, mode: 'AccessExclusiveLock', owned: true, retires };
}

/** As the catalogue has it. */
function plain(quoted: string | undefined, word = ''): string {
  return quoted?.replaceAll('""', '"') ?? word.toLowerCase();
}
