// `upgrade`: runs the pending revisions in one transaction, on one database or on all.
import { lossOfFinalize, lossOfUpgrade } from '../../../lambda/migrator/loss.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { type AllOptions, isAboutAll, upgradeAll } from '../all.ts';
import { confirmLoss } from '../confirm.ts';
import { selectDatabase } from '../databases.ts';
import { asResult, finish, noCheck } from '../finish.ts';
import { offlineResult, refuseRange } from '../offline.ts';
import { dryRun, lockWait, maxLock, sql, strict, withBounds, yes } from '../options.ts';
import type { Call, Verb } from '../verb.ts';
import { statusVerb } from './status.ts';

interface UpgradeOptions extends AllOptions {
  readonly sql?: boolean;
  readonly finalize?: boolean;
}

export const upgradeVerb: Verb = {
  name: 'upgrade',
  args: [['[target]', 'head (default), a revision, +N, revision+N, branch@head; with --sql FROM:TO']],
  description: 'Run all revisions up to the target in one transaction.',
  options: [
    { ...dryRun, description: 'run everything up to COMMIT, then the checks and the downgrade; roll back' },
    sql,
    {
      flags: '--finalize',
      description: 'also drop for good, in the same transaction, what the revisions retire',
      excludes: ['all'],
    },
    {
      flags: '--step-back',
      description: 'downgrade again if a check does not hold, unless rows would be lost',
      excludes: ['sql', 'dryRun', 'finalize'],
    },
    noCheck,
    yes,
    strict,
    lockWait,
    maxLock,
    {
      flags: '--all',
      description: 'upgrade every database, in the order of databases.json, and show the status of each',
    },
    { flags: '--keep-going', description: 'with --all: go on with the next database if one fails' },
  ],
  databaseFlags: ['only', 'status'],
  example: 'npx backstop upgrade head --dry-run',
  async run(call: Call<UpgradeOptions>) {
    const [target = 'head'] = call.args;
    const { options, flags } = call;
    if (flags.some(({ meaning }) => meaning === 'status')) return statusVerb.run(call as never);
    if (isAboutAll(call)) return upgradeAll(call);
    if (options.sql) return offlineResult(call, 'upgrade', target);
    refuseRange(target);
    const migrator = withBounds(selectDatabase(call, target), options);
    const finalize = options.finalize ?? false;
    if (finalize && !options.dryRun) {
      await confirmLoss(call, 'The finalize of the upgrade', () => lossOfFinalize(migrator, target));
    }
    const { dryRun = false, check: rehearse = true, strict = false } = options;
    // Without a terminal, the upgrade itself refuses a loss that --yes does not allow.
    const asks = call.terminal.ask !== undefined && !dryRun;
    const foresee = () => lossOfUpgrade(migrator, target);
    const allowLoss = asks
      ? await confirmLoss(call, `The upgrade to ${target}`, foresee)
      : options.yes === true;
    const report = await upgrade(migrator, target, { dryRun, rehearse, finalize, allowLoss, strict });
    return asResult(call, migrator, await finish(call, migrator, report));
  },
};
