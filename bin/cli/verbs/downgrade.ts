// `downgrade`: takes revisions back in one transaction; retired tables come back with every row.
import { lossOfDowngrade } from '../../../lambda/migrator/loss.ts';
import { downgrade } from '../../../lambda/migrator/migrator.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { confirmLoss } from '../confirm.ts';
import { selectDatabase } from '../databases.ts';
import { asResult, type CheckOptions, finish, noCheck } from '../finish.ts';
import { offlineResult, refuseRange } from '../offline.ts';
import { dryRun, lockWait, sql, withBounds, yes } from '../options.ts';
import type { Call, Verb } from '../verb.ts';

interface DowngradeOptions extends CheckOptions {
  readonly sql?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly lockWait?: string;
}

export const downgradeVerb: Verb = {
  name: 'downgrade',
  args: [['<target>', '-1, a revision, base, revision-N, branch@-1; with --sql FROM:TO']],
  description: 'Take back all revisions down to the target in one transaction; asks before data is lost.',
  options: [dryRun, sql, noCheck, yes, lockWait],
  example: 'npx backstop downgrade -1',
  async run(call: Call<DowngradeOptions>) {
    const [target = ''] = call.args;
    const { options } = call;
    if (options.sql) return offlineResult(call, 'downgrade', target);
    refuseRange(target);
    if (/^(.*@)?heads?$/.test(target)) {
      throw new BackstopError('InvalidInput', {
        message: 'You cannot downgrade to head',
        hint: 'Write -1, base or a revision.',
      });
    }
    const migrator = withBounds(selectDatabase(call, target), options);
    if (!options.dryRun) {
      await confirmLoss(call, `The downgrade to ${target}`, () => lossOfDowngrade(migrator, target));
    }
    const { dryRun = false, check: rehearse = true } = options;
    const report = await downgrade(migrator, target, { dryRun, rehearse });
    return asResult(call, migrator, await finish(call, migrator, report));
  },
};
