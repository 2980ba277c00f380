// The permissions that the functions of a run lacked, each with the place in the project that grants it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';
import type { Judgement } from '../../lib/twin/aws/endpoint.ts';

const PLACE = 'lib/permissions.ts';

/** A sentence for each action that a role was denied. */
export function describeDenials(judged: readonly Judgement[]): string[] {
  const lines = readFileSync(join(ROOT, PLACE), 'utf8').split('\n');
  const sentences = judged
    .filter(({ isAllowed }) => !isAllowed)
    .map(({ role, need: { action, resource } }) => {
      const line = lines.findIndex((text) => text.includes(`'${action}'`)) + 1;
      const remedy = line > 0 ? `see ${PLACE}:${line}` : `no statement in ${PLACE} grants it`;
      return `The role ${role.name} lacks the permission ${action} on ${resource}: ${remedy}.`;
    });
  return [...new Set(sentences)];
}
