// Choice: the first rule that the document satisfies.
import type { ChoiceState, Rule } from './definition.ts';
import { RuntimeError } from './errors.ts';
import { readPath, type Scope } from './paths.ts';

/**
 * The name of the next state.
 *
 * @throws StateError States.Runtime if a compared path has no value, or if no rule holds and there is no default
 */
export function choose({ Choices, Default }: ChoiceState, scope: Scope): string {
  const next = Choices.find((rule) => holds(rule, scope))?.Next ?? Default;
  if (next === undefined) throw new RuntimeError('No rule of the Choice holds, and it has no default.');
  return next;
}

function holds(rule: Rule, scope: Scope): boolean {
  if (rule.And) return rule.And.every((each) => holds(each, scope));
  if (rule.Or) return rule.Or.some((each) => holds(each, scope));
  if (rule.Not) return !holds(rule.Not, scope);
  const { Variable = '$', IsPresent, StringEquals, BooleanEquals, NumericEquals } = rule;
  const value = readPath(Variable, scope);
  if (IsPresent !== undefined) return (value !== undefined) === IsPresent;
  if (value === undefined)
    throw new RuntimeError(
      `Invalid path '${Variable}': The choice state's condition path references an invalid value.`,
    );
  return value === (StringEquals ?? BooleanEquals ?? NumericEquals);
}
