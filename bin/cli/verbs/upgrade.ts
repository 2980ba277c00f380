// `upgrade`: runs what is pending in one transaction, on one database or on all.
import { lossOfFinalize } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { type AllOptions, isAboutAll, upgradeAll } from '../all.ts';
import { confirmLoss } from '../confirm.ts';
import { selectDatabase } from '../databases.ts';
import { onlyOptions } from '../fleet.ts';
import { offlineAnswer, refuseRange } from '../offline.ts';
import { dryRun, lockWait, maxLock, sql, withBounds, yes } from '../options.ts';
import { describeOutcome } from '../outcome.ts';
import type { Call, Verb } from '../verb.ts';
import { statusVerb } from './status.ts';

interface UpgradeOptions extends AllOptions {
  readonly sql?: boolean;
  readonly finalize?: boolean;
  readonly yes?: boolean;
  readonly checkStatus?: boolean;
}

export const upgradeVerb: Verb = {
  name: 'upgrade',
  args: [['[target]', 'head (default), a revision, +N, revision+N, branch@head; with --sql FROM:TO']],
  description: 'Run all revisions up to the target in one transaction.',
  options: [
    dryRun,
    sql,
    {
      flags: '--finalize',
      description: 'drop for good, in the same transaction, what the revisions retire',
      excludes: ['all', 'authOnly', 'specsOnly'],
    },
    yes,
    lockWait,
    maxLock,
    {
      flags: '--all',
      description: 'upgrade every database, in the order of databases.json, and show where each is',
    },
    { flags: '--keep-going', description: 'with --all: go on with the next database where one fails' },
    { flags: '--check-status', description: 'with --all: upgrade nothing, only show where each is' },
    ...onlyOptions,
  ],
  example: 'npx backstop upgrade head --dry-run',
  async run(call: Call<UpgradeOptions>) {
    const [target = 'head'] = call.args;
    const { options } = call;
    if (options.checkStatus) return statusVerb.run(call as never);
    if (isAboutAll(options)) return upgradeAll(call);
    if (options.sql) return offlineAnswer(call, 'upgrade', target);
    refuseRange(target);
    const migrator = withBounds(selectDatabase(call, target), options);
    const finalize = options.finalize ?? false;
    if (finalize && !options.dryRun) {
      await confirmLoss(call, 'The finalize of the upgrade', () => lossOfFinalize(migrator, target));
    }
    const report = await upgrade(migrator, target, { dryRun: options.dryRun ?? false, finalize });
    return { lines: describeOutcome(report), json: report };
  },
};
