// `finalize`: drops for good what the applied revisions retired.
import { lossOfFinalize } from '../../../lambda/migrator/loss.ts';
import { finalize } from '../../../lambda/migrator/migrator.ts';
import { confirmLoss } from '../confirm.ts';
import { selectDatabase } from '../databases.ts';
import { dryRun, lockWait, withBounds, yes } from '../options.ts';
import { runResult } from '../outcome.ts';
import type { Call, Verb } from '../verb.ts';

export const finalizeVerb: Verb = {
  name: 'finalize',
  description: 'Drop for good what the applied revisions retired; asks before rows are lost.',
  options: [dryRun, yes, lockWait],
  example: 'npx backstop finalize --dry-run',
  async run(call: Call<{ readonly dryRun?: boolean; readonly yes?: boolean; readonly lockWait?: string }>) {
    const { options } = call;
    const migrator = withBounds(selectDatabase(call), options);
    if (!options.dryRun) await confirmLoss(call, 'The finalize', () => lossOfFinalize(migrator));
    const report = await finalize(migrator, undefined, { dryRun: options.dryRun ?? false });
    return runResult(call, migrator, report);
  },
};
