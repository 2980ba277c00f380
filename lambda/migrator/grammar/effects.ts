// The effects of a statement: the relations that it locks, by its kind, and the work on them.
import type {
  AlterDomainStmt,
  CreateStmt,
  CreateTableAsStmt,
  IndexStmt,
  LockStmt,
  Node,
  RangeVar,
  ReindexStmt,
  TruncateStmt,
  VacuumStmt,
  VariableSetStmt,
} from '@pgsql/types';
import { alterTable } from './alter-table.ts';
import { addConstraint } from './constraints.ts';
import { type Effect, LOCK_MODES, type Lock, type LockMode, type Work } from './effect.ts';
import { plainSql } from './expression.ts';
import { qualified, quote, relationName, texts } from './names.ts';
import { comment, drop, rename, setSchema } from './objects.ts';
import { markOwned } from './owned.ts';
import { deleteLocks, queryLocks } from './queries.ts';
import { retired } from './retired.ts';

const ALL: LockMode = 'AccessExclusiveLock';
const SHARE_UPDATE: LockMode = 'ShareUpdateExclusiveLock';

/**
 * The effects that the statement's text tells. The work of a DO block or a function is not
 * known, nor work that depends on rows, triggers and rules. Names are as written: the caller looks them up.
 */
export function effectsOf(node: Node): readonly Effect[] {
  const [[kind, statement] = ['', {}]] = Object.entries(node);
  return markOwned(kind, OF[kind]?.(statement as never) ?? queryLocks(node));
}

const none = (): Effect[] => [];

/** Kind of statement → its effects; without an entry, it is a query, or writes rows, or has queries within. */
const OF: Readonly<Record<string, (statement: never) => readonly Effect[]>> = {
  AlterTableStmt: alterTable,
  RenameStmt: rename,
  AlterObjectSchemaStmt: setSchema,
  DropStmt: drop,
  CommentStmt: comment,
  SecLabelStmt: comment,
  IndexStmt: createIndex,
  CreateStmt: createTable,
  CreateForeignTableStmt: ({ base }: { base?: CreateStmt }) => (base ? createTable(base) : []),
  CreateTableAsStmt: createTableAs,
  ViewStmt: createView,
  RefreshMatViewStmt: ({ relation, concurrent }: Concurrent) =>
    lock(relation, concurrent ? 'ExclusiveLock' : ALL, [{ kind: 'rewrite' }]),
  TruncateStmt: truncate,
  DeleteStmt: deleteLocks,
  LockStmt: lockTables,
  ReindexStmt: reindex,
  ClusterStmt: ({ relation }: Related) => lock(relation, ALL, [{ kind: 'rewrite' }]),
  RepackStmt: ({ relation }: Related) => lock(relation, ALL, [{ kind: 'rewrite' }]),
  VacuumStmt: analyze,
  CreateTrigStmt: ({ relation, constrrel }: Related & { constrrel?: RangeVar }) => [
    ...lock(relation, 'ShareRowExclusiveLock'),
    ...lock(constrrel, 'AccessShareLock'),
  ],
  RuleStmt: ({ relation }: Related) => lock(relation, ALL),
  CreatePolicyStmt: ({ table }: { table?: RangeVar }) => lock(table, ALL),
  AlterPolicyStmt: ({ table }: { table?: RangeVar }) => lock(table, ALL),
  CreateStatsStmt: ({ relations }: { relations?: Node[] }) => lockAll(relations, SHARE_UPDATE),
  CreatePublicationStmt: ({ pubobjects }: { pubobjects?: Node[] }) => published(pubobjects),
  AlterPublicationStmt: ({ pubobjects }: { pubobjects?: Node[] }) => published(pubobjects),
  AlterSeqStmt: ({ sequence }: { sequence?: RangeVar }) => lock(sequence, 'ShareRowExclusiveLock'),
  AlterDomainStmt: alterDomain,
  VariableSetStmt: setPath,
  SelectStmt: (statement: object) =>
    pathOf(statement) ?? retired(statement) ?? queryLocks({ SelectStmt: statement }),
  // The queries in these are read when they are called, and not now.
  CreateFunctionStmt: none,
  GrantStmt: none,
  DoStmt: none,
  PrepareStmt: none,
};

interface Related {
  readonly relation?: RangeVar;
}
interface Concurrent extends Related {
  readonly concurrent?: boolean;
}

/** One relation without its children. */
function lock(relation: RangeVar | undefined, mode: LockMode, work?: readonly Work[]): Lock[] {
  if (relation === undefined) return [];
  return [{ relation: relationName(relation), mode, only: true, ...(work && { work }) }];
}

function lockAll(nodes: readonly Node[] | undefined, mode: LockMode): Lock[] {
  return (nodes ?? []).flatMap((node) => ('RangeVar' in node ? lock(node.RangeVar, mode) : []));
}

/** With its child tables, unless it is written with ONLY. */
function withChildren(nodes: readonly Node[] | undefined, mode: LockMode): Lock[] {
  return (nodes ?? []).flatMap((node) => {
    if (!('RangeVar' in node)) return [];
    const only = node.RangeVar.inh ? {} : ({ only: true } as const);
    return [{ relation: relationName(node.RangeVar), mode, ...only }];
  });
}

function createIndex(statement: IndexStmt): Effect[] {
  const { relation, idxname, accessMethod, indexParams, whereClause, if_not_exists } = statement;
  if (relation === undefined) return [];
  const table = relationName(relation);
  const params = (indexParams ?? []).flatMap((node) => ('IndexElem' in node ? [node.IndexElem] : []));
  const keys = params.map(({ name, expr }) => (name === undefined ? plainSql(expr) : quote(name)));
  const predicate = plainSql(whereClause);
  const work: Work = {
    kind: 'index',
    method: accessMethod ?? 'btree',
    keys: keys.includes(undefined) ? [] : (keys as string[]),
    ...(predicate && { predicate }),
    ...(if_not_exists && idxname !== undefined && { unless: quote(idxname) }),
  };
  const only = relation.inh ? {} : ({ only: true } as const);
  const index = idxname === undefined ? [] : [{ makes: besides(relation, idxname), indexOf: table }];
  return [{ relation: table, mode: 'ShareLock', ...only, work: [work] }, ...index];
}

/** An object in the schema of the relation. */
function besides({ schemaname }: RangeVar, name: string): string {
  return schemaname === undefined ? quote(name) : `${quote(schemaname)}.${quote(name)}`;
}

function createTable({ relation, tableElts, inhRelations, partbound, constraints }: CreateStmt): Effect[] {
  const parents = lockAll(inhRelations, partbound === undefined ? SHARE_UPDATE : ALL);
  // Its rows must not belong to the new partition: one pass.
  const defaults =
    partbound === undefined
      ? []
      : parents.map((parent): Lock => {
          return { ...parent, reaches: 'default partition', work: [{ kind: 'scan' }] };
        });
  const elements = [...(tableElts ?? []), ...(constraints ?? [])].flatMap((node): Lock[] => {
    if ('TableLikeClause' in node) return lock(node.TableLikeClause.relation, 'AccessShareLock');
    if ('Constraint' in node) return [...(addConstraint(node.Constraint).others ?? [])];
    if (!('ColumnDef' in node)) return [];
    return (node.ColumnDef.constraints ?? []).flatMap((constraint) =>
      'Constraint' in constraint ? [...(addConstraint(constraint.Constraint).others ?? [])] : [],
    );
  });
  return [...parents, ...defaults, ...elements, ...made(relation)];
}

function made(relation: RangeVar | undefined): Effect[] {
  if (relation === undefined) return [];
  const isTemporary = relation.relpersistence === 't';
  return [{ makes: isTemporary ? qualified('pg_temp', relation.relname) : relationName(relation) }];
}

function createTableAs({ query, into }: CreateTableAsStmt): Effect[] {
  return [...queryLocks(query), ...made(into?.rel)];
}

function createView({
  view,
  query,
  replace,
}: {
  view?: RangeVar;
  query?: Node;
  replace?: boolean;
}): Effect[] {
  return [...queryLocks(query), ...(replace ? lock(view, ALL) : []), ...made(view)];
}

function truncate({ relations, behavior }: TruncateStmt): Effect[] {
  const locks = withChildren(relations, ALL).map((one) => ({ ...one, empties: {} }));
  // The tables that refer to it are emptied, too.
  return behavior === 'DROP_CASCADE'
    ? locks.map((one) => ({ ...one, reaches: 'referring tables' as const }))
    : locks;
}

function lockTables({ relations, mode = LOCK_MODES.length }: LockStmt): Effect[] {
  return withChildren(relations, LOCK_MODES[mode - 1] ?? ALL);
}

function reindex({ kind, relation, name }: ReindexStmt): Effect[] {
  const work = [{ kind: 'reindex' }] as const;
  if (kind === 'REINDEX_OBJECT_SCHEMA' && name !== undefined)
    return [{ relation: quote(name), of: 'schema', mode: 'ShareLock', work }];
  return lock(relation, 'ShareLock', work).map(({ only: _only, ...one }) => one);
}

/** ANALYZE; VACUUM cannot run in a transaction. */
function analyze({ rels, is_vacuumcmd }: VacuumStmt): Effect[] {
  if (is_vacuumcmd) return [];
  return (rels ?? []).flatMap((node) =>
    'VacuumRelation' in node ? lock(node.VacuumRelation.relation, SHARE_UPDATE) : [],
  );
}

function published(objects: readonly Node[] | undefined): Lock[] {
  return (objects ?? []).flatMap((node) =>
    'PublicationObjSpec' in node ? lock(node.PublicationObjSpec.pubtable?.relation, SHARE_UPDATE) : [],
  );
}

/** A new constraint of a domain is checked in every table that has a column of it. */
function alterDomain({ subtype, typeName, def }: AlterDomainStmt): Effect[] {
  const isChecked =
    subtype === 'O' ||
    subtype === 'V' ||
    (subtype === 'C' && def !== undefined && 'Constraint' in def && !def.Constraint.skip_validation);
  if (!isChecked) return [];
  const relation = texts(typeName).map(quote).join('.');
  return [{ relation, of: 'domain', mode: 'ShareLock', work: [{ kind: 'scan' }] }];
}

function setPath({ name, kind, args }: VariableSetStmt): Effect[] {
  if (kind === 'VAR_RESET_ALL') return [{ path: null }];
  if (name !== 'search_path') return [];
  if (kind !== 'VAR_SET_VALUE') return [{ path: null }];
  return [{ path: (args ?? []).map(literal) }];
}

function literal(node: Node | undefined): string {
  return node !== undefined && 'A_Const' in node ? (node.A_Const.sval?.sval ?? '') : '';
}

/** `SELECT set_config('search_path', …)`, as every dump has it; undefined for any other query. */
function pathOf({ targetList }: { targetList?: Node[] }): Effect[] | undefined {
  const [target] = targetList ?? [];
  const value = target && 'ResTarget' in target ? target.ResTarget.val : undefined;
  const call = value && 'FuncCall' in value ? value.FuncCall : undefined;
  const [setting, path] = call?.args ?? [];
  if (texts(call?.funcname).at(-1) !== 'set_config' || literal(setting) !== 'search_path') return undefined;
  const schemas = literal(path)
    .split(',')
    .map((schema) => schema.trim().replaceAll('"', ''));
  return [{ path: schemas.filter((schema) => schema !== '') }];
}
