// Statements that only the owner of a relation may run.
import { type Effect, isLock } from './effect.ts';

/** Kind of statement → whether that is said of all relations that it names, or of the first. */
const OWNED: Readonly<Record<string, 'first' | 'all'>> = {
  AlterTableStmt: 'first',
  RenameStmt: 'first',
  AlterObjectSchemaStmt: 'first',
  DropStmt: 'all',
  CommentStmt: 'first',
  IndexStmt: 'first',
  RuleStmt: 'first',
  CreatePolicyStmt: 'first',
  AlterPolicyStmt: 'first',
  CreateStatsStmt: 'all',
};

/** The effects of a statement, in which the locks on these relations say so. */
export function markOwned(kind: string, effects: readonly Effect[]): readonly Effect[] {
  const owned = OWNED[kind];
  if (owned === undefined) return effects;
  const first = effects.findIndex((effect) => isLock(effect) && effect.of === undefined);
  return effects.map((effect, index) => {
    const isMeant = isLock(effect) && effect.of === undefined && (owned === 'all' || index === first);
    return isMeant ? { ...effect, owned: true } : effect;
  });
}
