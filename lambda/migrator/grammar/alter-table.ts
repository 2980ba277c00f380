// ALTER TABLE: the lock and the work of each of its subcommands, as PostgreSQL's AlterTableGetLockLevel has them.
import type {
  AlterTableCmd,
  AlterTableStmt,
  AlterTableType,
  ColumnDef,
  Constraint,
  Node,
} from '@pgsql/types';
import { addConstraint, constraintOf, type Part } from './constraints.ts';
import { type Drops, type Effect, type Lock, type LockMode, strongest, type Work } from './effect.ts';
import { plainSql } from './expression.ts';
import { qualified, quote, relationName, texts, typeSql, walk } from './names.ts';
import { cascades } from './objects.ts';

const SHARE_UPDATE: LockMode = 'ShareUpdateExclusiveLock';
const SHARE_ROW: LockMode = 'ShareRowExclusiveLock';
const ALL: LockMode = 'AccessExclusiveLock';

/** The subcommands that take less than ACCESS EXCLUSIVE. */
const WEAKER: Partial<Readonly<Record<AlterTableType, LockMode>>> = {
  AT_SetStatistics: SHARE_UPDATE,
  AT_SetOptions: SHARE_UPDATE,
  AT_ResetOptions: SHARE_UPDATE,
  AT_ClusterOn: SHARE_UPDATE,
  AT_DropCluster: SHARE_UPDATE,
  AT_ValidateConstraint: SHARE_UPDATE,
  AT_AttachPartition: SHARE_UPDATE,
  AT_DetachPartitionFinalize: SHARE_UPDATE,
  AT_EnableTrig: SHARE_ROW,
  AT_EnableAlwaysTrig: SHARE_ROW,
  AT_EnableReplicaTrig: SHARE_ROW,
  AT_DisableTrig: SHARE_ROW,
  AT_EnableTrigAll: SHARE_ROW,
  AT_DisableTrigAll: SHARE_ROW,
  AT_EnableTrigUser: SHARE_ROW,
  AT_DisableTrigUser: SHARE_ROW,
};

/** They lock the partition that they name, and the default partition. */
const OF_PARTITIONS: readonly AlterTableType[] = ['AT_AttachPartition', 'AT_DetachPartition'];

/** The storage parameters that need ACCESS EXCLUSIVE; all others need SHARE UPDATE EXCLUSIVE. */
const STRONG_OPTIONS: readonly string[] = [
  'user_catalog_table',
  'security_barrier',
  'security_invoker',
  'check_option',
  'fastupdate',
  'gin_pending_list_limit',
  'buffering',
  'pages_per_range',
  'autosummarize',
  'length',
];

/** The effects of the whole statement: one lock on its relation, as strong as the strongest subcommand needs. */
export function alterTable({ relation, cmds, objtype }: AlterTableStmt): Effect[] {
  // The lock is on the index alone.
  if (relation === undefined || objtype === 'OBJECT_INDEX') return [];
  const name = relationName(relation);
  const commands = (cmds ?? []).flatMap((node) => ('AlterTableCmd' in node ? [node.AlterTableCmd] : []));
  const parts = commands.map((command) => subcommand(name, command));
  const work = parts.flatMap((part) => part.work ?? []);
  const mode = strongest(commands.map(modeOf));
  const isOfPartition = commands.some(({ subtype }) => OF_PARTITIONS.includes(subtype as AlterTableType));
  return [
    {
      relation: name,
      mode,
      ...((!relation.inh || isOfPartition) && { only: true }),
      ...(work.length > 0 && { work }),
    },
    ...(isOfPartition ? [ofDefault(name, commands)] : []),
    ...parts.flatMap((part) => part.others ?? []),
  ];
}

/** A new partition takes over bounds of the default partition, whose rows must not lie in them: one pass. */
function ofDefault(relation: string, commands: readonly AlterTableCmd[]): Lock {
  const isNew = commands.some(({ subtype }) => subtype === 'AT_AttachPartition');
  const lock: Lock = { relation, mode: ALL, only: true, reaches: 'default partition' };
  return isNew ? { ...lock, work: [{ kind: 'scan' }] } : lock;
}

function modeOf({ subtype = 'AT_AddColumn', def }: AlterTableCmd): LockMode {
  if (subtype === 'AT_AddConstraint' && constraintOf(def)?.contype === 'CONSTR_FOREIGN') return SHARE_ROW;
  if (subtype === 'AT_DetachPartition' && def && 'PartitionCmd' in def && def.PartitionCmd.concurrent)
    return SHARE_UPDATE;
  if (subtype === 'AT_SetRelOptions' || subtype === 'AT_ResetRelOptions') {
    const names = def && 'List' in def ? (def.List.items ?? []) : [];
    const isStrong = (node: Node) => 'DefElem' in node && STRONG_OPTIONS.includes(node.DefElem.defname ?? '');
    return names.some(isStrong) ? ALL : SHARE_UPDATE;
  }
  return WEAKER[subtype] ?? ALL;
}

const REWRITE: Part = { work: [{ kind: 'rewrite' }] };

/** The subcommands that do more than to change the catalogue. `relation` is the name of the table. */
function subcommand(relation: string, command: AlterTableCmd): Part {
  return WORKERS[command.subtype ?? 'AT_AddColumn']?.(relation, command) ?? {};
}

const WORKERS: Partial<Readonly<Record<AlterTableType, (relation: string, command: AlterTableCmd) => Part>>> =
  {
    AT_AddColumn: (_relation, { def, missing_ok }) =>
      def && 'ColumnDef' in def ? addColumn(def.ColumnDef, missing_ok) : {},
    // A foreign key of the column, or to it, is made again.
    AT_AlterColumnType: (relation, { name = '', def }) => ({
      ...dropped(relation, { column: quote(name), remade: true }),
      work: [changeType(name, def)],
    }),
    AT_SetNotNull: (_relation, { name = '' }) => ({ work: [{ kind: 'not null', column: quote(name) }] }),
    AT_AddConstraint: (_relation, { def }) => addConstraint(constraintOf(def)),
    AT_ValidateConstraint: (_relation, { name = '' }) => ({
      work: [{ kind: 'validate', constraint: quote(name) }],
    }),
    AT_SetAccessMethod: () => REWRITE,
    AT_SetTableSpace: () => REWRITE,
    AT_SetExpression: () => REWRITE,
    AT_SetLogged: () => ({ work: [{ kind: 'persistence', logged: true }] }),
    AT_SetUnLogged: () => ({ work: [{ kind: 'persistence', logged: false }] }),
    AT_DropColumn: (relation, { name = '', behavior }) =>
      dropped(relation, { column: quote(name), ...cascades(behavior) }),
    AT_DropConstraint: (relation, { name = '', behavior }) =>
      dropped(relation, { constraint: quote(name), ...cascades(behavior) }),
    AT_AttachPartition: (_relation, { def }) => attach(def),
    AT_DetachPartition: (_relation, { def }) => otherRelation(def, ALL),
    AT_DetachPartitionFinalize: (_relation, { def }) => otherRelation(def, ALL),
    AT_AddInherit: (_relation, { def }) =>
      def && 'RangeVar' in def
        ? { others: [{ relation: relationName(def.RangeVar), mode: SHARE_UPDATE, only: true }] }
        : {},
    AT_DropInherit: (_relation, { def }) =>
      def && 'RangeVar' in def
        ? { others: [{ relation: relationName(def.RangeVar), mode: 'AccessShareLock', only: true }] }
        : {},
  };

function dropped(relation: string, drops: Drops): Part {
  return { others: [{ relation, mode: ALL, drops }] };
}

function otherRelation(def: Node | undefined, mode: LockMode): Part {
  const name = def && 'PartitionCmd' in def ? def.PartitionCmd.name : undefined;
  return name ? { others: [{ relation: relationName(name), mode }] } : {};
}

/** The partition must prove its bounds: one pass, if no constraint of it does. */
function attach(def: Node | undefined): Part {
  const { others = [] } = otherRelation(def, ALL);
  const isTable = def && 'PartitionCmd' in def && def.PartitionCmd.bound !== undefined;
  return { others: others.map((lock) => (isTable ? { ...lock, work: [{ kind: 'scan' }] } : lock)) };
}

function changeType(name: string, def: Node | undefined): Work {
  const column = def && 'ColumnDef' in def ? def.ColumnDef : undefined;
  const type = column?.typeName && typeSql(column.typeName);
  if (type === undefined) return { kind: 'rewrite' };
  const value = column?.raw_default && plainSql(column.raw_default);
  const isSame = value === quote(name) || value === `CAST(${quote(name)} AS ${type})`;
  const using = column?.raw_default === undefined || isSame ? {} : ({ using: true } as const);
  return { kind: 'type', column: quote(name), type, ...using };
}

/** Types that bring a default, which is volatile. */
const SERIALS: readonly string[] = ['serial', 'serial2', 'serial4', 'serial8', 'smallserial', 'bigserial'];

function addColumn({ colname = '', typeName, constraints }: ColumnDef, missing_ok = false): Part {
  const parts = (constraints ?? []).map((node) => columnConstraint(quote(colname), constraintOf(node)));
  const isSerial = SERIALS.includes(texts(typeName?.names).join('.'));
  const hasDefault = (constraints ?? []).some((node) => constraintOf(node)?.contype === 'CONSTR_DEFAULT');
  const typed: Work = { kind: 'default', functions: [], type: (typeName && typeSql(typeName)) ?? '' };
  const work = [
    isSerial ? ({ kind: 'rewrite' } as const) : typed,
    ...parts.flatMap((part) => part.work ?? []),
  ];
  // Without a default there is no value to look up.
  const needed = work.filter(({ kind }) => hasDefault || kind !== 'foreign key');
  return {
    work: missing_ok ? needed.map((one) => ({ ...one, unless: quote(colname) })) : needed,
    others: parts.flatMap((part) => part.others ?? []),
  };
}

function columnConstraint(column: string, constraint: Constraint | undefined): Part {
  switch (constraint?.contype) {
    case 'CONSTR_DEFAULT':
      return { work: [{ kind: 'default', functions: functionsOf(constraint.raw_expr), type: '' }] };
    case 'CONSTR_IDENTITY':
      return REWRITE;
    case 'CONSTR_GENERATED':
      return constraint.generated_kind === 'v' ? {} : REWRITE;
    case 'CONSTR_CHECK':
      return constraint.skip_validation ? {} : { work: [{ kind: 'scan' }] };
    default:
      return addConstraint(constraint, column);
  }
}

/** The functions that the expression calls, as SQL. */
function functionsOf(expression: Node | undefined): string[] {
  const found = new Set<string>();
  walk(expression, (kind, { funcname }) => {
    if (kind === 'FuncCall') found.add(qualified(...texts(funcname as Node[])));
  });
  return [...found];
}
