// The judgement of IAM: whether the statements of a role allow a call. A call that no statement allows is denied.

/** A statement of a policy, as the template has it once its references are resolved. */
export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  /** Operator → key → values. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** The role of a function. */
export interface Role {
  readonly name: string;
  readonly statements: readonly Statement[];
}

/** One thing that a request needs: an action on a resource. A request may need several. */
export interface Need {
  /** With its service, e.g. `rds:CreateDBSnapshot`. */
  readonly action: string;
  readonly resource: string;
  /** Condition key → its values, e.g. `aws:RequestTag/team`. A key without a value is absent. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** Whether a statement allows it, and none denies it. */
export function isAllowed({ statements }: Role, need: Need): boolean {
  const applying = statements.filter((statement) => applies(statement, need));
  return (
    applying.some(({ Effect }) => Effect === 'Allow') && !applying.some(({ Effect }) => Effect === 'Deny')
  );
}

/** The words of AWS. */
export function describeDenial({ name }: Role, { action, resource }: Need, account: string): string {
  return `User: arn:aws:sts::${account}:assumed-role/${name}/${name} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
}

function applies(
  { Action, Resource, Condition = {} }: Statement,
  { action, resource, context }: Need,
): boolean {
  return (
    list(Action).some((pattern) => isLike(action.toLowerCase(), pattern.toLowerCase())) &&
    list(Resource).some((pattern) => isLike(resource, pattern)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, valuesOf(context, key), list(values))),
    )
  );
}

/** Operator → whether a value of the request meets a value of the policy. */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: isLike,
  ArnEquals: isLike,
  ArnLike: isLike,
};

/** @throws Error for an operator that the stack has not used so far: to guess would be to let something pass */
function holds(operator: string, values: readonly string[], wanted: readonly string[]): boolean {
  const [, set, name = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const meets = OPERATORS[name];
  if (meets === undefined)
    throw new Error(`The local twin of AWS does not know the condition operator ${operator}.`);
  const isMet = (value: string) => wanted.some((one) => meets(value, one));
  if (set === 'ForAllValues') return values.every(isMet);
  return values.length === 0 ? ifExists !== undefined : values.some(isMet);
}

function valuesOf(context: Need['context'], key: string): readonly string[] {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase());
  return found?.[1] ?? [];
}

/** `*` stands for any characters, `?` for one. */
function isLike(value: string, pattern: string): boolean {
  const escaped = pattern.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(value);
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}
