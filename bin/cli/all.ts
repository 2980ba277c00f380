// `upgrade --all`: one database after the other, and in the end the true state of each.

import { upgrade } from '../../lambda/migrator/migrator.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { RunReport } from '../../lambda/migrator/model/report.ts';
import { FAILED } from './exit-status.ts';
import { describeFailure } from './failure.ts';
import { type FleetOptions, type Member, readFleet } from './fleet.ts';
import { backstop } from './logger.ts';
import { type BoundsOptions, withBounds } from './options.ts';
import { describeOutcome } from './outcome.ts';
import { lookAt } from './standing.ts';
import type { Answer, Call } from './verb.ts';
import { statusAnswer } from './verbs/status.ts';

export interface AllOptions extends FleetOptions, BoundsOptions {
  readonly all?: boolean;
  readonly keepGoing?: boolean;
  readonly dryRun?: boolean;
}

/** Whether a call is about more than one database. */
export function isAboutAll({ all, authOnly, specsOnly }: AllOptions): boolean {
  return Boolean(all || authOnly || specsOnly);
}

/**
 * Upgrades every database of the fleet to its head. Stops at the first failure, unless `--keep-going`; asks every
 * database in the end where it is, also those that it did not come to.
 */
export async function upgradeAll(call: Call<AllOptions>): Promise<Answer> {
  const { options, tell, terminal } = call;
  refuseTarget(call);
  const members = readFleet(call);
  const results: { readonly database: string; readonly result: RunReport | BackstopError }[] = [];
  for (const member of members) {
    tell(backstop(member.name));
    const result = await upgradeMember(member, options);
    results.push({ database: member.name, result });
    if (result instanceof BackstopError) {
      for (const line of describeFailure(result, terminal).lines) terminal.err(line);
      if (!options.keepGoing) break;
    } else {
      for (const line of describeOutcome(result)) tell(line);
    }
  }
  const status = statusAnswer(await Promise.all(members.map(lookAt)), call);
  const failed = results.some(({ result }) => result instanceof BackstopError);
  return {
    ...status,
    json: {
      runs: results.map(({ database, result }) => ({ database, ...resultJson(result, call) })),
      ...(status.json as object),
    },
    ...(failed && { status: FAILED }),
  };
}

/** A target is a place in one chain: only head is a place in all. */
function refuseTarget({ args: [target = 'head'] }: Call): void {
  if (/^heads?$/.test(target)) return;
  throw new BackstopError('InvalidInput', {
    message: `"${target}" is the target of one database, and --all is about more`,
    hint: 'Leave it out, or name one database with --database instead of --all.',
  });
}

async function upgradeMember({ migrator }: Member, { dryRun = false, ...bounds }: AllOptions) {
  if (migrator instanceof BackstopError) return migrator;
  const options = withBounds(migrator, bounds);
  return upgrade(options, 'head', { dryRun }).catch((error: unknown) => {
    if (error instanceof BackstopError) return error;
    throw error;
  });
}

function resultJson(result: RunReport | BackstopError, { terminal }: Call): object {
  return result instanceof BackstopError
    ? (describeFailure(result, terminal).json as object)
    : { report: result };
}
