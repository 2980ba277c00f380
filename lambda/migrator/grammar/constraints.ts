// The locks and the work of a new constraint.
import type { Constraint, Node } from '@pgsql/types';
import type { Lock, Work } from './effect.ts';
import { plainSql } from './expression.ts';
import { quote, relationName, texts } from './names.ts';

/** The effects of a subcommand besides the change of the catalogue. */
export interface Part {
  readonly work?: readonly Work[];
  /** Locks on other relations, and on relations that depend on a dropped part. */
  readonly others?: readonly Lock[];
}

export function constraintOf(node: Node | undefined): Constraint | undefined {
  return node && 'Constraint' in node ? node.Constraint : undefined;
}

/** @param column of the constraint, if it is one of a new column: its rows hold nothing but the default */
export function addConstraint(constraint: Constraint | undefined, column?: string): Part {
  switch (constraint?.contype) {
    case 'CONSTR_CHECK':
      return addCheck(constraint);
    case 'CONSTR_NOTNULL':
      return addNotNull(constraint, column);
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
    case 'CONSTR_EXCLUSION':
      return addIndex(constraint, column);
    case 'CONSTR_FOREIGN':
      return addForeignKey(constraint, column);
    default:
      return {};
  }
}

/** The rows that are there are looked at, unless NOT VALID or NOT ENFORCED says otherwise. */
function isValidated({ skip_validation, is_enforced }: Constraint): boolean {
  return !skip_validation && is_enforced !== undefined;
}

function addCheck(constraint: Constraint): Part {
  if (!isValidated(constraint)) return {};
  const check = plainSql(constraint.raw_expr);
  return { work: [{ kind: 'scan', ...(check && { check }) }] };
}

function addNotNull({ skip_validation, keys }: Constraint, column: string | undefined): Part {
  if (column !== undefined || skip_validation) return {};
  return { work: texts(keys).map((key) => ({ kind: 'not null', column: quote(key) })) };
}

function addIndex({ contype, keys, indexname, access_method }: Constraint, column: string | undefined): Part {
  const isPrimary = contype === 'CONSTR_PRIMARY';
  if (indexname !== undefined)
    return isPrimary ? { work: [{ kind: 'not null', index: quote(indexname) }] } : {};
  const columns = column ? [column] : texts(keys).map(quote);
  const notNull = isPrimary && column === undefined ? columns : [];
  return {
    work: [
      ...notNull.map((one): Work => ({ kind: 'not null', column: one })),
      { kind: 'index', method: access_method ?? 'btree', keys: columns },
    ],
  };
}

function addForeignKey(constraint: Constraint, column: string | undefined): Part {
  const { pktable, fk_attrs } = constraint;
  if (pktable === undefined) return {};
  const references = relationName(pktable);
  const columns = column ? [column] : texts(fk_attrs).map(quote);
  return {
    others: [{ relation: references, mode: 'ShareRowExclusiveLock' }],
    ...(isValidated(constraint) && { work: [{ kind: 'foreign key', columns, references }] }),
  };
}
