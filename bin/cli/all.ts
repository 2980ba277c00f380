// `upgrade --all`: one database after the other, and in the end the status of each.

import { upgrade } from '../../lambda/migrator/migrator.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { FAILED } from './exit-status.ts';
import { describeFailure } from './failure.ts';
import { type CheckOptions, type Finished, finish } from './finish.ts';
import { type Member, readFleet } from './fleet.ts';
import { type BoundsOptions, withBounds } from './options.ts';
import { readStatus } from './status-line.ts';
import type { Call, VerbResult } from './verb.ts';
import { statusResult } from './verbs/status.ts';

export interface AllOptions extends BoundsOptions, CheckOptions {
  readonly all?: boolean;
  readonly keepGoing?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly strict?: boolean;
}

/** Whether a call is about more than one database. */
export function isAboutAll({ options, flags }: Call<AllOptions>): boolean {
  return options.all === true || flags.some(({ meaning }) => meaning === 'only');
}

/**
 * Upgrades every database of the fleet to its head. Stops at the first failure, unless `--keep-going`; reads the
 * status of every database in the end, even of a database that was not upgraded.
 */
export async function upgradeAll(call: Call<AllOptions>): Promise<VerbResult> {
  const { options, tell, terminal } = call;
  refuseTarget(call);
  const members = readFleet(call);
  const results: { readonly database: string; readonly result: Finished | BackstopError }[] = [];
  for (const member of members) {
    tell(`${member.name}:`);
    const result = await upgradeMember(member, call);
    results.push({ database: member.name, result });
    const failure = failureOf(result);
    if (failure) {
      for (const line of describeFailure(failure, terminal).lines) terminal.err(line);
      if (!options.keepGoing) break;
    }
  }
  const status = statusResult(await Promise.all(members.map(readStatus)), call);
  const failed = results.some(({ result }) => failureOf(result));
  return {
    ...status,
    json: {
      runs: results.map(({ database, result }) => ({ database, ...resultJson(result, call) })),
      ...(status.json as object),
    },
    ...(failed && { status: FAILED }),
  };
}

/** Only head is a target in every chain. Throws InvalidInput for another one. */
function refuseTarget({ args: [target = 'head'] }: Call): void {
  if (/^heads?$/.test(target)) return;
  throw new BackstopError('InvalidInput', {
    message: `"${target}" is the target of one database, and this command upgrades more`,
    hint: 'Leave it out, or name one database with --database instead.',
  });
}

function failureOf(result: Finished | BackstopError): BackstopError | undefined {
  return result instanceof BackstopError ? result : result.failure;
}

/** Prints the upgrade, and returns its result, or why it failed. */
async function upgradeMember(
  { migrator }: Member,
  call: Call<AllOptions>,
): Promise<Finished | BackstopError> {
  if (migrator instanceof BackstopError) return migrator;
  const {
    dryRun = false,
    check: rehearse = true,
    yes: allowLoss = false,
    strict = false,
    ...bounds
  } = call.options;
  const bounded = withBounds(migrator, bounds);
  try {
    const report = await upgrade(bounded, 'head', { dryRun, rehearse, allowLoss, strict });
    const finished = await finish(call, bounded, report);
    for (const line of finished.lines) call.tell(line);
    return finished;
  } catch (error) {
    if (error instanceof BackstopError) return error;
    throw error;
  }
}

function resultJson(result: Finished | BackstopError, { terminal }: Call): object {
  const failure = failureOf(result);
  const problem = failure && (describeFailure(failure, terminal).json as object);
  return { ...problem, ...(!(result instanceof BackstopError) && { report: result.json }) };
}
