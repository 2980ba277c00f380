// The locks of queries and of statements that write rows, also of those inside others: WITH, subqueries, EXPLAIN.
import type { DeleteStmt, Node, RangeVar } from '@pgsql/types';
import type { Lock, LockMode } from './effect.ts';
import { plainSql } from './expression.ts';
import { relationName, walk } from './names.ts';

/** The fields that are read of a node, whatever its kind. */
interface Part {
  readonly relation?: RangeVar;
  readonly ctename?: string;
  readonly lockingClause?: readonly Node[];
  readonly fromClause?: readonly Node[];
  readonly is_from?: boolean;
  readonly targetList?: readonly Node[];
  readonly onConflictClause?: { readonly action?: string };
}

const WRITERS: readonly string[] = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

/** The tables in a tree of the grammar. */
interface Found {
  readonly tables: RangeVar[];
  readonly written: Set<RangeVar | undefined>;
  /** The columns that are set in rows of the table. */
  readonly sets: Map<RangeVar | undefined, readonly string[]>;
  /** Names or aliases of tables whose rows are locked. */
  readonly locked: Set<string>;
  /** Names that WITH gives to queries. */
  readonly names: Set<string>;
}

/** The locks of all queries in the tree: ROW EXCLUSIVE to write rows, ROW SHARE to lock them. */
export function queryLocks(tree: unknown): Lock[] {
  const found: Found = {
    tables: [],
    written: new Set(),
    sets: new Map(),
    locked: new Set(),
    names: new Set(),
  };
  walk(tree, (kind, node) => note(found, kind, node as Part));
  return found.tables
    .filter((table) => isTable(found, table))
    .map((table) => {
      const sets = found.sets.get(table);
      return { relation: relationName(table), mode: modeOf(found, table), ...(sets && { sets }) };
    });
}

/** The same of DELETE, which empties its relation. */
export function deleteLocks(statement: DeleteStmt): Lock[] {
  const { relation, usingClause, whereClause } = statement;
  const condition = usingClause ? undefined : whereClause && plainSql(whereClause);
  // A function is called by the statement alone, and not by a question.
  const where = condition?.includes('"(') ? undefined : condition;
  const name = relation && relationName(relation);
  return queryLocks({ DeleteStmt: statement }).map((one) =>
    one.relation === name && one.mode === 'RowExclusiveLock'
      ? { ...one, empties: where === undefined ? {} : { where }, ...(!relation?.inh && { only: true }) }
      : one,
  );
}

function note({ tables, written, sets, locked, names }: Found, kind: string, part: Part): void {
  const columns = columnsSet(kind, part);
  if (columns) sets.set(part.relation, columns);
  if (WRITERS.includes(kind) || (kind === 'CopyStmt' && part.is_from)) written.add(part.relation);
  if (kind === 'CommonTableExpr') names.add(part.ctename ?? '');
  if (part.lockingClause) for (const name of lockedNames(part)) locked.add(name);
  if (kind === 'RangeVar') tables.push(part as RangeVar);
  else if (part.relation?.relname !== undefined) tables.push(part.relation);
}

/** The columns that the statement sets in rows that are there; an empty name if that is not plain. */
function columnsSet(kind: string, { targetList = [], onConflictClause }: Part): string[] | undefined {
  if (kind === 'MergeStmt') return [''];
  if (kind === 'InsertStmt') return onConflictClause?.action === 'ONCONFLICT_UPDATE' ? [''] : undefined;
  if (kind !== 'UpdateStmt') return undefined;
  return targetList.map((node) => ('ResTarget' in node ? (node.ResTarget.name ?? '') : ''));
}

/** Otherwise it is the name of a query above it. */
function isTable({ written, names }: Found, table: RangeVar): boolean {
  return table.schemaname !== undefined || written.has(table) || !names.has(table.relname ?? '');
}

function modeOf({ written, locked }: Found, table: RangeVar): LockMode {
  if (written.has(table)) return 'RowExclusiveLock';
  return locked.has(table.alias?.aliasname ?? table.relname ?? '') ? 'RowShareLock' : 'AccessShareLock';
}

/** The names that FOR UPDATE and its like apply to: those it lists, or all of the FROM clause. */
function lockedNames({ lockingClause = [], fromClause = [] }: Part): string[] {
  return lockingClause.flatMap((node) => {
    const listed = 'LockingClause' in node ? node.LockingClause.lockedRels : undefined;
    return namesIn(listed ?? fromClause);
  });
}

function namesIn(nodes: readonly Node[]): string[] {
  const found: string[] = [];
  walk(nodes, (kind, node) => {
    const { relname, alias } = node as RangeVar;
    if (kind === 'RangeVar') found.push(alias?.aliasname ?? relname ?? '');
  });
  return found;
}
