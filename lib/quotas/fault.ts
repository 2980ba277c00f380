// How an exceeded quota is put into a sentence.

/** A quota, and how much of it is used. */
export interface Quota {
  /** E.g. `The inline policies of the role MigrateRole`. */
  readonly subject: string;
  readonly verb?: 'has' | 'have' | 'is';
  readonly actual: number;
  /** In the plural; after `is`, it may be empty. */
  readonly unit: string;
  readonly most: number;
  readonly least?: number;
  /** The part of AWS that holds the quota. */
  readonly owner: string;
  /** What to do, e.g. `shorten it`. */
  readonly remedy: string;
}

/** A sentence that says which quota is exceeded, by how much, and what to do; or none. */
export function faultIn(quota: Quota): string[] {
  const { subject, verb = 'has', actual, unit, most, least = 0, owner, remedy } = quota;
  if (actual >= least && actual <= most) return [];
  const range = least > 0 ? `${count(least)} to ${count(most)}` : count(most);
  return [`${subject} ${verb} ${count(actual)} ${unit}; ${owner} allows ${range}: ${remedy}.`];
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
