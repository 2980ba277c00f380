// `status`: a line for each database; exit status 0 only if all are at head.
import { DONE, FAILED } from '../exit-status.ts';
import { readFleet } from '../fleet.ts';
import { type DatabaseStatus, describeStatus, isAtHead, readStatus, statusJson } from '../status-line.ts';
import type { Call, Verb, VerbResult } from '../verb.ts';

export const statusVerb: Verb = {
  name: 'status',
  description: 'Show the revision of every database; exit status 1 if one is not at head.',
  databaseFlags: ['only'],
  example: 'npx backstop status --json',
  async run(call: Call) {
    return statusResult(await Promise.all(readFleet(call).map(readStatus)), call);
  },
};

export function statusResult(statuses: readonly DatabaseStatus[], { terminal }: Call): VerbResult {
  return {
    lines: statuses.map((status) => describeStatus(status, terminal)),
    json: { databases: statuses.map(statusJson) },
    status: statuses.every(isAtHead) ? DONE : FAILED,
  };
}
