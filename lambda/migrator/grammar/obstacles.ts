// Statements that cannot run in a revision: they end or change its transaction, or PostgreSQL refuses them inside one.
import { type Node, type Option, optionsOf, switchedOn } from './node.ts';

/** Why a statement cannot run in a revision. */
export interface Obstacle {
  /**
   * `begin` and `commit`: the two that may enclose a file. `transaction`: it ends the transaction in another way.
   * `isolation`: it changes what the transaction is. `alone`: PostgreSQL refuses it in a transaction. `rows`: its rows
   * are not SQL.
   */
  readonly kind: 'begin' | 'commit' | 'transaction' | 'isolation' | 'alone' | 'rows';
  /** The statement, such as `CREATE INDEX CONCURRENTLY`. */
  readonly words: string;
}

/** The obstacle of a statement; undefined if it can run in a revision. */
export function obstacleOf(kind: string, node: Node): Obstacle | undefined {
  switch (kind) {
    case 'TransactionStmt':
      return transactionObstacle(node);
    case 'VariableSetStmt':
      return isolationObstacle(node);
    case 'CopyStmt':
      return node.is_from && node.filename === undefined
        ? { kind: 'rows', words: 'COPY … FROM STDIN' }
        : undefined;
    default: {
      const words = ALONE[kind]?.(node);
      return words ? { kind: 'alone', words } : undefined;
    }
  }
}

/** The kind of a TransactionStmt → its words; savepoints are left to the revision. */
const TRANSACTION: Readonly<Record<string, string>> = {
  BEGIN: 'BEGIN',
  START: 'START TRANSACTION',
  COMMIT: 'COMMIT',
  ROLLBACK: 'ROLLBACK',
  PREPARE: 'PREPARE TRANSACTION',
  COMMIT_PREPARED: 'COMMIT PREPARED',
  ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
};

function transactionObstacle(node: Node): Obstacle | undefined {
  const name = String(node.kind).replace('TRANS_STMT_', '');
  const words = TRANSACTION[name];
  if (words === undefined) return undefined;
  const isPlain = node.chain !== true && !changesTransaction(optionsOf(node, 'options'));
  if (isPlain && (name === 'BEGIN' || name === 'START')) return { kind: 'begin', words };
  if (isPlain && name === 'COMMIT') return { kind: 'commit', words };
  return { kind: 'transaction', words };
}

function isolationObstacle(node: Node): Obstacle | undefined {
  const single = { name: String(node.name), value: settingOf(node) };
  const changes =
    node.kind === 'VAR_SET_MULTI' ? node.name !== 'SESSION CHARACTERISTICS' : node.kind === 'VAR_SET_VALUE';
  const options = node.kind === 'VAR_SET_MULTI' ? optionsOf(node, 'args') : [single];
  return changes && (String(node.name) === 'TRANSACTION SNAPSHOT' || changesTransaction(options))
    ? { kind: 'isolation', words: node.kind === 'VAR_SET_MULTI' ? 'SET TRANSACTION' : `SET ${node.name}` }
    : undefined;
}

function settingOf(node: Node): string | undefined {
  const [{ A_Const: constant }] = (node.args ?? [{}]) as [Node];
  return optionsOf({ args: [{ DefElem: { defname: '', arg: { A_Const: constant } } }] }, 'args')[0]?.value;
}

/** Whether an option makes the transaction another one than the engine's, which is read committed and may write. */
function changesTransaction(options: readonly Option[]): boolean {
  return options.some(({ name, value = '' }) => {
    if (name === 'transaction_isolation') return value !== 'read committed' && value !== 'default';
    if (name === 'transaction_read_only') return switchedOn(value);
    return name === 'transaction_deferrable';
  });
}

/** Node → its words, if PostgreSQL refuses the statement inside a transaction. */
const ALONE: Readonly<Record<string, (node: Node) => string | false>> = {
  CreatedbStmt: () => 'CREATE DATABASE',
  DropdbStmt: () => 'DROP DATABASE',
  AlterDatabaseStmt: (node) =>
    optionsOf(node, 'options').some(({ name }) => name === 'tablespace') && 'ALTER DATABASE … SET TABLESPACE',
  CreateTableSpaceStmt: () => 'CREATE TABLESPACE',
  DropTableSpaceStmt: () => 'DROP TABLESPACE',
  AlterSystemStmt: () => 'ALTER SYSTEM',
  VacuumStmt: (node) => node.is_vacuumcmd === true && 'VACUUM',
  ClusterStmt: (node) => node.relation === undefined && 'CLUSTER without a table',
  ReindexStmt: reindexAlone,
  IndexStmt: (node) => node.concurrent === true && 'CREATE INDEX CONCURRENTLY',
  DropStmt: (node) => node.concurrent === true && 'DROP INDEX CONCURRENTLY',
  AlterTableStmt: (node) => detachesConcurrently(node) && 'ALTER TABLE … DETACH PARTITION … CONCURRENTLY',
  DiscardStmt: (node) => node.target === 'DISCARD_ALL' && 'DISCARD ALL',
  CreateSubscriptionStmt: (node) =>
    createsSlot(optionsOf(node, 'options')) && 'CREATE SUBSCRIPTION with a slot',
  AlterSubscriptionStmt: subscriptionAlone,
};

function reindexAlone(node: Node): string | false {
  const [concurrently] = optionsOf(node, 'params').filter(({ name }) => name === 'concurrently');
  if (concurrently && switchedOn(concurrently.value)) return 'REINDEX CONCURRENTLY';
  const whole = /(SCHEMA|SYSTEM|DATABASE)$/.exec(String(node.kind))?.[1];
  return whole !== undefined && `REINDEX ${whole}`;
}

function detachesConcurrently(node: Node): boolean {
  const commands = (node.cmds ?? []) as { AlterTableCmd?: { def?: { PartitionCmd?: Node } } }[];
  return commands.some(({ AlterTableCmd }) => AlterTableCmd?.def?.PartitionCmd?.concurrent === true);
}

/** A slot is made unless the options say otherwise; without a connection none can be made. */
function createsSlot(options: readonly Option[]): boolean {
  const isOff = (wanted: string) => options.some(({ name, value }) => name === wanted && !switchedOn(value));
  return !isOff('create_slot') && !isOff('connect');
}

function subscriptionAlone(node: Node): string | false {
  const options = optionsOf(node, 'options');
  const refresh = options.find(({ name }) => name === 'refresh');
  switch (String(node.kind).replace('ALTER_SUBSCRIPTION_', '')) {
    case 'REFRESH':
      return 'ALTER SUBSCRIPTION … REFRESH PUBLICATION';
    case 'SET_PUBLICATION':
    case 'ADD_PUBLICATION':
    case 'DROP_PUBLICATION':
      return (
        (refresh === undefined || switchedOn(refresh.value)) &&
        'ALTER SUBSCRIPTION … PUBLICATION with refresh'
      );
    case 'OPTIONS': {
      const slot = options.find(
        ({ name, value }) => name === 'failover' || (name === 'two_phase' && !switchedOn(value)),
      );
      return slot !== undefined && `ALTER SUBSCRIPTION … SET (${slot.name})`;
    }
    default:
      return false;
  }
}
