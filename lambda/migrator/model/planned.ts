// The checksum of a plan, and the refusal of a run that would not be the planned one.
import { createHash } from 'node:crypto';
import { textsOf } from './bounded.ts';
import { BackstopError } from './errors.ts';
import type { Plan, RevisionId } from './report.ts';

/** A plan that a run must not differ from: as it was made, or its checksum alone. */
export type Planned = Pick<Plan, 'checksum'> & Partial<Pick<Plan, 'checksums'>>;

/** SHA-256 in hex of the run: its direction, and each revision in order with the checksum of its files. */
export function checksumOf(
  direction: Plan['direction'],
  checksums: readonly (readonly [RevisionId, string])[],
): string {
  return createHash('sha256')
    .update(JSON.stringify([direction, ...checksums]))
    .digest('hex');
}

/**
 * A person who approved a plan approved these revisions with these files, and no others. Nothing to do is no other plan.
 *
 * @throws PlanChanged with the revisions that differ
 */
export function requirePlanned(found: Plan, planned: Planned | undefined): void {
  if (planned === undefined || found.pending.length === 0 || found.checksum === planned.checksum) return;
  throw new BackstopError('PlanChanged', {
    message: 'The revisions to run differ from the plan',
    detail: [
      ...differences(found.checksums, planned.checksums),
      `To run now: ${textsOf(found, 'pending').join(', ')}. Nothing was changed.`,
    ],
    hint: 'Look at the plan of today with {"action": "plan"}, and start a new execution, with its checksum as "plan" if it was approved.',
  });
}

function differences(now: Plan['checksums'], then: Plan['checksums'] | undefined): string[] {
  if (then === undefined) return [];
  const ids = [...new Set([...Object.keys(then), ...Object.keys(now)])];
  return ids.filter((id) => now[id] !== then[id]).map((id) => `${id} ${differenceOf(now[id], then[id])}.`);
}

function differenceOf(now: string | undefined, then: string | undefined): string {
  if (then === undefined) return 'was not in the plan';
  return now === undefined
    ? 'was in the plan, and is not to run any more'
    : 'has other files than in the plan';
}
