// `status`: a line a database; exit status 0 only if all are at head.

import { DONE, FAILED } from '../exit-status.ts';
import { type FleetOptions, onlyOptions, readFleet } from '../fleet.ts';
import { describeStanding, isAtHead, lookAt, type Standing, standingJson } from '../standing.ts';
import type { Answer, Call, Verb } from '../verb.ts';

export const statusVerb: Verb = {
  name: 'status',
  description: 'Show where every database is; exit status 1 if one is not at head.',
  options: onlyOptions,
  example: 'npx backstop status --auth-only',
  async run(call: Call<FleetOptions>) {
    const standings = await Promise.all(readFleet(call).map(lookAt));
    return statusAnswer(standings, call);
  },
};

export function statusAnswer(standings: readonly Standing[], { terminal }: Call): Answer {
  return {
    lines: standings.map((standing) => describeStanding(standing, terminal)),
    json: { databases: standings.map(standingJson) },
    status: standings.every(isAtHead) ? DONE : FAILED,
  };
}
