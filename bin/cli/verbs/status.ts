// `status`: a line for each database; exit status 0 only if all are at head.
import { DONE, FAILED } from '../exit-status.ts';
import { readFleet } from '../fleet.ts';
import { strict } from '../options.ts';
import {
  type DatabaseStatus,
  describeStatus,
  hasDrifted,
  isAtHead,
  readStatus,
  statusJson,
} from '../status-line.ts';
import type { Call, Verb, VerbResult } from '../verb.ts';

export const statusVerb: Verb = {
  name: 'status',
  description: 'Show the revision of every database; exit status 1 if one is not at head.',
  options: [strict],
  databaseFlags: ['only'],
  example: 'npx backstop status --json',
  async run(call: Call<{ readonly strict?: boolean }>) {
    return statusResult(await Promise.all(readFleet(call).map(readStatus)), call);
  },
};

export function statusResult(
  statuses: readonly DatabaseStatus[],
  { terminal, options }: Call<{ readonly strict?: boolean }>,
): VerbResult {
  const isWell = (status: DatabaseStatus) => isAtHead(status) && !(options.strict && hasDrifted(status));
  return {
    lines: statuses.map((status) => describeStatus(status, terminal)),
    json: { databases: statuses.map(statusJson) },
    status: statuses.every(isWell) ? DONE : FAILED,
  };
}
