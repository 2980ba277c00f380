// The effects of statements that name objects of any kind: DROP, RENAME, SET SCHEMA, COMMENT, SECURITY LABEL.
import type {
  AlterObjectSchemaStmt,
  CommentStmt,
  DropStmt,
  ObjectType,
  RenameStmt,
  SecLabelStmt,
} from '@pgsql/types';
import type { Drops, Effect, Lock, LockMode } from './effect.ts';
import { partsOf, qualified, quote, relationName } from './names.ts';

const ALL: LockMode = 'AccessExclusiveLock';
const SHARE_UPDATE: LockMode = 'ShareUpdateExclusiveLock';

type Of = NonNullable<Lock['of']>;

/** Objects that are no relations, and that others depend on. */
const OTHERS: Partial<Readonly<Record<ObjectType, Of>>> = {
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_EXTENSION: 'extension',
};

const RELATIONS: readonly ObjectType[] = [
  'OBJECT_TABLE',
  'OBJECT_INDEX',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
];

/** Objects of a table, whose name follows the name of the table. */
const PARTS: readonly ObjectType[] = [
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
  'OBJECT_TABCONSTRAINT',
];

/** The field of {@link Drops} for CASCADE. */
export function cascades(behavior: DropStmt['behavior']): Pick<Drops, 'cascade'> {
  return behavior === 'DROP_CASCADE' ? { cascade: true } : {};
}

export function drop({ objects, removeType = 'OBJECT_TABLE', behavior }: DropStmt): Effect[] {
  const drops = cascades(behavior);
  return (objects ?? []).flatMap((node): Effect[] => {
    const names = partsOf(node);
    if (RELATIONS.includes(removeType)) return [{ relation: qualified(...names), mode: ALL, drops }];
    if (PARTS.includes(removeType))
      return [{ relation: qualified(...names.slice(0, -1)), mode: ALL, only: true }];
    const of = OTHERS[removeType];
    return of === undefined ? [] : [{ relation: qualified(...names), of, mode: ALL, drops }];
  });
}

export function rename({ renameType, relationType, relation, newname = '', subname }: RenameStmt): Effect[] {
  if (relation === undefined) return [];
  const name = relationName(relation);
  const isWhole = subname === undefined && RELATIONS.includes(renameType ?? 'OBJECT_TABLE');
  const goesOn = renameType === 'OBJECT_COLUMN' || renameType === 'OBJECT_ATTRIBUTE';
  const only = relation.inh && goesOn && relationType !== 'OBJECT_VIEW' ? {} : ({ only: true } as const);
  const lock: Lock = { relation: name, mode: ALL, ...only };
  // The table of an index is not locked.
  const locks = renameType === 'OBJECT_INDEX' ? [] : [lock];
  return isWhole ? [...locks, { makes: qualified(relation.schemaname, newname), was: name }] : locks;
}

export function setSchema({ objectType, relation, newschema = '' }: AlterObjectSchemaStmt): Effect[] {
  if (relation === undefined || !RELATIONS.includes(objectType ?? 'OBJECT_TABLE')) return [];
  const name = relationName(relation);
  return [
    { relation: name, mode: ALL, only: true },
    { makes: qualified(newschema, relation.relname), was: name },
  ];
}

export function comment({ objtype, object }: CommentStmt | SecLabelStmt): Effect[] {
  const type = objtype ?? 'OBJECT_TABLE';
  const names = partsOf(object);
  if (type === 'OBJECT_INDEX') return [];
  if (RELATIONS.includes(type)) return [{ relation: qualified(...names), mode: SHARE_UPDATE, only: true }];
  const table = names.slice(0, -1).map(quote).join('.');
  if (type === 'OBJECT_COLUMN') return [{ relation: table, mode: SHARE_UPDATE, only: true }];
  if (PARTS.includes(type)) return [{ relation: table, mode: 'AccessShareLock', only: true }];
  return [];
}
