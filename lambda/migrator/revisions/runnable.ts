// The files that a run needs: read before anything happens, so that no run begins that could not end.
import type { Check, Phase } from './check.ts';
import type { Revision, Script } from './revision.ts';

/** The files of a direction. */
const NEEDED = {
  upgrade: ['before-upgrade', 'after-upgrade'],
  downgrade: ['before-downgrade', 'after-downgrade'],
} as const satisfies Record<string, readonly Phase[]>;

/** Reads all that the upgrades or downgrades of these revisions need. Throws RevisionInvalid if a file cannot be run. */
export function requireRunnable(
  revisions: readonly Revision[],
  direction: 'upgrade' | 'downgrade',
): readonly (readonly Check[] | Script['steps'])[] {
  return revisions.flatMap((revision) => [
    revision[direction].steps,
    ...NEEDED[direction].map((phase) => revision.checks[phase]),
  ]);
}

/** Whether the downgrade takes nothing back of an upgrade that holds something. */
export function lacksDowngrade({ upgrade, downgrade }: Revision): boolean {
  return downgrade.steps.length === 0 && upgrade.steps.length > 0;
}
