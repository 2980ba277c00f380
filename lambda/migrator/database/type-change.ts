// Whether a change of a column's type changes its stored values, as PostgreSQL's ATColumnChangeRequiresRewrite decides.

/** The type that a column has; null if the column is not there yet. */
export interface OldType {
  /** Its oid; of a domain, of the type below. */
  readonly base: string | null;
  readonly modifier: number | null;
}

/** The type that it gets. */
export interface NewType {
  readonly base: string;
  readonly modifier: number;
  /** A domain with a constraint: every value is checked by a rewrite. */
  readonly hasRules: boolean;
  /** A value of the old type is one of the new type as it is. */
  readonly isBinary: boolean;
  /** The time zone of the session has no offset. */
  readonly isUtc: boolean;
}

const VARCHAR = '1043';
const VARBIT = '1562';
const NUMERIC = '1700';
const TIMESTAMPS: readonly string[] = ['1114', '1184'];
/** Types with a precision of seconds: time, timestamp, timestamptz, timetz. */
const TIMES: readonly string[] = ['1083', '1114', '1184', '1266'];
const FINEST = 6;

/** Whether the table is rewritten; if it is not known, it is. */
export function changesRows({ base, modifier }: OldType, next: NewType | undefined): boolean {
  if (next === undefined || base === null || modifier === null || next.hasRules) return true;
  if (base === next.base) return !isWider(base, modifier, next.modifier);
  if (TIMESTAMPS.includes(base) && TIMESTAMPS.includes(next.base))
    return !(next.isUtc && isWider(base, modifier, next.modifier));
  return !(next.isBinary && next.modifier === -1);
}

/** Whether the new modifier lets all values through that the old one does. */
function isWider(type: string, old: number, next: number): boolean {
  if (old === next || next === -1) return true;
  if (TIMES.includes(type)) return next >= (old === -1 ? FINEST : old);
  if (old === -1) return false;
  if (type === VARCHAR || type === VARBIT) return next >= old;
  // Precision and scale are the two halves of one number, after the length of a header.
  if (type === NUMERIC) return (old & 0xffff) === (next & 0xffff) && next >= old;
  return false;
}
